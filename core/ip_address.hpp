// IP addresses and prefixes as values, of either family, without sockets or name resolution.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::core {

enum class Family : std::uint8_t { v4, v6 };

/// An IPv4 or IPv6 address. Bytes are in network order; IPv4 uses the first four, the rest stay
/// zero. Ordering is by family, then unsigned in network order: the order VRRP's tie-break wants
/// (RFC 9568 §6.4.3).
class IpAddress {
 public:
  /// 0.0.0.0.
  IpAddress() = default;
  [[nodiscard]] static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  [[nodiscard]] static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  /// From 4 or 16 bytes in network order; nullopt for any other length.
  [[nodiscard]] static std::optional<IpAddress> from_bytes(std::span<const std::uint8_t> bytes);
  /// Strict presentation form ("192.0.2.1", "2001:db8::1"); nullopt for anything else, octal and
  /// short forms included. An IPv4-mapped form ("::ffff:192.0.2.1", RFC 4291 §2.5.5.2) is the IPv4
  /// address that it names: sockets would speak IPv4 to it, and IPVS would never match it.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::v4; }
  [[nodiscard]] bool is_unspecified() const;
  /// 224.0.0.0/4 or ff00::/8.
  [[nodiscard]] bool is_multicast() const;
  /// 169.254.0.0/16 or fe80::/10.
  [[nodiscard]] bool is_link_local() const;
  /// 4 or 16 bytes, network order; a view into this object.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const;
  /// 32 or 128.
  [[nodiscard]] std::uint8_t max_prefix_length() const { return is_v4() ? 32 : 128; }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// "192.0.2.1 192.0.2.2": for messages.
[[nodiscard]] std::string join(std::span<const IpAddress> addresses);

/// An address with a prefix length, host bits kept: 192.168.1.200/24 is an interface address, not
/// only a network.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 32;

  /// "ADDRESS" (full length) or "ADDRESS/LENGTH" with the length in range of the family.
  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);
  /// True when `other` lies inside the network of this prefix (same family, first `length` bits
  /// equal).
  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpPrefix&) const = default;
};

/// Address and port; the key of services and servers. Text: "192.0.2.1:80", "[2001:db8::1]:80".
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace holdfast::core

template <>
struct std::hash<holdfast::core::IpAddress> {
  std::size_t operator()(const holdfast::core::IpAddress& address) const noexcept;
};
template <>
struct std::hash<holdfast::core::Endpoint> {
  std::size_t operator()(const holdfast::core::Endpoint& endpoint) const noexcept;
};
