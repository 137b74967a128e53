// Unsolicited neighbour advertisements as bytes: what gratuitous ARP is for IPv4.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"

#include <array>
#include <cstdint>

namespace holdfast::vrrp {

/// Ethernet header, IPv6 header, neighbour advertisement with one option.
inline constexpr std::size_t kNaFrameBytes = 14 + 40 + 24 + 8;

/// The Router flag of RFC 4861 §4.4: the sender forwards packets.
enum class ForwardsPackets : std::uint8_t { no, yes };

/// A complete Ethernet frame to all nodes (ff02::1), from the address itself, with the Override
/// flag: the form keepalived sends. RFC 4861 §7.2.6. `address` must be IPv6.
[[nodiscard]] std::array<std::uint8_t, kNaFrameBytes> unsolicited_na(const core::MacAddress& sender,
                                                                     const core::IpAddress& address,
                                                                     ForwardsPackets forwards);

}  // namespace holdfast::vrrp
