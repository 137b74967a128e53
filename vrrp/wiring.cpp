#include "vrrp/wiring.hpp"

#include "config/accounts.hpp"
#include "config/tracked_file.hpp"
#include "vrrp/device_wiring.hpp"
#include "vrrp/signing_wiring.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

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
  settings.interface = written.interface;
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
  settings.down_timer_adverts = written.down_timer_adverts;
  settings.higher_priority_send_advert = written.higher_prio_send_advert;
  settings.tells_priority = written.notify_priority_changes;
  if (written.lower_prio_no_advert)
    settings.lower_priority_answer = LowerPriorityAnswer::announce_only;
  if (written.owner_ignore_adverts) settings.owner_receive = OwnerReceive::discard;
  return settings;
}

void add_script(NotifyState state, const char* word, const config::Rare<config::Script>& script,
                const config::Model& model, InstanceScripts& scripts) {
  if (!script) return;
  core::Command& command = scripts.by_state[state];
  command = config::command_of(*script, model);
  command.what = word;
}

/// What instances and sync groups have both.
InstanceScripts common_scripts_of(const auto& written, const config::Model& model) {
  InstanceScripts scripts;
  add_script(NotifyState::master, "notify_master", written.notify_master, model, scripts);
  add_script(NotifyState::backup, "notify_backup", written.notify_backup, model, scripts);
  add_script(NotifyState::fault, "notify_fault", written.notify_fault, model, scripts);
  add_script(NotifyState::stop, "notify_stop", written.notify_stop, model, scripts);
  if (written.notify) {
    scripts.any = config::command_of(*written.notify, model);
    scripts.any->what = "notify";
  }
  return scripts;
}

std::string variable(std::string_view name, std::string_view value) {
  return fmt::format("{}{}={}", core::kScriptVariables, name, value);
}

std::string addresses_text(const config::VrrpInstance& written) {
  std::vector<std::string> texts;
  for (const auto* list : {&written.virtual_addresses, &written.virtual_addresses_excluded})
    for (const config::VirtualAddress& each : *list) texts.push_back(each.prefix.to_string());
  return fmt::format("{}", fmt::join(texts, " "));
}

InstanceScripts scripts_of(const config::VrrpInstance& written, const config::Model& model) {
  InstanceScripts scripts = common_scripts_of(written, model);
  add_script(NotifyState::master_rx_lower_pri, "notify_master_rx_lower_pri",
             written.notify_master_rx_lower_pri, model, scripts);
  add_script(NotifyState::deleted, "notify_deleted", written.notify_deleted, model, scripts);
  if (scripts == InstanceScripts{}) return scripts;
  scripts.environment = {variable("INTERFACE", written.interface),
                         variable("VRID", std::to_string(written.virtual_router_id)),
                         variable("ADDRESSES", addresses_text(written))};
  return scripts;
}

