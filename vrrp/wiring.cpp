#include "vrrp/wiring.hpp"

#include "vrrp/device_wiring.hpp"
#include "vrrp/script_wiring.hpp"
#include "vrrp/signing_wiring.hpp"
#include "vrrp/tracking_wiring.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

InitialState initial_state(config::InitialState state) {
  switch (state) {
    case config::InitialState::master:
      return InitialState::master;
    case config::InitialState::backup:
      return InitialState::backup;
    case config::InitialState::unset:
      break;
  }
  return InitialState::unset;
}

core::Rare<core::AddressOptions> options_of(const config::VirtualAddress& written) {
  core::AddressOptions options{.peer = written.peer,
                               .no_prefix_route = written.no_prefix_route,
                               .auto_join = written.auto_join,
                               .home = written.home,
                               .duplicate_detection = written.duplicate_detection,
                               .manage_temporary = written.manage_temporary,
                               .preferred_lifetime = written.preferred_lifetime};
  if (options == core::AddressOptions{}) return {};
  return options;
}

/// `place_of`: the interface of each; the instance's own one goes without saying.
AddressList addresses_of(const std::vector<config::VirtualAddress>& written, const auto& place_of) {
  std::vector<VirtualAddress> addresses;
  addresses.reserve(written.size());
  for (const config::VirtualAddress& each : written) {
    VirtualAddress& address = addresses.emplace_back();
    address.prefix = each.prefix;
    address.interface = place_of(each);
    address.label = each.label;
    address.scope = each.scope;
    address.no_track = each.no_track;
    address.options = options_of(each);
    if (each.broadcast) address.broadcast = *each.broadcast;
  }
  return addresses;
}

const std::string& interface_of(const config::VirtualAddress& written) {
  return written.interface;
}

GarpSettings garp_of(const config::GarpSettings& written) {
  return {.repeat = written.master_repeat,
          .delay = written.master_delay,
          .refresh = written.master_refresh,
          .refresh_repeat = written.master_refresh_repeat,
          .lower_priority_repeat = written.lower_prio_repeat,
          .lower_priority_delay = written.lower_prio_delay};
}

/// Those with a MAC address that adverts do not show, or with `all` on any other interface.
core::Rare<ExtraAnnouncements> extra_of(const config::VrrpInstance& written,
                                        const DevicePlan& devices,
                                        const InstanceSettings& settings) {
  if (written.garp.extra_interval == Duration::zero()) return {};
  const bool from_device = settings.device && settings.device->adverts_from == AdvertsFrom::device;
  const std::string& shown = from_device ? settings.device->name : settings.interface;
  std::vector<VirtualAddress> extra;
  for (const VirtualAddress& each : settings.all_addresses()) {
    const std::string place = each.interface.empty() ? settings.interface : each.interface.str();
    if (place != shown && (written.garp.extra_everywhere || devices.has_mac_of_its_own(place)))
      extra.push_back(each);
  }
  if (extra.empty()) return {};
  return ExtraAnnouncements{written.garp.extra_interval, std::move(extra)};
}

Unicast unicast_of(const config::VrrpInstance& written) {
  Unicast unicast;
  for (const config::UnicastPeer& peer : written.unicast_peers)
    unicast.peers.push_back({peer.address, peer.min_ttl.value_or(0), peer.max_ttl.value_or(255)});
  unicast.hop_limit = written.unicast_ttl.value_or(255);
  if (written.check_unicast_src) unicast.senders = Senders::listed;
  return unicast;
}

void set_wire(const config::VrrpInstance& written, InstanceSettings& settings) {
  settings.family = written.family;
  settings.version = written.version;
  settings.source_address = written.mcast_src_ip;
  if (written.track_src_ip) settings.source_tracking = SourceTracking::yes;
  if (written.dont_track_primary) settings.primary_tracking = PrimaryTracking::no;
  if (written.skip_check_adv_addr) settings.address_list_check = AddressListCheck::new_sender;
  if (written.mcast_dst_ip) settings.group = *written.mcast_dst_ip;
  if (written.unicast) settings.unicast = unicast_of(written);
  if (written.v3_checksum_as_v2 && written.family == core::Family::v4)
    settings.checksum = ChecksumChoice::without_pseudo_header;
}

