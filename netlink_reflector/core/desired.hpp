// An address as the configuration wants it: interface by name, attributes by keepalived's rules.
// Made by the daemons' wiring from the configuration, turned into a kernel address once the
// interface is known.
#pragma once

#include "core/ip_address.hpp"
#include "core/rare_text.hpp"
#include "core/result.hpp"
#include "netlink_reflector/core/table.hpp"

#include <optional>
#include <string>

namespace holdfast::netlink {

/// What follows when somebody takes the address away. keepalived: no_track gives `stay_away`.
enum class WhenTaken : std::uint8_t { put_back, stay_away };

/// One virtual address. The name of the interface is the key: the interface may vanish and come
/// back.
struct DesiredAddress {
  std::string interface;
  core::IpPrefix prefix;
  /// keepalived: label. Empty: the interface's name. At most kMaxLabelLength bytes; IPv4 only.
  core::RareText label = {};
  /// keepalived: brd. Empty: none, as keepalived sets it.
  core::Rare<core::IpAddress> broadcast = {};
  /// keepalived: scope.
  std::uint8_t scope = kScopeGlobal;
  WhenTaken when_taken = WhenTaken::put_back;

  bool operator==(const DesiredAddress&) const = default;
};

/// linux/if.h: IFNAMSIZ - 1.
inline constexpr std::size_t kMaxLabelLength = 15;

/// `brd +`: all host bits set. nullopt where a network has no broadcast address (/31, /32, IPv6).
[[nodiscard]] std::optional<core::IpAddress> computed_broadcast(const core::IpPrefix& prefix);

/// "global", "site", "link", "host", "nowhere" or a number 0…255; nullopt for anything else.
[[nodiscard]] std::optional<std::uint8_t> parse_scope(std::string_view text);

/// Refuses what the kernel would refuse or silently cut: a label that is too long, a broadcast of
/// the other family, a length out of range.
[[nodiscard]] core::Result<void> validate(const DesiredAddress& desired);

/// The kernel address for `desired` on `link`, with our mark.
[[nodiscard]] Address resolve(const DesiredAddress& desired, const Link& link);

/// True when the kernel would know `desired` by `key` on that interface.
[[nodiscard]] bool is_at(const DesiredAddress& desired, const AddressKey& key);

/// True when `actual` is what `wanted` asks for: attributes that we set are equal; flags the kernel
/// adds do not count.
[[nodiscard]] bool satisfies(const Address& actual, const Address& wanted);

/// "192.168.1.200/32 on eth0 (label eth0:vip)" for messages.
[[nodiscard]] std::string describe(const DesiredAddress& desired);

}  // namespace holdfast::netlink
