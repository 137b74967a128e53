// Whatever a server sends: the dialogue never crashes, always ends when the server closes, and
// judges the same whether the bytes come at once or in pieces. First byte: bit 0 asks for a digest,
// bit 7 for a match, the rest is the size of the pieces.
#include "checkers/core/dialogue_http.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

Outcome play(const HttpUrl& url, std::string_view reply, std::size_t piece) {
  HttpDialogue talk(url, HttpVersion::http_1_0, {core::IpAddress::v4({192, 0, 2, 1}), 80});
  if (!std::holds_alternative<Send>(talk.advance({}, false))) std::abort();
  while (!reply.empty()) {
    const std::string_view now = reply.substr(0, piece);
    reply.remove_prefix(now.size());
    const Step step = talk.advance(now, false);
    if (const auto* verdict = std::get_if<Verdict>(&step)) return verdict->outcome;
    if (!std::holds_alternative<NeedMore>(step)) std::abort();
  }
  const Step last = talk.advance({}, true);
  if (!std::holds_alternative<Verdict>(last)) std::abort();
  return std::get<Verdict>(last).outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  HttpUrl url;
  if ((data[0] & 1) != 0) url.digest = "d41d8cd98f00b204e9800998ecf8427e";
  if ((data[0] & 0x80) != 0)
    url.pattern = ReplyPattern{.text = {.regex = "o.?k", .max_offset = 90}};
  const std::size_t piece = 1u + ((data[0] >> 1) & 0x3f);
  const std::string_view reply(reinterpret_cast<const char*>(data + 1), size - 1);
  // The words of the reason may depend on where an error was seen first; pass or fail must not.
  if (play(url, reply, piece).result != play(url, reply, reply.size() + 1).result) std::abort();
  return 0;
}