Authentication authentication_of(const config::Authentication& written) {
  switch (written.type) {
    case config::AuthType::pass:
      return Authentication::password(written.password);
    case config::AuthType::ah:
      return Authentication::header(written.password);
    case config::AuthType::none:
      break;
  }
  return {};
}

InstanceSettings settings_of(const config::VrrpInstance& written, const DevicePlan& devices) {
  InstanceSettings settings;
  set_wire(written, settings);
  settings.name = written.name;
  settings.interface = written.place();
  settings.vrid = written.virtual_router_id;
  settings.priority = written.priority;
  settings.initial_state = initial_state(written.state);
  settings.preempt = written.preempt ? Preempt::yes : Preempt::no;
  settings.preempt_delay = written.preempt_delay;
  settings.advert_interval = written.advert_int;
  settings.authentication = authentication_of(written.authentication);
  const auto place_of = [&](const config::VirtualAddress& each) {
    return devices.place_of(written, each);
  };
  settings.addresses = addresses_of(written.virtual_addresses, place_of);
  settings.excluded_addresses = addresses_of(written.virtual_addresses_excluded, place_of);
  if (written.vmac) settings.device = OwnDevice{devices.of(written), adverts_from(written)};
  settings.garp = garp_of(written.garp);
  settings.extra_announcements = extra_of(written, devices, settings);
  settings.down_timer_adverts = written.down_timer_adverts;
  settings.higher_priority_send_advert = written.higher_prio_send_advert;
  settings.tells_priority = written.notify_priority_changes;
  if (written.lower_prio_no_advert)
    settings.lower_priority_answer = LowerPriorityAnswer::announce_only;
  if (written.owner_ignore_adverts) settings.owner_receive = OwnerReceive::discard;
  return settings;
}

/// nullptr: it is alone.
const config::SyncGroup* group_of(const config::Model& model, const std::string& instance) {
  const auto lists = [&](const config::SyncGroup& group) {
    return std::ranges::find(group.instances, instance) != group.instances.end();
  };
  const auto found = std::ranges::find_if(model.sync_groups, lists);
  return found == model.sync_groups.end() ? nullptr : &*found;
}

// keepalived: the address behind use_ipvlan is always on it, and adverts come from there.
void add_source(const config::VrrpInstance& written, InstanceSettings& settings, Wiring& wiring) {
  if (!written.vmac || !written.vmac->source) return;
  std::vector<VirtualAddress> statics(wiring.static_addresses.begin(),
                                      wiring.static_addresses.end());
  VirtualAddress& own = statics.emplace_back();
  own.prefix = *written.vmac->source;
  own.interface = settings.device->name;
  wiring.static_addresses = std::move(statics);
  if (!settings.source_address) settings.source_address = written.vmac->source->address;
}

Pace pace_of(const config::Model& model) {
  Pace pace{.arp = model.globals.garp.interval, .na = model.globals.garp.gna_interval};
  for (const config::GarpGroup& group : model.garp_groups) {
    if (group.interfaces.empty()) continue;
    pace.groups.push_back(
        {.interfaces = group.interfaces, .arp = group.garp_interval, .na = group.gna_interval});
  }
  return pace;
}

core::Scheduling scheduling_of(const config::Globals& globals) {
  core::Scheduling scheduling = globals.vrrp_process;
  if (globals.max_auto_priority > 0)
    scheduling.highest_priority = static_cast<std::uint8_t>(globals.max_auto_priority);
  scheduling.lateness = globals.min_auto_priority_delay;
  return scheduling;
}

netlink::FirewallSettings firewall_of(const config::Globals& globals) {
  netlink::FirewallSettings settings;
  if (!globals.nftables.empty()) settings.table = globals.nftables;
  settings.priority = globals.nftables_priority.value_or(settings.priority);
  settings.counters = globals.nftables_counters;
  settings.by_index = globals.nftables_ifindex;
  return settings;
}

