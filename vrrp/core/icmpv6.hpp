// The checksum of ICMPv6 messages, RFC 4443 §2.3. Pure.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <span>

namespace holdfast::vrrp {

/// RFC 8200 §4, IANA protocol numbers.
inline constexpr std::uint8_t kIcmpv6 = 58;

/// Over a pseudo header and the message, whose own checksum is 0.
[[nodiscard]] std::uint16_t icmpv6_checksum(const core::IpAddress& source,
                                            const core::IpAddress& destination,
                                            std::span<const std::uint8_t> message);

}  // namespace holdfast::vrrp
