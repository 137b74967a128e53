#include "core/ip_address.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <arpa/inet.h>  // inet_ntop and inet_pton only: they touch memory, no socket
#include <charconv>
#include <string_view>

namespace holdfast::core {

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  IpAddress address;
  address.family_ = Family::v6;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::v4 : Family::v6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

namespace {

/// ::ffff:a.b.c.d, RFC 4291 §2.5.5.2.
bool is_mapped_v4(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return bytes.size() == 16 && std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

/// As inet_pton: four numbers up to 255 without leading zeros. A configuration has tens of
/// thousands.
std::optional<IpAddress> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t begin = at;
    unsigned number = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && number <= 255; ++at)
      number = number * 10 + static_cast<unsigned>(text[at] - '0');
    const bool leading_zero = at - begin > 1 && text[begin] == '0';
    if (at == begin || leading_zero || number > 255) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(number);
    if (i + 1 == bytes.size()) break;
    if (at == text.size() || text[at++] != '.') return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  return IpAddress::v4(bytes);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const bool v6 = text.find(':') != std::string_view::npos;
  if (!v6) return parse_v4(text);
  const std::string terminated(text);
  IpAddress address;
  address.family_ = Family::v6;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  if (!is_mapped_v4(address.bytes())) return address;
  return from_bytes(address.bytes().last(4));
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? bytes_[0] >> 4 == 0xe : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254
                 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::span<const std::uint8_t> IpAddress::bytes() const {
  return std::span<const std::uint8_t>(bytes_).first(is_v4() ? 4 : 16);
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {  // inet_ntop prints; this is asked for with each advert
    char* end = text;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i != 0) *end++ = '.';
      end = std::to_chars(end, text + sizeof text, bytes_[i]).ptr;
    }
    return {text, end};
  }
  const char* written = inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  HOLDFAST_ASSERT(written != nullptr, "every byte pattern is an address");
  return text;
}

std::string join(std::span<const IpAddress> addresses) {
  std::string text;
  for (const IpAddress& address : addresses)
    text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpPrefix{*address, address->max_prefix_length()};
  const auto digits = text.substr(slash + 1);
  std::uint8_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (length > address->max_prefix_length()) return std::nullopt;
  return IpPrefix{*address, length};
}

bool IpPrefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const auto ours = address.bytes();
  const auto theirs = other.bytes();
  const std::size_t whole = length / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin()))
    return false;
  const unsigned rest = length % 8;
  return rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

std::string IpPrefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

}  // namespace holdfast::core

std::size_t std::hash<holdfast::core::IpAddress>::operator()(
    const holdfast::core::IpAddress& address) const noexcept {
  const auto bytes = address.bytes();
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::hash<std::string_view>{}(view);
}

std::size_t std::hash<holdfast::core::Endpoint>::operator()(
    const holdfast::core::Endpoint& endpoint) const noexcept {
  constexpr std::size_t kOddMultiplier = 0x9e3779b97f4a7c15;
  return std::hash<holdfast::core::IpAddress>{}(endpoint.address) * kOddMultiplier + endpoint.port;
}
