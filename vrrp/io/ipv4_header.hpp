// The IPv4 header around an advert, as bytes. Pure; used by the advert socket, whose raw socket
// delivers it and wants it, and by tests that make packets.
#pragma once

#include "vrrp/core/action.hpp"
#include "vrrp/core/codec.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::vrrp {

/// What we send; received headers may carry options. RFC 791 §3.1. Unit: bytes.
inline constexpr std::size_t kIpv4HeaderBytes = 20;

/// Splits what a raw socket delivers: source, destination, TTL and payload, the latter limited by
/// the header's total length (trailing Ethernet padding is cut off). Options (IHL > 5) are skipped;
/// the IP checksum was the kernel's business. The interface is the caller's to fill in.
[[nodiscard]] Decoded<Received> decode_ipv4(std::span<const std::uint8_t> packet);

/// Appends IPv4 header (TOS 0xc0, DF clear, checksum filled) and payload of one letter: a packet
/// for an IP_HDRINCL socket.
void encode_ipv4(const Departure& departure, const Letter& letter, std::uint16_t identification,
                 std::vector<std::uint8_t>& out);

}  // namespace holdfast::vrrp
