// Any bytes as the record of our IPVS services: refused with a line, or a list that is the same
// when it is written and read again.
#include "checkers/io/owned_file.hpp"
#include "core/assertion.hpp"

#include <cstdint>
#include <string_view>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kBoot = "boot";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = checkers::parse_owned(text, kBoot);
  if (!list) {
    HOLDFAST_ASSERT(list.error().message.starts_with("line "), "a refusal names the line");
    return 0;
  }
  const auto again = checkers::parse_owned(checkers::write_owned(*list, kBoot), kBoot);
  HOLDFAST_ASSERT(again.has_value() && *again == *list, "one list, one text");
  return 0;
}
