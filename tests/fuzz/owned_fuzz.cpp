// Any bytes as the record of our addresses: refused with a line, or a list that is the same when it
// is written and read again.
#include "core/assertion.hpp"
#include "netlink_reflector/core/owned.hpp"

#include <cstdint>
#include <string_view>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kScope = "boot net";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = netlink::parse_owned(text, kScope);
  if (!list) {
    HOLDFAST_ASSERT(list.error().message.starts_with("line "), "a refusal names the line");
    return 0;
  }
  const auto again = netlink::parse_owned(netlink::write_owned(*list, kScope), kScope);
  HOLDFAST_ASSERT(again.has_value() && again->all() == list->all(), "one list, one text");
  return 0;
}
