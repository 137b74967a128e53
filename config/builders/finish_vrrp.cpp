// What the words of a vrrp_instance decide together.
#include "config/builders/vrrp_draft.hpp"
#include "config/started.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

using Draft = InstanceDraft;

constexpr std::uint8_t kOwner = 255;
constexpr std::size_t kMostAddresses = 255;  // RFC 5798 §5.2.5: Count IPvX Addr is one byte
constexpr core::Duration kCentisecond = std::chrono::milliseconds(10);
constexpr core::Duration kLongestV3Interval = 4095 * kCentisecond;  // RFC 5798 §5.2.7: 12 bits

// Half a unit rounds up; never less than one unit.
core::Duration rounded(core::Duration value, core::Duration unit) {
  return std::max((value + unit / 2) / unit * unit, unit);
}

const char* family_word(core::Family family) {
  return family == core::Family::v4 ? "IPv4" : "IPv6";
}

// An IPv6 link-local address means nothing without its link.
bool needs_link(const VrrpInstance& instance) {
  const auto is_local = [](const core::IpAddress& address) { return address.is_link_local(); };
  return instance.unicast_peers.empty() ||
         (instance.family == core::Family::v6 &&
          ((instance.mcast_src_ip && is_local(*instance.mcast_src_ip)) ||
           std::ranges::any_of(instance.unicast_peers, is_local, &UnicastPeer::address)));
}

// keepalived: adverts to peers need no interface, the routes decide; `default_interface` is only
// that of the addresses then.
void finish_interface(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft;
  if (mentions(args.context(), args.statement(), "interface") || needs_link(instance)) {
    if (!instance.vrf.empty() && !instance.interface.empty())
      args.context().reporter.hint(
          args.value(0).range,
          fmt::format("'vrf' of vrrp_instance '{}' changes nothing: its adverts are in the VRF "
                      "that its interface is in",
                      instance.name),
          "remove 'vrf', or 'interface' between unicast peers");
    return;
  }
  instance.interface.clear();
  if (!instance.vmac) return;
  args.context().reporter.warning(draft.vmac_at,
                                  "a virtual interface needs one below it: this is left out",
                                  "add 'interface', or remove this");
  instance.vmac.reset();
}

bool finish_required(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft;
  const bool needs_interface = instance.interface.empty() && needs_link(instance);
  if (needs_interface && !mentions(args.context(), args.statement(), "interface")) {
    args.context().reporter.error(
        args.value(0).range, fmt::format("vrrp_instance '{}' has no 'interface'", instance.name),
        "add the interface that carries the adverts, such as 'interface eth0'");
  }
  if (instance.virtual_router_id == 0 &&
      !mentions(args.context(), args.statement(), "virtual_router_id")) {
    args.context().reporter.error(
        args.value(0).range,
        fmt::format("vrrp_instance '{}' has no 'virtual_router_id'", instance.name),
        "add a number from 1 to 255, the same on all its directors");
  }
  return !needs_interface && instance.virtual_router_id != 0;
}

// keepalived: the first virtual address decides; without one, the source or the first peer.
void finish_family(Draft& draft) {
  VrrpInstance& instance = draft;
  if (!draft.first_family && instance.mcast_src_ip)
    draft.first_family = instance.mcast_src_ip->family();
  if (!draft.first_family && !instance.unicast_peers.empty())
    draft.first_family = instance.unicast_peers.front().address.family();
  instance.family = draft.first_family.value_or(core::Family::v4);
}

void drop_other_family(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  std::vector<VirtualAddress> kept;
  for (std::size_t i = 0; i < instance.virtual_addresses.size(); ++i) {
    VirtualAddress& address = instance.virtual_addresses[i];
    if (address.prefix.address.family() == instance.family) {
      kept.push_back(std::move(address));
      continue;
    }
    reporter.warning(
        draft.addresses_at[i],
        fmt::format("this address is not held: the instance is {}, as its first address is",
                    family_word(instance.family)),
        "put it into virtual_ipaddress_excluded, or into an instance of its own");
  }
  instance.virtual_addresses = std::move(kept);
  std::vector<UnicastPeer> peers;
  for (const UnicastPeer& peer : instance.unicast_peers) {
    if (peer.address.family() == instance.family) {
      peers.push_back(peer);
      continue;
    }
    reporter.at(Severity::warning, peer.location,
                fmt::format("the peer {} is left out: the instance is {}", peer.address.to_string(),
                            family_word(instance.family)));
  }
  instance.unicast_peers = std::move(peers);
  if (!instance.mcast_src_ip || instance.mcast_src_ip->family() == instance.family) return;
  reporter.warning(draft.source_at,
                   fmt::format("this source address is left out: the instance is {}",
                               family_word(instance.family)));
  instance.mcast_src_ip.reset();
}

