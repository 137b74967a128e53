// Which received packets an instance may act on: the checks of RFC 3768 §7.1, RFC 9568 §7.1 and
// what practice added. Pure functions. Called by the driver for every packet. Every reason is
// counted (RFC 6527), most are reported, none changes a state.
#pragma once

#include "core/rare.hpp"
#include "vrrp/core/codec.hpp"
#include "vrrp/core/proof.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::vrrp {

/// Why a well-formed advert was not used; the last three are remarks about one that was.
enum class Objection : std::uint8_t {
  bad_ttl,              ///< TTL below InstanceSettings::minimum_ttl, or out of a peer's window.
  bad_destination,      ///< Neither to our group nor, with unicast peers, to our address.
  own_source,           ///< From our own address, and such as we send: our echo.
  duplicate_address,    ///< From our own address, but not ours: a second host has it.
  unknown_peer,         ///< From no unicast_peer, while check_unicast_src is set.
  unknown_vrid,         ///< Another virtual router's; ignored in silence, counted per interface.
  interval_mismatch,    ///< VRRPv2 peers must agree on the interval, RFC 3768 §7.1.
  authentication_type,  ///< The peer's type differs from ours.
  authentication_data,  ///< Same type, other password.
  ah_invalid,           ///< AH: its proof is not what it must be under our key.
  ah_replay,            ///< AH: a number that has been used.
  hmac_missing,         ///< auth_hmac: not signed.
  hmac_malformed,       ///< auth_hmac: a trailer of another scheme.
  hmac_unknown_key,     ///< auth_hmac: signed with a key number that we do not have.
  hmac_invalid,         ///< auth_hmac: not signed with our key of this number.
  hmac_stale,           ///< auth_hmac: signed too long ago, or in the future.
  hmac_replay,          ///< auth_hmac: not later than the last one of its sender.
  owner_ignores,        ///< We are the owner and OwnerReceive::discard is set.
  address_list,   ///< Other addresses than ours: dropped or only remarked, see AddressListPolicy.
  first_address,  ///< IPv6: its first address is not link-local, RFC 9568 erratum 8300.
  second_master,  ///< A weaker one advertises although we are master: it does not hear us.
};
[[nodiscard]] std::string_view to_string(Objection objection);

/// Everything that is counted about received packets. RFC 6527 vrrpStatistics and practice.
class RejectReason {
 public:
  RejectReason() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): the one or the other is a reason.
  constexpr RejectReason(DecodeError error) : reason_(error) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr RejectReason(Objection objection) : reason_(objection) {}

  static constexpr std::size_t kDecodeErrors =
      static_cast<std::size_t>(DecodeError::bad_checksum) + 1;
  static constexpr std::size_t kCount =
      kDecodeErrors + static_cast<std::size_t>(Objection::second_master) + 1;

  /// Dense, from 0 to kCount - 1.
  [[nodiscard]] constexpr std::size_t index() const {
    const auto* error = std::get_if<DecodeError>(&reason_);
    return error != nullptr
               ? static_cast<std::size_t>(*error)
               : kDecodeErrors + static_cast<std::size_t>(std::get<Objection>(reason_));
  }
  /// The reverse of index().
  [[nodiscard]] static constexpr RejectReason at(std::size_t index) {
    if (index < kDecodeErrors) return static_cast<DecodeError>(index);
    return static_cast<Objection>(index - kDecodeErrors);
  }
  bool operator==(const RejectReason&) const = default;

 private:
  std::variant<DecodeError, Objection> reason_;
};
/// Name for counters and JSON, "bad_checksum".
[[nodiscard]] std::string_view to_string(RejectReason reason);
/// The reverse; nullopt: there is none of this name.
[[nodiscard]] std::optional<RejectReason> reason_named(std::string_view name);

/// Reason → how often. Most virtual routers never reject anything: room for the numbers is made for
/// the first.
class RejectCounters {
 public:
  void add(RejectReason reason) { ++by_reason_.ensure()[reason.index()]; }
  [[nodiscard]] std::uint64_t operator[](RejectReason reason) const {
    return by_reason_ ? (*by_reason_)[reason.index()] : 0;
  }
  bool operator==(const RejectCounters&) const = default;

 private:
  core::Rare<std::array<std::uint64_t, RejectReason::kCount>> by_reason_;
};

/// A packet as `io` hands it over: its headers are read and gone. The payload need only live for
/// the call.
struct Received {
  std::string_view interface;
  core::Family family = core::Family::v4;
  IpAddress source;
  IpAddress destination;
  std::uint8_t hop_limit = 0;  ///< IPv4: TTL.
  std::span<const std::uint8_t> payload;
  /// IPv4: kIpProtocolVrrp, or kIpProtocolAh; then the payload begins with that header …
  std::uint8_t protocol = kIpProtocolVrrp;
  std::uint16_t identification = 0;  ///< … which covers this field of the IPv4 header, too.
};

/// A packet that the state machine shall see.
struct Accepted {
  Advert advert;
  IpAddress source;
  bool address_list_differs = false;
  Proof proof = {};
};
/// A packet that it shall not see.
struct Rejected {
  RejectReason reason{};
  IpAddress source;
  std::string sentence;  ///< For the operator: what differs, ours and theirs, and what to do.
  std::uint32_t ah_sequence = 0;  ///< ah_replay: its number.
};

/// Virtual router id of a packet; nullopt when it is too short to have one. Nothing else is
/// checked: packets of other virtual routers are none of our business, however odd.
[[nodiscard]] std::optional<std::uint8_t> peek_vrid(std::span<const std::uint8_t> payload);
/// What follows the authentication header, or the whole payload of a packet without one.
[[nodiscard]] Decoded<std::span<const std::uint8_t>> advert_in(const Received& packet);

/// Without an interface and a written source, the source follows the routes, and peers know the
/// former one: what one of them sends to whatever address of this host is meant.
[[nodiscard]] bool hears_at_any_address(const InstanceSettings& settings, const Received& packet);

/// All checks for one instance, in the order: TTL, structure and checksum (decode_advert),
/// destination, source, peers, proof of origin (AH, signature), interval, authentication, owner
/// rule, address list. `own_address` is what this instance sends from (nullopt: no address now).
[[nodiscard]] std::variant<Accepted, Rejected> check_advert(
    const Received& packet, const InstanceSettings& settings,
    const std::optional<IpAddress>& own_address, const ProofContext& context = {});

}  // namespace holdfast::vrrp
