#include "vrrp/doctor/cure.hpp"

#include <fmt/format.h>

namespace holdfast::vrrp::doctor {
namespace {

/// So many addresses of a list are written out.
constexpr std::size_t kAddressesTold = 10;

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Cure cure_of_list(const InstanceSettings& ours) {
  std::string keepalived = "virtual_ipaddress {";
  std::string frr;
  std::size_t told = 0;
  for (const VirtualAddress& each : ours.addresses) {
    if (told++ == kAddressesTold) break;
    const std::string address = each.prefix.address.to_string();
    keepalived += " " + address;
    frr += fmt::format("{}vrrp {} {} {}", frr.empty() ? "" : "; ", ours.vrid,
                       ours.family == core::Family::v4 ? "ip" : "ipv6", address);
  }
  if (ours.addresses.size() > kAddressesTold) keepalived += " …";
  return {keepalived + " }", frr};
}

Cure cure_of_authentication(const InstanceSettings& ours) {
  switch (ours.authentication.type) {
    case AuthenticationType::none:
      return {"remove its authentication block", "nothing to do: FRR has no authentication"};
    case AuthenticationType::simple_password:
      return {"authentication { auth_type PASS auth_pass … }",
              "not possible: FRR has no authentication, remove the block on the other side"};
    case AuthenticationType::header:
      return {"authentication { auth_type AH auth_pass … }",
              "not possible: FRR has no authentication, remove the block on the other side"};
  }
  return {};
}

Cure cure_of_error(DecodeError error, const InstanceSettings& ours, std::uint8_t free_number) {
  switch (error) {
    case DecodeError::bad_version:
      return {fmt::format("version {}", ours.version),
              fmt::format("vrrp {} version {}", ours.vrid, ours.version)};
    case DecodeError::carp:
      return {fmt::format("virtual_router_id {} (or ucarp --vhid={})", free_number, free_number),
              fmt::format("no vrrp {}; vrrp {} version {}", ours.vrid, free_number, ours.version)};
    case DecodeError::no_interval:
      return {fmt::format("advert_int {:g}", seconds_of(ours.advert_interval)),
              fmt::format("vrrp {} advertisement-interval {}", ours.vrid,
                          ours.advert_interval / std::chrono::milliseconds(1))};
    case DecodeError::no_addresses:
      return cure_of_list(ours);
    case DecodeError::bad_checksum:  // of no form
    case DecodeError::truncated:
    case DecodeError::not_ipv4:
    case DecodeError::not_vrrp:
    case DecodeError::fragmented:
    case DecodeError::bad_type:
    case DecodeError::bad_length:
    case DecodeError::bad_ah:
      break;  // no word of a configuration makes these
  }
  return {};
}

Cure cure_of_objection(Objection objection, const Sighting& theirs, const InstanceSettings& ours) {
  switch (objection) {
    case Objection::bad_ttl:
      return {"unicast_peer { … } on both, or put both on one link",
              "not possible: FRR speaks to its own link only"};
    case Objection::bad_destination:
      if (ours.unicast) return {"unicast_peer { … } with our address", "not possible: only groups"};
      return {fmt::format("vrrp_mcast_group{} {}, and no unicast_peer",
                          ours.family == core::Family::v4 ? 4 : 6, ours.key().channel.to_string()),
              "nothing to do: FRR knows the standard group only"};
    case Objection::own_source:
    case Objection::duplicate_address:
      return {fmt::format("give one host another address than {}", theirs.source.to_string()), ""};
    case Objection::unknown_peer:
      return {fmt::format("here: unicast_peer {{ {} }}", theirs.source.to_string()), ""};
    case Objection::interval_mismatch:
      return {fmt::format("advert_int {:g}", seconds_of(ours.advert_interval)),
              fmt::format("vrrp {} advertisement-interval {}", ours.vrid,
                          ours.advert_interval / std::chrono::milliseconds(1))};
    case Objection::authentication_type:
      return cure_of_authentication(ours);
    case Objection::authentication_data:
    case Objection::ah_invalid:
      return {"the same auth_pass on both", ""};
    case Objection::hmac_missing:
    case Objection::hmac_unknown_key:
    case Objection::hmac_invalid:
      return {"the same auth_hmac { … } on both",
              "not possible: FRR has no authentication, remove the block on the other side"};
    case Objection::hmac_malformed:
      return {"keepalived 2.4.2 or later: the forms before it are others", ""};
    case Objection::hmac_stale:
      return {"set the clocks of both by NTP, or a larger time_window", ""};
    case Objection::owner_ignores:
      return {"priority 254, or less", fmt::format("vrrp {} priority 254", ours.vrid)};
    case Objection::address_list:
      return cure_of_list(ours);
    case Objection::first_address:
      return {"virtual_ipaddress { fe80::… first, then the others }",
              fmt::format("vrrp {} ipv6 fe80::…", ours.vrid)};
    case Objection::ah_replay:
    case Objection::hmac_replay:
    case Objection::unknown_vrid:
    case Objection::second_master:
      break;  // no fault of what it sends
  }
  return {};
}

}  // namespace

Cure cure_of(RejectReason reason, const Sighting& theirs, const InstanceSettings& ours,
             std::uint8_t free_number) {
  if (reason.index() < RejectReason::kDecodeErrors)
    return cure_of_error(static_cast<DecodeError>(reason.index()), ours, free_number);
  return cure_of_objection(static_cast<Objection>(reason.index() - RejectReason::kDecodeErrors),
                           theirs, ours);
}

Cure cure_of_form(ChecksumForm wanted, std::uint16_t number) {
  if (wanted == ChecksumForm::without_pseudo_header)
    return {"v3_checksum_as_v2", fmt::format("no vrrp {} checksum-with-ipv4-pseudoheader", number)};
  return {"no v3_checksum_as_v2", fmt::format("vrrp {} checksum-with-ipv4-pseudoheader", number)};
}

}  // namespace holdfast::vrrp::doctor
