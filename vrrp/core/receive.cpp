#include "vrrp/core/receive.hpp"

#include "core/hmac.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/authenticity.hpp"
#include "vrrp/core/sentences.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

/// Which value each form would have wanted. Not in version 2, where it would tell something about
/// the password.
std::string describe_checksum(const Received& packet, const InstanceSettings& settings) {
  if (settings.version == 2) return "sends a wrong checksum: damaged on the way";
  const Envelope envelope{settings.version, packet.source, packet.destination};
  const int seen = packet.payload[6] << 8 | packet.payload[7];
  const std::uint16_t usual =
      expected_checksum(packet.payload, envelope, ChecksumForm::with_pseudo_header);
  if (packet.family == core::Family::v6)
    return fmt::format(
        "sends the checksum {:04x} where {:04x} is right: damaged, or its addresses were changed "
        "on the way",
        seen, usual);
  return fmt::format(
      "sends the checksum {:04x} where {:04x} (with pseudo header) or {:04x} (without) is right: "
      "damaged, or its addresses were changed on the way",
      seen, usual,
      expected_checksum(packet.payload, envelope, ChecksumForm::without_pseudo_header));
}

std::string describe(DecodeError error, const Received& packet, const InstanceSettings& settings) {
  const auto byte = [&packet](std::size_t i) {
    return i < packet.payload.size() ? packet.payload[i] : 0;
  };
  switch (error) {
    case DecodeError::truncated:
      return fmt::format("sends {} bytes, too few for an advert", packet.payload.size());
    case DecodeError::carp:
      return fmt::format(
          "speaks CARP with vhid {}: give one of the two another id, they share protocol and MAC "
          "address",
          byte(1));
    case DecodeError::bad_version:
      return fmt::format(
          "speaks VRRP version {}, we speak {}: both of you will be master until one changes "
          "'version' (keepalived also: vrrp_version)",
          byte(0) >> 4, settings.version);
    case DecodeError::bad_type:
      return fmt::format("sends VRRP type {}, only 1 exists", byte(0) & 0x0f);
    case DecodeError::no_addresses:
      return "advertises no address at all, which means nothing: give it a virtual_ipaddress";
    case DecodeError::bad_length:
      if (settings.version == 2 && packet.payload.size() == kAdvertHeaderBytes + 4U * byte(3))
        return "leaves out the 8 bytes of authentication data that end every advert of version 2: "
               "send them, zeros if there is no password";
      return fmt::format("claims {} addresses but sends only {} bytes", byte(3),
                         packet.payload.size());
    case DecodeError::no_interval:
      return "advertises an interval of 0, which nobody may use: set its advert_int to 0.01 or "
             "more";
    case DecodeError::bad_checksum:
      return describe_checksum(packet, settings);
    case DecodeError::not_ipv4:
    case DecodeError::not_vrrp:
    case DecodeError::fragmented:
    case DecodeError::bad_ah:
      break;  // found by io, before there is a sender to speak of
  }
  return std::string(to_string(error));
}

bool same_addresses(std::span<const IpAddress> received, const AddressList& ours) {
  if (received.size() != ours.size()) return false;
  const auto same = [](const IpAddress& a, const VirtualAddress& b) {
    return a == b.prefix.address;
  };
  if (std::equal(received.begin(), received.end(), ours.begin(), same))
    return true;  // the usual case
  std::vector<IpAddress> theirs(received.begin(), received.end());
  std::vector<IpAddress> sorted;
  sorted.reserve(ours.size());
  for (const VirtualAddress& address : ours) sorted.push_back(address.prefix.address);
  std::sort(sorted.begin(), sorted.end());
  std::sort(theirs.begin(), theirs.end());
  return theirs == sorted;
}

std::string_view ttl_word(const Received& packet) {
  return packet.family == core::Family::v4 ? "TTL" : "hop limit";
}

const UnicastPeer* peer_at(const Unicast& unicast, const IpAddress& address) {
  const auto found = std::find_if(unicast.peers.begin(), unicast.peers.end(),
                                  [&](const UnicastPeer& peer) { return peer.address == address; });
  return found == unicast.peers.end() ? nullptr : &*found;
}