template <class Written>
const Written* find_named(const std::vector<Written>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Written& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// A weight that a line does not give is that of what it names. What is there already stays.
void add_trackers(const config::Tracking& tracking, const std::string& primary,
                  const config::Model& model, std::vector<Tracker>& trackers) {
  const auto add = [&](TrackerKind kind, const config::Tracked& line, std::int16_t weight,
                       bool reverse) {
    const TrackerId id{kind, line.name};
    if (std::ranges::find(trackers, id, &Tracker::id) != trackers.end()) return;
    const bool is_reversed = line.reverse.value_or(reverse);
    trackers.push_back({.id = id,
                        .weight = line.weight.value_or(weight),
                        .reverse = is_reversed ? Reverse::yes : Reverse::no});
  };
  for (const config::Tracked& line : tracking.interfaces)
    if (line.name != primary) add(TrackerKind::interface, line, 0, false);
  for (const config::Tracked& line : tracking.scripts)
    if (const auto* script = find_named(model.scripts, line.name))
      add(TrackerKind::script, line, script->weight, script->reverse);
  for (const config::Tracked& line : tracking.files)
    if (const auto* file = find_named(model.track_files, line.name))
      add(TrackerKind::file, line, file->weight, file->reverse);
  for (const config::Tracked& line : tracking.processes)
    if (const auto* process = find_named(model.track_processes, line.name))
      add(TrackerKind::process, line, process->weight, process->reverse);
}

// keepalived: the interface of a route goes with it, unless the line says no_track.
void add_interfaces_of_routes(const config::VrrpInstance& written, std::vector<Tracker>& trackers) {
  for (const config::Route& route : written.virtual_routes) {
    const TrackerId id{TrackerKind::interface, route.interface};
    if (!route.no_track && !route.interface.empty() && route.interface != written.interface &&
        std::ranges::find(trackers, id, &Tracker::id) == trackers.end())
      trackers.push_back({.id = id, .weight = 0, .reverse = Reverse::no});
  }
}

/// nullptr: it is alone.
const config::SyncGroup* group_of(const config::Model& model, const std::string& instance) {
  const auto lists = [&](const config::SyncGroup& group) {
    return std::ranges::find(group.instances, instance) != group.instances.end();
  };
  const auto found = std::ranges::find_if(model.sync_groups, lists);
  return found == model.sync_groups.end() ? nullptr : &*found;
}

// keepalived: parameters are those of the command line, so that is what is compared then.
ProcessCheck process_of(const config::TrackProcess& written) {
  using Written = config::TrackProcess::ParamMatch;
  ProcessCheck check{.name = written.name,
                     .program = written.command.front(),
                     .parameters = {written.command.begin() + 1, written.command.end()},
                     .quorum = written.quorum,
                     .quorum_max = written.quorum_max,
                     .fork_delay = written.fork_delay,
                     .terminate_delay = written.terminate_delay};
  if (written.param_match == Written::initial) check.match = ParameterMatch::last_may_be_longer;
  if (written.param_match == Written::partial) check.match = ParameterMatch::first_ones;
  if (written.param_match == Written::exact && check.parameters.empty())
    check.match = ParameterMatch::any;
  check.by_command_line = written.full_command || check.match != ParameterMatch::any;
  return check;
}

ScriptCheck check_of(const config::VrrpScript& written, const config::Model& model) {
  ScriptCheck check{.name = written.name,
                    .interval = written.interval,
                    .rise = written.rise,
                    .fall = written.fall,
                    .init_fail = written.init_fail,
                    .command = config::command_of(written.script, model)};
  check.command.what = kCheckCommand;
  check.command.limit = written.timeout.count() != 0 ? written.timeout : written.interval;
  return check;
}

// What nobody tracks is not looked at.
void add_tracked(const config::Model& model, Wiring& wiring) {
  std::set<TrackerId> tracked;
  for (const InstanceSettings& each : wiring.instances)
    for (const Tracker& tracker : each.trackers) tracked.insert(tracker.id);
  for (const config::VrrpScript& written : model.scripts)
    if (tracked.erase({TrackerKind::script, written.name}) != 0)
      wiring.checks.push_back(check_of(written, model));
  for (const config::TrackFile& written : model.track_files)
    if (tracked.erase({TrackerKind::file, written.name}) != 0)
      wiring.files.push_back(config::tracked_file_of(written));
  for (const config::TrackProcess& written : model.track_processes)
    if (tracked.erase({TrackerKind::process, written.name}) != 0)
      wiring.processes.push_back(process_of(written));
}

// keepalived: an instance's own link may settle no longer than its peers wait, or they take over.
Duration longest_settling(const std::vector<InstanceSettings>& instances,
                          const std::string& interface) {
  Duration longest = Duration::max();
  for (const InstanceSettings& each : instances)
    if (each.interface == interface)
      longest = std::min(longest, (each.down_timer_adverts - 1) * each.advert_interval);
  return longest;
}

bool is_used(const std::vector<InstanceSettings>& instances, const std::string& interface) {
  const TrackerId tracked{TrackerKind::interface, interface};
  return std::any_of(instances.begin(), instances.end(), [&](const InstanceSettings& each) {
    return each.interface == interface ||
           std::any_of(each.trackers.begin(), each.trackers.end(),
                       [&](const Tracker& one) { return one.id == tracked; });
  });
}

std::map<std::string, LinkDelay> link_delays_of(const config::Model& model,
                                                const std::vector<InstanceSettings>& instances) {
  std::map<std::string, LinkDelay> delays;
  for (const config::LinkDelay& written : model.globals.link_delays) {
    if (!is_used(instances, written.interface)) continue;
    const Duration longest = longest_settling(instances, written.interface);
    delays[written.interface] = {.down = std::min(written.down, longest),
                                 .up = std::min(written.up, longest)};
  }
  return delays;
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
  wiring.startup_delay = model.globals.vrrp_startup_delay;
  wiring.listen_after_boot = model.globals.vrrp_listen_after_boot;
  wiring.mails_faults = !model.globals.no_email_faults;
  wiring.pipes =
      !model.globals.notify_fifo.path.empty() || !model.globals.vrrp_notify_fifo.path.empty();
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
    const std::string primary = written.dont_track_primary ? "" : written.interface;
    add_trackers(written.tracking, primary, model, settings.trackers);
    if (const config::SyncGroup* group = group_of(model, written.name)) {
      settings.sync_group = group->name;
      // keepalived: the group's word counts for each of its members.
      settings.tells_priority = settings.tells_priority || group->notify_priority_changes;
      add_trackers(group->tracking, primary, model, settings.trackers);
    }
    add_interfaces_of_routes(written, settings.trackers);
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
    InstanceScripts scripts = common_scripts_of(group, model);
    if (scripts == InstanceScripts{}) continue;
    scripts.environment = {
        variable("INSTANCES", fmt::format("{}", fmt::join(group.instances, " ")))};
    wiring.group_scripts.emplace(group.name, std::move(scripts));
  }
  return wiring;
}