std::vector<netlink::ClosedAddress> closed_by(const InstanceSettings& settings) {
  std::vector<netlink::ClosedAddress> closed;
  for (const VirtualAddress& each : settings.all_addresses())
    closed.push_back(
        {each.prefix.address, each.interface.empty() ? settings.interface : each.interface.str()});
  return closed;
}

}  // namespace

Wiring wiring_of(const config::Model& model) {
  Wiring wiring;
  wiring.pace = pace_of(model);
  const RulePriorities priorities(model);
  wiring.static_addresses = addresses_of(model.static_addresses, interface_of);
  wiring.routing.statics = routing_of(model.static_routes, model.static_rules, priorities);
  wiring.scheduling = scheduling_of(model.globals);
  wiring.firewall = firewall_of(model.globals);
  wiring.delay_after_boot = model.globals.vrrp_delay_after_boot;
  wiring.membership_refresh = model.globals.vrrp_membership_refresh;
  wiring.logs_unknown_vrids = model.globals.log_unknown_vrids;
  wiring.startup_delay = model.globals.vrrp_startup_delay;
  wiring.listen_after_boot = model.globals.vrrp_listen_after_boot;
  wiring.mails_faults = !model.globals.no_email_faults;
  wiring.pipes = !model.globals.notify_fifo.path.empty() ||
                 !model.globals.vrrp_notify_fifo.path.empty() || model.globals.enable_dbus;
  wiring.states_on_reload = wiring.pipes && model.globals.fifo_write_vrrp_states_on_reload;
  wiring.not_started = config::not_started(model);
  const DevicePlan devices(model);
  std::vector<const config::VrrpInstance*> started;
  const SigningKeys keys = read_signing_keys(model, wiring.not_started);
  for (const config::VrrpInstance& written : model.instances) {
    if (wiring.not_started.contains(written.name)) continue;
    started.push_back(&written);
    InstanceSettings settings = settings_of(written, devices);
    add_source(written, settings, wiring);
    const std::string primary = written.dont_track_primary ? "" : written.place();
    add_trackers(written.tracking, primary, model, settings.trackers);
    if (const config::SyncGroup* group = group_of(model, written.name)) {
      settings.sync_group = group->name;
      // keepalived: the group's word counts for each of its members.
      settings.tells_priority = settings.tells_priority || group->notify_priority_changes;
      add_trackers(group->tracking, primary, model, settings.trackers);
    }
    add_interfaces_of_routes(written, settings.trackers);
    add_statics(written, model, wiring.routing.statics, settings.trackers);
    if (written.auth_hmac)
      settings.signing = signing_of(*written.auth_hmac, written.advert_int, keys.at(written.name));
    RoutingList routing = routing_of(written.virtual_routes, written.virtual_rules, priorities);
    if (!routing.empty()) wiring.routing.of_instances.emplace(settings.key(), std::move(routing));
    if (written.promote_secondaries)
      wiring.promoting.insert(settings.device ? settings.device->name : settings.interface);
    if (!written.answers()) wiring.closed.emplace(settings.key(), closed_by(settings));
    if (written.smtp_alert) wiring.mails.insert(settings.key());
    InstanceScripts scripts = scripts_of(written, model);
    if (scripts != InstanceScripts{}) wiring.scripts.emplace(settings.key(), std::move(scripts));
    wiring.instances.push_back(std::move(settings));
  }
  wiring.devices = devices.devices(started);
  wiring.made_up_devices = devices.made_up();
  add_tracked(model, wiring);
  wiring.link_delays = link_delays_of(model, wiring.instances);
  for (const config::SyncGroup& group : model.sync_groups) {
    if (group.smtp_alert) wiring.group_mails.insert(group.name);
    InstanceScripts scripts = scripts_of(group, model);
    if (scripts != InstanceScripts{}) wiring.group_scripts.emplace(group.name, std::move(scripts));
  }
  return wiring;
}

}  // namespace holdfast::vrrp