// Inherited, and left empty when it is the standard group: that is where Holdfast sends.
void finish_group(Draft& draft, const Globals& globals, Reporter& reporter) {
  std::optional<core::IpAddress>& group = draft.mcast_dst_ip;
  const core::Family family = draft.family;
  if (group && group->family() != family) {
    reporter.warning(draft.group_at, fmt::format("this group is left out: the instance is {}",
                                                 family_word(family)));
    group.reset();
  }
  if (!group) group = multicast_group(globals, family);
  const Globals standard;
  if (group == multicast_group(standard, family)) group.reset();
}

void finish_version(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  if (instance.family == core::Family::v4) return;
  if (instance.version == 2 && draft.version_at.length != 0)
    reporter.warning(draft.version_at, "VRRP over IPv6 is version 3: it is taken",
                     "write 'version 3'");
  instance.version = 3;
}

void finish_priority(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft;
  if (instance.state != InitialState::master ||
      mentions(args.context(), args.statement(), "priority"))
    return;
  instance.priority = kOwner;
  args.context().reporter.note(
      args.value(0).range,
      fmt::format("vrrp_instance '{}' has no 'priority': with 'state MASTER' it is 255, the owner "
                  "of the address",
                  instance.name));
}

// keepalived: what vrrp_strict and strict_mode leave of an instance.
void apply_strict_mode(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  const bool owner = instance.priority == kOwner;
  if (owner != (instance.state == InitialState::master)) {
    if (!owner) {
      reporter.warning(draft.state_at,
                       "strict mode takes 'state MASTER' with a priority below 255 for BACKUP",
                       "write 'state BACKUP'");
    }
    instance.state = owner ? InitialState::master : InitialState::backup;
  }
  if (instance.preempt_delay.count() != 0) {
    reporter.warning(draft.preempt_delay_at,
                     "'preempt_delay' does not work in strict mode and is ignored");
    instance.preempt_delay = core::Duration{0};
  }
  if (instance.vmac && (instance.vmac->mac || instance.vmac_xmit_base)) {
    reporter.warning(draft.vmac_at, "strict mode takes the standard MAC, and sends from it");
    instance.vmac->mac.reset();
  }
  instance.vmac_xmit_base = false;
  instance.garp.lower_prio_delay = core::Duration{0};
  instance.garp.lower_prio_repeat = 0;
  instance.lower_prio_no_advert = true;
  instance.down_timer_adverts = 3;
}

void finish_authentication(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  Authentication& authentication = instance.authentication;
  if (!draft.auth_at) return;
  const bool complete = authentication.type != AuthType::none && draft.has_password;
  if (!complete) {
    authentication = {};
    reporter.warning(*draft.auth_at,
                     draft.has_password
                         ? "'auth_pass' without 'auth_type': adverts go without authentication"
                         : "'authentication' without a password: adverts go without authentication",
                     draft.has_password ? "add 'auth_type PASS'" : "add 'auth_pass PASSWORD'");
  } else if (instance.version == 3 || instance.strict) {
    authentication = {};
    reporter.warning(*draft.auth_at,
                     fmt::format("{} has no passwords: adverts go without authentication, as in "
                                 "keepalived",
                                 instance.version == 3 ? "VRRP version 3" : "strict mode"),
                     "remove the block 'authentication'");
  } else if (authentication.type == AuthType::ah && instance.state == InitialState::master) {
    instance.state = InitialState::backup;
    reporter.warning(draft.state_at,
                     "'state MASTER' does not work with 'auth_type AH': BACKUP is "
                     "taken");
  }
}

// keepalived: an instance that starts as master, or owns the address, always preempts.
void finish_preemption(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  const bool master = instance.state == InitialState::master;
  if (draft.wants_no_preempt && (master || instance.priority == kOwner)) {
    reporter.warning(
        draft.no_preempt_at,
        fmt::format("'nopreempt' does not work with '{}' and is ignored",
                    master ? "state MASTER" : "priority 255"),
        master ? "write 'state BACKUP' on all directors" : "choose a priority below 255");
    draft.wants_no_preempt = false;
  }
  instance.preempt = !draft.wants_no_preempt;
  if (instance.preempt_delay.count() == 0 || (!master && instance.preempt)) return;
  reporter.warning(draft.preempt_delay_at,
                   fmt::format("'preempt_delay' does not work with '{}' and is ignored",
                               master ? "state MASTER" : "nopreempt"),
                   master ? "write 'state BACKUP'" : "remove one of them");
  instance.preempt_delay = core::Duration{0};
}