// Hooks hear DELETED only where notify_deleted says that somebody knows the word.
NotifyState state_told(const InstanceScripts* scripts, NotifyState state) {
  const bool knows = scripts != nullptr && scripts->by_state.contains(NotifyState::deleted);
  return state == NotifyState::deleted && !knows ? NotifyState::fault : state;
}

std::vector<core::Command> commands_for(const InstanceScripts& scripts, const std::string& name,
                                        NotifyState state, std::uint8_t priority) {
  std::vector<core::Command> commands;
  const auto own = scripts.by_state.find(state);
  if (own != scripts.by_state.end()) commands.push_back(own->second);
  state = state_told(&scripts, state);
  // keepalived tells the general script states only; the hint about a lower priority has a script
  // of its own.
  if (scripts.any && !is_hint(state)) {
    core::Command& command = commands.emplace_back(*scripts.any);
    command.argv.insert(command.argv.end(), {"INSTANCE", name, std::string(to_string(state)),
                                             std::to_string(priority)});
  }
  return commands;
}

std::vector<core::Command> commands_for_group(const InstanceScripts& scripts,
                                              const std::string& name, NotifyState state) {
  std::vector<core::Command> commands;
  if (const auto own = scripts.by_state.find(state); own != scripts.by_state.end())
    commands.push_back(own->second);
  if (scripts.any) {
    core::Command& command = commands.emplace_back(*scripts.any);
    command.argv.insert(command.argv.end(), {"GROUP", name, std::string(to_string(state)), "0"});
  }
  return commands;
}

void tell_occasion(const InstanceScripts& scripts, const Occasion& occasion,
                   std::vector<core::Command>& commands) {
  std::vector<std::string> told = scripts.environment;
  const auto add = [&told](std::string_view name, std::string_view value) {
    if (!value.empty()) told.push_back(variable(name, value));
  };
  add("KIND", occasion.kind);
  add("NAME", occasion.name);
  add("STATE", occasion.state);
  add("PREVIOUS_STATE", occasion.previous_state);
  add("REASON", occasion.reason);
  add("PRIORITY", occasion.priority);
  for (core::Command& each : commands) each.environment = told;
}

}  // namespace holdfast::vrrp
