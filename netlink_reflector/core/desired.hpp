// An address as the configuration wants it: interface by name, attributes by keepalived's rules.
// Made by the daemons' wiring from the configuration, turned into a kernel address once the
// interface is known.
#pragma once

#include "core/address_options.hpp"
#include "core/ip_address.hpp"
#include "core/rare_text.hpp"
#include "core/result.hpp"
#include "core/router_key.hpp"
#include "netlink_reflector/core/table.hpp"

#include <optional>
#include <string>

namespace holdfast::netlink {

/// Who owns what is the director's own, as static addresses and routes: no instance has such a key.
inline const core::RouterKey kDirector{};

/// What a sweep does with what a predecessor's director owned, when nobody wants it. `stay`: they
/// are there as long as the director, whatever becomes of its processes.
enum class Statics : std::uint8_t { go, stay };

/// What follows when somebody takes the address away. keepalived: no_track gives `stay_away`.
enum class WhenTaken : std::uint8_t { put_back, stay_away };

/// One virtual address. The name of the interface is the key: the interface may vanish and come
/// back.
struct DesiredAddress {
  std::string interface;
  core::IpPrefix prefix;
  /// keepalived: label. Empty: the interface's name. At most 15 bytes (linux/if.h: IFNAMSIZ - 1);
  /// IPv4 only.
  core::RareText label = {};
  /// keepalived: brd. Empty: none, as keepalived sets it.
  core::Rare<core::IpAddress> broadcast = {};
  /// keepalived: scope.
  std::uint8_t scope = core::kScopeGlobal;
  WhenTaken when_taken = WhenTaken::put_back;
  core::Rare<core::AddressOptions> options = {};

  bool operator==(const DesiredAddress&) const = default;
};

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