void finish_interval(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  const core::Duration written = instance.advert_int;
  if (instance.version == 2) {
    instance.advert_int = rounded(written, std::chrono::seconds(1));
    if (instance.advert_int == written) return;
    reporter.warning(draft.advert_int_at,
                     fmt::format("VRRP version 2 counts whole seconds: 'advert_int' is taken as {}",
                                 instance.advert_int / std::chrono::seconds(1)));
    return;
  }
  instance.advert_int = std::min(rounded(written, kCentisecond), kLongestV3Interval);
  if (instance.advert_int == written) return;
  const std::int64_t centiseconds = instance.advert_int / kCentisecond;
  reporter.warning(draft.advert_int_at,
                   fmt::format("VRRP version 3 counts in steps of 0.01 up to 40.95 seconds: "
                               "'advert_int' is taken as {}.{:02}",
                               centiseconds / 100, centiseconds % 100));
}

// keepalived: unicast words without a peer mean multicast, unless unicast_fault_no_peer.
void finish_unicast(Draft& draft, Reporter& reporter) {
  VrrpInstance& instance = draft;
  const bool without_peers = draft.unicast_word && instance.unicast_peers.empty();
  if (without_peers && draft.unreadable_peers && !instance.unicast_fault_no_peer) {
    instance.unicast_fault_no_peer = true;
    reporter.warning(*draft.peers_at,
                     "none of the peers can be read: the instance stays in fault, as with "
                     "'unicast_fault_no_peer', because by multicast nobody would hear it",
                     "write the addresses of the other directors");
  }
  instance.unicast =
      !instance.unicast_peers.empty() || (without_peers && instance.unicast_fault_no_peer);
  if (!without_peers || instance.unicast || !draft.peers_at) return;
  reporter.warning(*draft.peers_at,
                   "no peer is listed: the adverts go by multicast, as in keepalived",
                   "list the other directors, or remove 'unicast_peer'");
}

// keepalived 2.3 takes an address for which no interface is said off the list; its manual has
// default_interface for such.
void place(std::vector<VirtualAddress>& addresses, const Draft& draft, const Args& args) {
  const std::string& usual =
      draft.interface.empty() ? args.context().model.globals.default_interface : draft.interface;
  std::erase_if(addresses, [&](VirtualAddress& address) {
    if (address.interface.empty()) address.interface = usual;
    if (!address.interface.empty()) return false;
    args.context().reporter.at(
        Severity::warning, address.location,
        fmt::format("vrrp_instance '{}' has no 'interface', and {} no 'dev': it is left out",
                    draft.name, address.prefix.address.to_string()),
        "write 'dev INTERFACE' behind the address");
    return true;
  });
}

void finish_addresses(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft;
  std::vector<VirtualAddress>& advertised = instance.virtual_addresses;
  if (advertised.size() > kMostAddresses) {
    args.context().reporter.warning(
        draft.addresses_at[kMostAddresses],
        fmt::format("an advert has room for 255 addresses: from here on {} are held, but not "
                    "advertised",
                    advertised.size() - kMostAddresses),
        "put them into virtual_ipaddress_excluded");
    auto& excluded = instance.virtual_addresses_excluded;
    const auto first = advertised.begin() + kMostAddresses;
    excluded.insert(excluded.begin(), std::make_move_iterator(first),
                    std::make_move_iterator(advertised.end()));
    advertised.erase(first, advertised.end());
  }
  for (auto* list : {&advertised, &instance.virtual_addresses_excluded}) place(*list, draft, args);
  const bool meant = draft.meant_without_addresses || instance.no_virtual_ipaddress;
  if (!advertised.empty() || meant) return;
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format(
          "vrrp_instance '{}' has no virtual address: it elects a master that holds nothing",
          instance.name));
}

}  // namespace

bool finish_instance(Draft& draft, const Args& args) {
  VrrpInstance& instance = draft;
  Reporter& reporter = args.context().reporter;
  finish_family(draft);
  drop_other_family(draft, reporter);
  finish_interface(draft, args);
  if (!finish_required(draft, args)) return false;
  finish_group(draft, args.context().model.globals, reporter);
  finish_version(draft, reporter);
  finish_unicast(draft, reporter);
  const std::string reason = why_not_started(instance);
  if (!reason.empty()) {
    reporter.hint(args.value(0).range,
                  fmt::format("vrrp_instance '{}' is not started: {}; its addresses stay with "
                              "the other director",
                              instance.name, reason));
  }
  finish_priority(draft, args);
  if (draft.mac_lacks_last_byte) instance.vmac->mac->bytes[5] = instance.virtual_router_id;
  if (instance.strict) apply_strict_mode(draft, reporter);
  finish_authentication(draft, reporter);
  finish_preemption(draft, reporter);
  finish_interval(draft, reporter);
  finish_addresses(draft, args);
  return true;
}

}  // namespace holdfast::config
