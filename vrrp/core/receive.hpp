// Which received packets an instance may act on: the checks of RFC 3768 §7.1 and what practice
// added. Pure functions. Called by the driver for every packet. Every reason is counted (RFC 6527),
// most are reported, none changes a state.
#pragma once

#include "vrrp/core/codec.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::vrrp {

/// Why a packet was not used (or, for the last one, was used with a remark). The first ten are
/// DecodeError's.
enum class RejectReason : std::uint8_t {
  truncated,
  not_ipv4,
  not_vrrp,
  fragmented,
  carp,
  bad_version,
  bad_type,
  no_addresses,
  bad_length,
  bad_checksum,
  bad_ttl,              ///< TTL below InstanceSettings::minimum_ttl: it came through a router.
  bad_destination,      ///< Not to 224.0.0.18.
  own_source,           ///< From our own address: our echo, or a duplicate of our address.
  unknown_vrid,         ///< Another virtual router's; ignored in silence, counted per interface.
  interval_mismatch,    ///< VRRPv2 peers must agree on the interval, RFC 3768 §7.1.
  authentication_type,  ///< The peer's type differs from ours.
  authentication_data,  ///< Same type, other password.
  owner_ignores,        ///< We are the owner and OwnerReceive::discard is set.
  address_list,  ///< Other addresses than ours: dropped or only remarked, see AddressListPolicy.
};
inline constexpr std::size_t kRejectReasons = 19;
/// Name for counters and JSON, "bad_checksum".
[[nodiscard]] std::string_view to_string(RejectReason reason);
[[nodiscard]] RejectReason to_reject_reason(DecodeError error);

/// Reason → how often.
struct RejectCounters {
  std::array<std::uint64_t, kRejectReasons> by_reason{};
  void add(RejectReason reason) { ++by_reason[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t operator[](RejectReason reason) const {
    return by_reason[static_cast<std::size_t>(reason)];
  }
  bool operator==(const RejectCounters&) const = default;
};

/// A packet that the state machine shall see.
struct Accepted {
  Advert advert;
  IpAddress source;
  bool address_list_differs = false;
};
/// A packet that it shall not see.
struct Rejected {
  RejectReason reason{};
  IpAddress source;      ///< 0.0.0.0 when not even that could be read.
  std::string sentence;  ///< For the operator: what differs, ours and theirs, and what to do.
};

/// Virtual router id of a packet whose IPv4 header is fine; nullopt when it is too short to have
/// one. Nothing else is checked: packets of other virtual routers are none of our business, however
/// odd.
[[nodiscard]] std::optional<std::uint8_t> peek_vrid(const Ipv4Packet& packet);

/// All checks for one instance, in the order: TTL, structure and checksum (decode_advert),
/// destination, source, interval, authentication, owner rule, address list. `own_address` is what
/// this instance sends from (nullopt: no address now).
[[nodiscard]] std::variant<Accepted, Rejected> check_advert(
    const Ipv4Packet& packet, const InstanceSettings& settings,
    const std::optional<IpAddress>& own_address);

}  // namespace holdfast::vrrp