/// Between peers any distance will do unless the peer has a window: keepalived, and IPv6 of
/// keepalived arrives with 64.
std::optional<Argument> object_to_ttl(const Received& packet, const InstanceSettings& settings) {
  if (!settings.unicast) {
    if (packet.hop_limit >= settings.minimum_ttl) return std::nullopt;
    return Argument{Objection::bad_ttl,
                    fmt::format("sends with {} {}, at least {} is required: it is not on this link "
                                "but behind a router, which needs unicast_peer",
                                ttl_word(packet), packet.hop_limit, settings.minimum_ttl)};
  }
  const UnicastPeer* peer = peer_at(*settings.unicast, packet.source);
  if (peer == nullptr || (packet.hop_limit >= peer->min_ttl && packet.hop_limit <= peer->max_ttl))
    return std::nullopt;
  return Argument{Objection::bad_ttl,
                  fmt::format("arrives with {} {}, allowed are {} to {} (min_ttl, max_ttl of this "
                              "peer)",
                              ttl_word(packet), packet.hop_limit, peer->min_ttl, peer->max_ttl)};
}

std::string wrong_destination(const Received& packet, const InstanceSettings& settings,
                              const std::optional<IpAddress>& own) {
  const std::string theirs = packet.destination.to_string();
  if (!settings.unicast && packet.destination.is_multicast())
    return fmt::format(
        "sends to the group {}, ours is {}: write the same vrrp_mcast_group{} on both", theirs,
        settings.channel().to_string(), packet.family == core::Family::v4 ? 4 : 6);
  if (!settings.unicast)
    return fmt::format("sends to {} instead of the group {}: is it configured for unicast?", theirs,
                       settings.channel().to_string());
  const std::string ours = own ? own->to_string() : "(there is none now)";
  if (packet.destination.is_multicast())
    return fmt::format("sends to {} instead of our address {}: is it configured for multicast?",
                       theirs, ours);
  return fmt::format("sends to {} instead of our address {}: write ours in its unicast_peer",
                     theirs, ours);
}

bool is_for_us(const Received& packet, const InstanceSettings& settings,
               const std::optional<IpAddress>& own) {
  if (!settings.unicast) return packet.destination == settings.channel();
  return packet.destination == own || hears_at_any_address(settings, packet);
}

/// The priority is not compared: it moves. A twin with our very configuration looks like our echo.
Argument of_our_address(const Advert& advert, const InstanceSettings& settings) {
  Advert ours = make_advert(settings, advert.priority);
  ours.checksum = advert.checksum;
  if (advert != ours) return {Objection::duplicate_address, duplicate_address()};
  return {
      Objection::own_source,
      "sends our own adverts from our own address: the network returns them (a loop, a mirrored "
      "port, a bond without LACP), or a second host runs a copy of this configuration with this "
      "address"};
}

std::optional<Argument> object_to_envelope(const Received& packet, const Advert& advert,
                                           const InstanceSettings& settings,
                                           const std::optional<IpAddress>& own) {
  if (!is_for_us(packet, settings, own)) {
    return Argument{Objection::bad_destination, wrong_destination(packet, settings, own)};
  }
  if (packet.source == own) return of_our_address(advert, settings);
  if (settings.unicast && settings.unicast->senders == Senders::listed &&
      peer_at(*settings.unicast, packet.source) == nullptr) {
    return Argument{
        Objection::unknown_peer,
        "is no unicast_peer of this instance, and check_unicast_src is set: list it, or "
        "find out who speaks with this virtual_router_id"};
  }
  return std::nullopt;
}

/// Version 3 has neither: a backup learns the master's interval.
std::optional<Argument> object_to_version_2(const Advert& advert,
                                            const InstanceSettings& settings) {
  if (advert.interval != settings.advert_interval) {
    return Argument{
        Objection::interval_mismatch,
        fmt::format(
            "advertises every {} s, we every {:g} s: VRRPv2 peers must agree or all become master, "
            "write the same advert_int",
            advert.interval / std::chrono::seconds(1),
            std::chrono::duration<double>(settings.advert_interval).count())};
  }
  const auto own_type = static_cast<std::uint8_t>(settings.authentication.type);
  if (advert.authentication_type != own_type) {
    return Argument{Objection::authentication_type,
                    fmt::format("uses authentication type {}, we use {} (0 none, 1 password, 2 AH)",
                                advert.authentication_type, own_type)};
  }
  if (settings.authentication.type == AuthenticationType::simple_password &&
      !core::equal_in_constant_time(advert.authentication_data, settings.authentication.data)) {
    return Argument{Objection::authentication_data,
                    "uses another password: all of you will be master until auth_pass is the same"};
  }
  return std::nullopt;
}

std::optional<Argument> object_to_content(const Advert& advert, const InstanceSettings& settings) {
  if (settings.version == 2) {
    if (auto objection = object_to_version_2(advert, settings)) return objection;
  }
  if (settings.priority == kOwnerPriority && settings.owner_receive == OwnerReceive::discard) {
    return Argument{
        Objection::owner_ignores,
        fmt::format("advertises priority {} for addresses that we own", advert.priority)};
  }
  return std::nullopt;
}

}  // namespace

