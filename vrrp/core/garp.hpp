// Gratuitous ARP as bytes: tells the segment's switches and hosts where a virtual address lives
// now.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"

#include <array>
#include <cstdint>

namespace holdfast::vrrp {

/// Ethernet header and ARP body; the driver or NIC pads to 60.
inline constexpr std::size_t kGarpFrameBytes = 42;

/// A complete Ethernet frame: broadcast ARP request, sender and target address are `address`,
/// target hardware address all ones: the form keepalived sends. `sender` is the interface's MAC (or
/// a virtual one). `address` must be IPv4.
[[nodiscard]] std::array<std::uint8_t, kGarpFrameBytes> gratuitous_arp(
    const core::MacAddress& sender, const core::IpAddress& address);

}  // namespace holdfast::vrrp
