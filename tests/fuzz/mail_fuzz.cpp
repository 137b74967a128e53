// Any bytes as what a mail relay says, in two pieces: the talk ends or asks for more, sends nothing
// but commands and letters, and has decided about each letter at most once. Any bytes as an order
// or a report between the two processes of the mail: refused, or what encodes to these bytes.
#include "core/assertion.hpp"

#include "mail/order.hpp"
#include <algorithm>
#include <cstdint>
#include <span>

using namespace holdfast;
using namespace holdfast::mail;

namespace {

void listen_to(std::string_view said, std::size_t split, const Terms& terms) {
  const std::vector<Parcel> parcels{{"s@x", {"a@x", "b@x"}, ".\r\n"}, {"s@x", {"c@x"}, "x\r\n"}};
  Submission talk(terms, parcels);
  std::string_view next = said.substr(0, split);
  std::string_view rest = said.substr(split);
  std::size_t decided = 0;
  for (std::size_t turn = 0; turn <= said.size() + 4; ++turn) {
    const auto step = talk.advance(next, next.empty() && rest.empty());
    next = {};
    HOLDFAST_ASSERT(talk.decided() >= decided, "what is decided stays so");
    decided = talk.decided();
    if (std::holds_alternative<Submission::Over>(step)) {
      HOLDFAST_ASSERT(decided == parcels.size(), "an ended talk has decided everything");
      return;
    }
    if (const auto* send = std::get_if<Submission::Send>(&step))
      HOLDFAST_ASSERT(send->bytes.ends_with("\r\n"), "whole lines are sent");
    if (std::holds_alternative<Submission::NeedMore>(step)) next = std::exchange(rest, {});
  }
  HOLDFAST_ASSERT(false, "a talk takes no more turns than it is told bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  if (const auto order = decode_order(bytes))
    HOLDFAST_ASSERT(std::ranges::equal(encode(*order), bytes), "one form of an order");
  if (const auto report = decode_report(bytes))
    HOLDFAST_ASSERT(std::ranges::equal(encode(*report), bytes), "one form of a report");
  if (size == 0) return 0;
  const std::string_view said(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Terms& terms :
       {Terms{.helo = "me"}, Terms{"me", Protection::starttls, Login{"u", "p"}},
        Terms{"me", Protection::implicit, Login{"u", "p"}}})
    listen_to(said, data[0] % (said.size() + 1), terms);
  return 0;
}
