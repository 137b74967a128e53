#include "vrrp/tracking_wiring.hpp"

#include "config/accounts.hpp"
#include "config/tracked_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace holdfast::vrrp {
namespace {

template <class Written>
const Written* find_named(const std::vector<Written>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Written& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
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

}  // namespace

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

void add_interfaces_of_routes(const config::VrrpInstance& written, std::vector<Tracker>& trackers) {
  for (const config::Route& route : written.virtual_routes) {
    const TrackerId id{TrackerKind::interface, route.interface};
    if (!route.no_track && !route.interface.empty() && route.interface != written.place() &&
        std::ranges::find(trackers, id, &Tracker::id) == trackers.end())
      trackers.push_back({.id = id, .weight = 0, .reverse = Reverse::no});
  }
}

std::string static_address_text(const core::IpPrefix& prefix, std::string_view interface) {
  return fmt::format("address {} on {}", prefix.to_string(), interface);
}

void add_statics(const config::VrrpInstance& written, const config::Model& model,
                 const RoutingList& routing, std::vector<Tracker>& trackers) {
  std::set<std::string_view> groups;
  for (const config::TrackGroup& group : model.track_groups)
    if (std::ranges::find(group.instances, written.name) != group.instances.end())
      groups.insert(group.name);
  if (groups.empty()) return;
  const auto add = [&](TrackerKind kind, const std::string& name) {
    const TrackerId id{kind, name};
    if (std::ranges::find(trackers, id, &Tracker::id) == trackers.end())
      trackers.push_back({.id = id, .weight = 0, .reverse = Reverse::no});
  };
  const auto add_item = [&](const std::string& text, const std::string& interface) {
    add(TrackerKind::static_item, text);
    if (!interface.empty() && interface != written.place()) add(TrackerKind::interface, interface);
  };
  for (const config::VirtualAddress& each : model.static_addresses)
    if (groups.contains(each.track_group))
      add_item(static_address_text(each.prefix, each.interface), each.interface);
  std::size_t at = 0;  // routes, then rules
  for (const config::Route& each : model.static_routes) {
    const std::string& text = routing.at(at++).text;
    if (groups.contains(each.track_group)) add_item(text, each.interface);
  }
  for (const config::Rule& each : model.static_rules) {
    const std::string& text = routing.at(at++).text;
    if (groups.contains(each.track_group)) add_item(text, each.in_interface);
  }
}

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
  for (const TrackerId& each : tracked)
    if (each.kind == TrackerKind::static_item) wiring.tracked_statics.insert(each.name);
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

}  // namespace holdfast::vrrp
