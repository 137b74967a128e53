// The IP header of a packet as it was on the wire, of both families. Pure.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::vrrp::doctor {

struct IpPacket {
  core::Family family = core::Family::v4;
  core::IpAddress source;
  core::IpAddress destination;
  std::uint8_t hop_limit = 0;
  std::uint8_t protocol =
      0;  ///< IPv6: of the first next header; none of ours has others before it.
  bool dont_fragment = false;
  std::uint16_t identification = 0;
  std::span<const std::uint8_t> payload;  ///< Without Ethernet's padding.
};

/// nullopt: no whole IP packet (a fragment is none).
[[nodiscard]] std::optional<IpPacket> read_ip(std::span<const std::uint8_t> packet);

}  // namespace holdfast::vrrp::doctor
