// The one identity of a virtual router: in the core, the handover page, the reflector, status and
// dumps.
#pragma once

#include "core/ip_address.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::core {

/// Who hears whom: adverts of one interface, family and VRID, to one group or between unicast
/// peers. Two instances with equal keys would be each other's peer, so a configuration has each key
/// once; the name of an instance is no part of it (keepalived does it the same way).
struct RouterKey {
  /// Empty: unicast peers that are reached and heard wherever the kernel's routes lead.
  std::string interface;
  Family family = Family::v4;
  std::uint8_t vrid = 0;
  /// The multicast group that adverts are sent to, or the unicast source that they are sent from:
  /// in both cases what the packets of peers are addressed to. Unspecified (0.0.0.0, ::): unicast
  /// from whatever the interface's own address is.
  IpAddress channel;

  auto operator<=>(const RouterKey&) const = default;
};

/// "eth0 51 ipv4 224.0.0.18", "- 51 ipv4 192.0.2.1" without an interface: for messages and for the
/// hash that keys the handover page. Stable over restarts, upgrades and a rename of the instance.
[[nodiscard]] std::string to_string(const RouterKey& key);

}  // namespace holdfast::core

template <>
struct std::hash<holdfast::core::RouterKey> {
  std::size_t operator()(const holdfast::core::RouterKey& key) const noexcept;
};