bool hears_at_any_address(const InstanceSettings& settings, const Received& packet) {
  return settings.is_routed() && !settings.source_address && settings.unicast &&
         !packet.destination.is_multicast() && peer_at(*settings.unicast, packet.source) != nullptr;
}

std::string_view to_string(Objection objection) {
  switch (objection) {
    case Objection::bad_ttl:
      return "bad_ttl";
    case Objection::bad_destination:
      return "bad_destination";
    case Objection::own_source:
      return "own_source";
    case Objection::duplicate_address:
      return "duplicate_address";
    case Objection::unknown_peer:
      return "unknown_peer";
    case Objection::unknown_vrid:
      return "unknown_vrid";
    case Objection::interval_mismatch:
      return "interval_mismatch";
    case Objection::authentication_type:
      return "authentication_type";
    case Objection::authentication_data:
      return "authentication_data";
    case Objection::ah_invalid:
      return "ah_invalid";
    case Objection::ah_replay:
      return "ah_replay";
    case Objection::hmac_missing:
      return "auth_ext_missing";  // as keepalived 2.4 calls these six
    case Objection::hmac_malformed:
      return "auth_ext_malformed";
    case Objection::hmac_unknown_key:
      return "auth_ext_unknown_key";
    case Objection::hmac_invalid:
      return "auth_ext_invalid_hmac";
    case Objection::hmac_stale:
      return "auth_ext_stale";
    case Objection::hmac_replay:
      return "auth_ext_replay";
    case Objection::owner_ignores:
      return "owner_ignores";
    case Objection::address_list:
      return "address_list";
    case Objection::first_address:
      return "first_address";
    case Objection::second_master:
      return "second_master";
  }
  return "unknown";
}

std::string_view to_string(RejectReason reason) {
  return reason.index() < RejectReason::kDecodeErrors
             ? to_string(static_cast<DecodeError>(reason.index()))
             : to_string(static_cast<Objection>(reason.index() - RejectReason::kDecodeErrors));
}

std::optional<RejectReason> reason_named(std::string_view name) {
  for (std::size_t i = 0; i < RejectReason::kCount; ++i) {
    if (to_string(RejectReason::at(i)) == name) return RejectReason::at(i);
  }
  return std::nullopt;
}

std::optional<std::uint8_t> peek_vrid(std::span<const std::uint8_t> payload) {
  if (payload.size() < 2) return std::nullopt;
  return payload[1];
}

Decoded<std::span<const std::uint8_t>> advert_in(const Received& packet) {
  if (packet.protocol != kIpProtocolAh) return packet.payload;
  const auto behind = decode_ah(packet.payload);
  if (behind.has_error()) return behind.error();
  return behind->payload;
}

std::variant<Accepted, Rejected> check_advert(const Received& packet,
                                              const InstanceSettings& settings,
                                              const std::optional<IpAddress>& own_address,
                                              const ProofContext& context) {
  const auto reject = [&packet](RejectReason reason, std::string sentence,
                                std::uint32_t ah_sequence = 0) {
    return Rejected{reason, packet.source, std::move(sentence), ah_sequence};
  };

  if (auto objection = object_to_ttl(packet, settings)) {
    return reject(objection->objection, std::move(objection->sentence));
  }
  const auto inner = advert_in(packet);
  if (inner.has_error()) return reject(inner.error(), std::string(to_string(inner.error())));
  auto decoded = decode_advert(*inner, {settings.version, packet.source, packet.destination});
  if (decoded.has_error()) {
    Received advert = packet;
    advert.payload = *inner;
    return reject(decoded.error(), describe(decoded.error(), advert, settings));
  }
  if (auto objection = object_to_envelope(packet, *decoded, settings, own_address)) {
    return reject(objection->objection, std::move(objection->sentence));
  }
  auto proven = prove(packet, *inner, settings, context);
  if (auto* objection = std::get_if<Argument>(&proven)) {
    return reject(objection->objection, std::move(objection->sentence), objection->ah_sequence);
  }
  if (auto objection = object_to_content(*decoded, settings)) {
    return reject(objection->objection, std::move(objection->sentence));
  }

  const bool differs = !same_addresses(decoded->addresses, settings.addresses);
  if (differs && settings.address_list_policy == AddressListPolicy::drop_unless_sender_owner &&
      decoded->priority != kOwnerPriority) {
    return reject(Objection::address_list,
                  "advertises other addresses than ours and does not own them");
  }
  return Accepted{std::move(*decoded), packet.source, differs, std::get<Proof>(proven)};
}

}  // namespace holdfast::vrrp
