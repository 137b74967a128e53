// keepalived's `auth_type AH`: VRRPv2 over IPv4 behind an IP Authentication Header [RFC 2402] with
// HMAC-MD5-96 [RFC 2403]. As bytes; pure. It covers the IP header, too, but for what routers may
// change; keepalived counts the TTL to that between unicast peers only.
#pragma once

#include "vrrp/core/codec.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::vrrp {

inline constexpr std::uint8_t kIpProtocolAh = 51;  ///< RFC 2402 §2.
inline constexpr std::size_t kAhBytes = 24;        ///< Of the header.

using AhKey = std::array<std::uint8_t, kAuthenticationBytes>;
using AhProof = std::array<std::uint8_t, 12>;  ///< RFC 2403 §2: the first 96 bits.

/// What it covers of the IPv4 header.
struct AhScope {
  IpAddress source;
  IpAddress destination;
  std::uint16_t identification = 0;
  std::uint8_t ttl = 255;  ///< That it was sent with; between unicast peers it does not count.
};

struct AhHeader {
  std::uint32_t index = 0;     ///< Security Parameters Index: keepalived's is the source address.
  std::uint32_t sequence = 0;  ///< Counts up from 1.
  AhProof proof{};
};

/// The header and what follows it.
struct AhPacket {
  AhHeader header;
  std::span<const std::uint8_t> payload;
};

/// Reads what follows the IP header. DecodeError::bad_ah: no VRRP behind it, or another algorithm.
[[nodiscard]] Decoded<AhPacket> decode_ah(std::span<const std::uint8_t> bytes);

/// What its proof must be under this key.
[[nodiscard]] AhProof ah_proof(const AhPacket& packet, const AhScope& scope, const AhKey& key);

/// Puts the header, proof included, before an advert.
void put_ah(std::vector<std::uint8_t>& advert, std::uint32_t sequence, const AhScope& scope,
            const AhKey& key);

/// RFC 1982: 0 comes before everything, and 1 after 2^32 - 1.
[[nodiscard]] constexpr bool is_after(std::uint32_t one, std::uint32_t other) {
  return other == 0 ? one != 0 : static_cast<std::int32_t>(one - other) > 0;
}
/// The next number of a sender; never 0.
[[nodiscard]] constexpr std::uint32_t number_after(std::uint32_t sequence) {
  return sequence + 1 == 0 ? 1 : sequence + 1;
}

}  // namespace holdfast::vrrp
