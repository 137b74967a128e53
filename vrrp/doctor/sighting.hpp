// One frame of the wire, read for the doctor: who sends what. VRRP in every version, CARP and HSRP;
// whatever comes is either read or not ours to speak of. Pure.
#pragma once

#include "core/mac_address.hpp"
#include "vrrp/core/codec.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::vrrp::doctor {

inline constexpr std::uint8_t kIpProtocolUdp = 17;
inline constexpr std::uint16_t kHsrpPort = 1985;    ///< RFC 2281 §5.1, to 224.0.0.2 or .102.
inline constexpr std::uint16_t kHsrpV6Port = 2029;  ///< To ff02::66.

/// What whoever listens has: the packet from its IP header on.
struct Frame {
  std::string interface;
  core::MacAddress mac;  ///< Of the sender.
  bool is_ours = false;  ///< Sent by this host.
  std::span<const std::uint8_t> packet;
};

enum class Protocol : std::uint8_t { vrrp, carp, hsrp };
[[nodiscard]] std::string_view to_string(Protocol protocol);

/// What one packet says. Members that its protocol does not have are as made.
struct Sighting {
  std::string interface;
  core::MacAddress mac;
  bool is_ours = false;
  core::Family family = core::Family::v4;
  IpAddress source;
  IpAddress destination;
  std::uint8_t hop_limit = 0;
  bool dont_fragment = false;        ///< IPv4.
  std::uint16_t identification = 0;  ///< IPv4.
  Protocol protocol = Protocol::vrrp;
  std::uint8_t version = 0;
  std::uint16_t number = 0;   ///< virtual_router_id, vhid, or group of HSRP.
  std::uint8_t priority = 0;  ///< CARP: advskew, where less is better.
  Duration interval{};
  bool has_ah = false;       ///< Behind an authentication header.
  bool has_trailer = false;  ///< keepalived's auth_hmac: 28 bytes behind the advert.
  /// What decode_advert makes of the payload.
  std::optional<DecodeError> fault = {};
  Advert advert;                      ///< VRRP without a fault.
  std::vector<IpAddress> addresses;   ///< Virtual ones.
  std::vector<std::uint8_t> payload;  ///< Of VRRP: for the checks of an instance.
};

/// nullopt: nothing of the three protocols, or too short to say whose it is.
[[nodiscard]] std::optional<Sighting> read_frame(const Frame& frame);

}  // namespace holdfast::vrrp::doctor
