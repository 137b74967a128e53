// Whatever a mail server sends: the dialogue never crashes, ends when the server closes, says at
// most three commands, and judges the same whether the bytes come at once or in pieces. The first
// byte is the size of the pieces.
#include "checkers/core/dialogue_smtp.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace holdfast::checkers;

namespace {

Outcome play(std::string_view sent, std::size_t piece) {
  SmtpDialogue talk("a");
  int commands = 0;
  Step step = talk.advance({}, false);
  for (;;) {
    while (std::holds_alternative<Send>(step)) {
      if (++commands > 3) std::abort();
      step = talk.advance({}, false);
    }
    if (const auto* verdict = std::get_if<Verdict>(&step)) return verdict->outcome;
    if (sent.empty()) break;
    const std::string_view now = sent.substr(0, piece);
    sent.remove_prefix(now.size());
    step = talk.advance(now, false);
  }
  step = talk.advance({}, true);
  if (!std::holds_alternative<Verdict>(step)) std::abort();
  return std::get<Verdict>(step).outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view sent(reinterpret_cast<const char*>(data + 1), size - 1);
  if (play(sent, 1u + data[0]).result != play(sent, size).result) std::abort();
  return 0;
}
