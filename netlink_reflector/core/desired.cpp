#include "netlink_reflector/core/desired.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace holdfast::netlink {

std::optional<core::IpAddress> computed_broadcast(const core::IpPrefix& prefix) {
  if (!prefix.address.is_v4() || prefix.length > 30) return std::nullopt;
  std::array<std::uint8_t, 4> bytes{};
  std::copy_n(prefix.address.bytes().begin(), bytes.size(), bytes.begin());
  for (std::size_t bit = prefix.length; bit < 32; ++bit) {
    bytes.at(bit / 8) = static_cast<std::uint8_t>(bytes.at(bit / 8) | (0x80u >> (bit % 8)));
  }
  return core::IpAddress::v4(bytes);
}

std::optional<std::uint8_t> parse_scope(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> kNames{{
      {"global", kScopeGlobal},
      {"site", kScopeSite},
      {"link", kScopeLink},
      {"host", kScopeHost},
      {"nowhere", kScopeNowhere},
  }};
  for (const auto& [name, scope] : kNames) {
    if (text == name) return scope;
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

core::Result<void> validate(const DesiredAddress& desired) {
  const core::IpAddress& address = desired.prefix.address;
  if (desired.interface.empty() || desired.interface.size() > kMaxLabelLength) {
    return core::fail("address {}: the interface name \"{}\" must have 1 to {} characters",
                      desired.prefix.to_string(), desired.interface, kMaxLabelLength);
  }
  if (desired.prefix.length > address.max_prefix_length()) {
    return core::fail("address {}: the prefix length is greater than {}",
                      desired.prefix.to_string(), address.max_prefix_length());
  }
  if (address.is_unspecified() || address.is_multicast()) {
    return core::fail("address {}: an interface cannot have this address",
                      desired.prefix.to_string());
  }
  if (desired.label.size() > kMaxLabelLength) {
    return core::fail("address {}: the label \"{}\" is longer than {} characters",
                      desired.prefix.to_string(), desired.label.str(), kMaxLabelLength);
  }
  if (!address.is_v4() && (!desired.label.empty() || desired.broadcast)) {
    return core::fail("address {}: IPv6 addresses have neither label nor broadcast",
                      desired.prefix.to_string());
  }
  if (desired.broadcast && !desired.broadcast->is_v4()) {
    return core::fail("address {}: the broadcast address {} is not IPv4",
                      desired.prefix.to_string(), desired.broadcast->to_string());
  }
  return {};
}

Address resolve(const DesiredAddress& desired, const Link& link) {
  Address address;
  address.interface = link.index;
  address.prefix = desired.prefix;
  address.scope = desired.scope;
  address.protocol = kProtocolHoldfast;
  if (desired.prefix.address.is_v4()) {
    address.label = desired.label.empty() ? link.name : desired.label.str();
    if (desired.broadcast) address.broadcast = *desired.broadcast;
    return address;
  }
  // A virtual address is usable at once, and a host address is not used as a source by accident.
  // keepalived: IFA_F_NODAD, preferred_lft 0 for /128.
  address.flags = kFlagNoDad;
  if (desired.prefix.length == 128) address.preferred_lifetime = 0;
  return address;
}

bool is_at(const DesiredAddress& desired, const AddressKey& key) {
  return desired.prefix.address == key.address &&
         (!key.address.is_v4() || desired.prefix.length == key.length);
}

bool satisfies(const Address& actual, const Address& wanted) {
  if (actual.prefix != wanted.prefix || actual.peer != wanted.peer ||
      actual.valid_lifetime != wanted.valid_lifetime ||
      actual.preferred_lifetime != wanted.preferred_lifetime) {
    return false;
  }
  // The kernel derives the scope of an IPv6 address from the address itself.
  return !wanted.prefix.address.is_v4() ||
         (actual.label == wanted.label && actual.broadcast == wanted.broadcast &&
          actual.scope == wanted.scope);
}

std::string describe(const DesiredAddress& desired) {
  std::string text = fmt::format("{} on {}", desired.prefix.to_string(), desired.interface);
  if (!desired.label.empty()) text += fmt::format(" (label {})", desired.label.str());
  return text;
}

}  // namespace holdfast::netlink
