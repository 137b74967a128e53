#include "core/mac_address.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace holdfast::core {

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr std::size_t kTextLength = 17;
  if (text.size() != kTextLength) return std::nullopt;
  MacAddress mac;
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
    const char* first = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(first, first + 2, mac.bytes[i], 16);
    if (error != std::errc{} || end != first + 2) return std::nullopt;
    if (i + 1 < mac.bytes.size() && *end != ':') return std::nullopt;
  }
  return mac;
}

std::string MacAddress::to_string() const {
  return fmt::format("{:02x}", fmt::join(bytes, ":"));
}

}  // namespace holdfast::core
