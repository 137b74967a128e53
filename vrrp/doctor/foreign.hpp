// The protocols that share VRRP's segment or even its number: CARP (OpenBSD, pfSense, OPNsense,
// ucarp) and HSRP (Cisco). Read only as far as the doctor speaks of them. Pure.
#pragma once

#include "core/ip_address.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::vrrp::doctor {

/// netinet/ip_carp.h of OpenBSD, version 2.
struct CarpAdvert {
  std::uint8_t vhid = 0;
  std::uint8_t advskew = 0;   ///< The lowest is master.
  core::Duration interval{};  ///< advbase seconds and advskew/256.
};
/// `payload`: behind the IP header, protocol 112.
[[nodiscard]] std::optional<CarpAdvert> read_carp(std::span<const std::uint8_t> payload);

/// Of RFC 2281 (version 1) or Cisco's version 2.
struct HsrpHello {
  std::uint8_t version = 1;
  std::uint16_t group = 0;
  std::uint8_t priority = 0;  ///< Version 2 has 32 bits of it; what is more than 255 reads as 255.
  core::Duration hello{};
  core::IpAddress address;  ///< The virtual one; unspecified when the router has none yet.
};
/// `datagram`: behind the UDP header.
[[nodiscard]] std::optional<HsrpHello> read_hsrp(std::span<const std::uint8_t> datagram);

}  // namespace holdfast::vrrp::doctor
