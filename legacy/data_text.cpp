#include "legacy/data_text.hpp"

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "legacy/phrases.hpp"
#include <algorithm>
#include <chrono>
#include <ctime>

namespace holdfast::legacy {
namespace {

const char* enabled(bool is) {
  return is ? "enabled" : "disabled";
}
const char* yes_no(bool is) {
  return is ? "yes" : "no";
}
const char* truth(bool is) {
  return is ? "true" : "false";
}

/// A key of an instance, a script or a group.
template <class Value>
void key(std::string& text, std::string_view name, const Value& value) {
  text += fmt::format("   {} = {}\n", name, value);
}

/// "1795849873.420000 (Sat Nov 28 07:11:13.420000 2026)", by the host's time zone.
std::string dated(std::int64_t moment) {
  const std::time_t seconds = moment / 1'000'000;
  std::tm fields{};
  ::localtime_r(&seconds, &fields);
  return fmt::format("{} ({:%a %b %d %H:%M:%S}.{:06} {:%Y})", moment_text(moment), fields,
                     moment % 1'000'000, fields);
}

/// "1 sec", "500 milli-sec".
std::string interval_text(core::Duration interval) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(interval).count();
  return millis % 1000 == 0 ? fmt::format("{} sec", millis / 1000)
                            : fmt::format("{} milli-sec", millis);
}

void add_state(std::string& text, const InstanceFacts& facts) {
  const config::VrrpInstance& settings = *facts.settings;
  key(text, "VRRP Version", settings.version);
  if (!facts.sync_group.empty()) key(text, "Sync group", facts.sync_group);
  if (settings.family == core::Family::v6) text += "   Using Native IPv6\n";
  key(text, "State", to_string(facts.state));
  if (!facts.master_address.empty()) {
    key(text, "Master router", facts.master_address);
    key(text, "Master priority", facts.master_priority);
    if (settings.version == 3)
      key(text, "Master advert int",
          fmt::format("{:.2f} sec", static_cast<double>(facts.master_interval) / 1e6));
  }
  text += settings.unicast ? "   Flags:\n     Using unicast\n" : "   Flags: none\n";
  key(text, "Wantstate", to_string(facts.state));
  key(text, "Last transition", dated(facts.since));
}

void add_garp(std::string& text, const config::GarpSettings& garp) {
  key(text, "Gratuitous ARP delay", whole_seconds(garp.master_delay));
  key(text, "Gratuitous ARP repeat", garp.master_repeat);
  key(text, "Gratuitous ARP refresh", whole_seconds(garp.master_refresh));
  key(text, "Gratuitous ARP refresh repeat", garp.master_refresh_repeat);
  key(text, "Gratuitous ARP lower priority delay", whole_seconds(garp.lower_prio_delay));
  key(text, "Gratuitous ARP lower priority repeat", garp.lower_prio_repeat);
}

void add_settings(std::string& text, const InstanceFacts& facts) {
  const config::VrrpInstance& settings = *facts.settings;
  key(text, "Interface", settings.interface);
  if (settings.mcast_src_ip)
    key(text, "Using src_ip", settings.mcast_src_ip->to_string() + " (from configuration)");
  if (!settings.unicast && settings.mcast_dst_ip)
    text += fmt::format("   Multicast address {}\n", settings.mcast_dst_ip->to_string());
  add_garp(text, settings.garp);
  key(text, "Down timer adverts", settings.down_timer_adverts);
  key(text, "Send advert after receive lower priority advert",
      truth(!settings.lower_prio_no_advert));
  key(text, "Send advert after receive higher priority advert",
      truth(settings.higher_prio_send_advert));
  key(text, "Virtual Router ID", settings.virtual_router_id);
  key(text, "Priority", settings.priority);
  key(text, "Effective priority", facts.effective_priority);
  key(text, "Total priority", facts.effective_priority);
  key(text, "Advert interval", interval_text(settings.advert_int));
  if (settings.version == 3 && !facts.master_address.empty())
    key(text, "Master advert interval", interval_text(core::Duration(facts.master_interval)));
  key(text, "Accept", enabled(accepts(settings)));
  key(text, "Preempt", enabled(settings.preempt));
  if (settings.preempt_delay != core::Duration::zero())
    key(text, "Preempt delay", fmt::format("{} secs", seconds_text(settings.preempt_delay)));
  key(text, "Promote_secondaries", enabled(settings.promote_secondaries));
}

void add_authentication(std::string& text, const config::VrrpInstance& settings) {
  if (settings.version != 2) return;
  switch (settings.authentication.type) {
    case config::AuthType::none:
      return key(text, "Authentication type", "none");
    case config::AuthType::pass:
      key(text, "Authentication type", "SIMPLE_PASSWORD");
      break;
    case config::AuthType::ah:
      key(text, "Authentication type", "IPSEC_AH");
      break;
  }
  key(text, "Password", "********");
}

void add_addresses(std::string& text, const InstanceFacts& facts,
                   const std::vector<config::VirtualAddress>& list) {
  for (const config::VirtualAddress& each : list)
    text += fmt::format("     {}\n", address_phrase(each, facts.holds(each)));
}

void add_peers(std::string& text, const config::VrrpInstance& settings) {
  if (!settings.unicast) return;
  key(text, "Unicast TTL", unsigned{settings.unicast_ttl.value_or(255)});
  text += fmt::format("   Check unicast src : {}\n", yes_no(settings.check_unicast_src));
  text += "   Unicast Peer :\n";
  for (const config::UnicastPeer& peer : settings.unicast_peers)
    text += fmt::format("     {} min_ttl {} max_ttl {}\n", peer.address.to_string(),
                        peer.min_ttl.value_or(0), peer.max_ttl.value_or(255));
}

void add_tracked(std::string& text, std::string_view title,
                 const std::vector<config::Tracked>& list) {
  if (list.empty()) return;
  text += fmt::format("   {} :\n", title);
  for (const config::Tracked& each : list)
    text += fmt::format("     {} weight {}\n", each.name, each.weight.value_or(0));
}

void add_lists(std::string& text, const InstanceFacts& facts) {
  const config::VrrpInstance& settings = *facts.settings;
  text += fmt::format("   Virtual IP ({}):\n", settings.virtual_addresses.size());
  add_addresses(text, facts, settings.virtual_addresses);
  if (!settings.virtual_addresses_excluded.empty()) text += "   Virtual IP Excluded :\n";
  add_addresses(text, facts, settings.virtual_addresses_excluded);
  add_peers(text, settings);
  if (!settings.virtual_routes.empty()) text += "   Virtual Routes :\n";
  for (const config::Route& each : settings.virtual_routes)
    text += fmt::format("     {}\n", route_phrase(each));
  if (!settings.virtual_rules.empty()) text += "   Virtual Rules :\n";
  for (const config::Rule& each : settings.virtual_rules)
    text += fmt::format("     {}\n", rule_phrase(each));
  add_tracked(text, "Tracked interfaces", settings.tracking.interfaces);
  add_tracked(text, "Tracked files", settings.tracking.files);
  add_tracked(text, "Tracked scripts", settings.tracking.scripts);
  add_tracked(text, "Tracked processes", settings.tracking.processes);
  key(text, "Using smtp notification", yes_no(settings.smtp_alert));
  key(text, "Notify priority changes", truth(settings.notify_priority_changes));
}

void add_group(std::string& text, const config::Model& model, const config::SyncGroup& group,
               const boost::json::object& status) {
  std::string_view state = to_string(State::init);
  if (const auto* groups = status.if_contains("sync_groups"); groups && groups->is_array()) {
    for (const auto& each : groups->get_array())
      if (each.is_object() && text_in(each.get_object(), "name") == group.name)
        state = text_in(each.get_object(), "state");
  }
  text += fmt::format(" VRRP Sync Group = {}, {}\n   VRRP member instances :\n", group.name, state);
  for (const std::string& name : group.instances)
    if (std::ranges::find(model.instances, name, &config::VrrpInstance::name) !=
        model.instances.end())
      text += fmt::format("     {}\n", name);
  key(text, "Using smtp notification", yes_no(group.smtp_alert));
}

/// keepalived: a script that nobody has judged yet counts as good, unless init_fail says otherwise.
bool is_good(const config::VrrpScript& script, std::span<const InstanceFacts> instances) {
  const std::string name = "script " + script.name;
  const auto among = [&name](const std::vector<std::string>& names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (std::ranges::any_of(instances, among, &InstanceFacts::bad)) return false;
  return std::ranges::any_of(instances, among, &InstanceFacts::good) || !script.init_fail;
}

void add_script(std::string& text, const config::VrrpScript& script,
                std::span<const InstanceFacts> instances) {
  text += fmt::format(" VRRP Script = {}\n", script.name);
  key(text, "Command", command_phrase(script.script));
  key(text, "Interval", seconds_text(script.interval) + " sec");
  key(text, "Timeout", seconds_text(script.timeout) + " sec");
  key(text, "Weight", script.weight);
  key(text, "Rise", script.rise);
  key(text, "Fall", script.fall);
  key(text, "Status", is_good(script, instances) ? "GOOD" : "BAD");
  text += "   Tracking instances :\n";
  for (const InstanceFacts& each : instances) {
    for (const config::Tracked& tracked : each.settings->tracking.scripts)
      if (tracked.name == script.name)
        text += fmt::format("     {}, weight {}\n", each.settings->name,
                            tracked.weight.value_or(script.weight));
  }
  // Whether it runs at this moment is known to another process.
  key(text, "State", "idle");
}

}  // namespace

std::string globals_text(const config::Model& model) {
  const config::Globals& globals = model.globals;
  std::string text = "------< Global definitions >------\n";
  const auto line = [&text](std::string_view name, const auto& value) {
    text += fmt::format(" {} = {}\n", name, value);
  };
  line("Network namespace", globals.net_namespace.empty() ? "(default)" : globals.net_namespace);
  if (!globals.instance.empty()) line("Instance name", globals.instance);
  if (!globals.router_id.empty()) line("Router ID", globals.router_id);
  line("VRRP IPv4 mcast group", globals.vrrp_mcast_group4.to_string());
  line("VRRP IPv6 mcast group", globals.vrrp_mcast_group6.to_string());
  line("VRRP default protocol version", globals.vrrp_version);
  line("VRRP strict mode", truth(globals.vrrp_strict));
  text +=
      globals.enable_script_security ? " Script security enabled\n" : " Script security disabled\n";
  text += fmt::format(" json_version {}\n", globals.json_version);
  return text;
}

std::string vrrp_text(const config::Model& model, std::span<const InstanceFacts> instances,
                      const boost::json::object& status) {
  std::string text = globals_text(model);
  if (!instances.empty()) text += "------< VRRP Topology >------\n";
  for (const InstanceFacts& each : instances) {
    text += fmt::format(" VRRP Instance = {}\n", each.settings->name);
    add_state(text, each);
    add_settings(text, each);
    add_authentication(text, *each.settings);
    add_lists(text, each);
  }
  if (!model.sync_groups.empty()) text += "------< VRRP Sync groups >------\n";
  for (const config::SyncGroup& each : model.sync_groups) add_group(text, model, each, status);
  if (!model.scripts.empty()) text += "------< VRRP Scripts >------\n";
  for (const config::VrrpScript& each : model.scripts) add_script(text, each, instances);
  return text;
}

}  // namespace holdfast::legacy
