#include "legacy/json_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include "legacy/phrases.hpp"
#include <algorithm>
#include <concepts>
#include <vector>

namespace holdfast::legacy {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

/// An object whose members come in the order in which they are said.
class Object {
 public:
  void text(std::string_view name, std::string_view value) { add(name, quoted(value)); }
  void flag(std::string_view name, bool value) { add(name, value ? "true" : "false"); }
  /// keepalived shows several of its flags as 0 and 1.
  void bit(std::string_view name, bool value) { add(name, value ? "1" : "0"); }
  template <std::integral Number>
  void number(std::string_view name, Number value) {
    add(name, fmt::to_string(value));
  }
  void written(std::string_view name, const std::string& value) { add(name, value); }
  /// An empty list is left out.
  void list(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    std::string all;
    for (const std::string& each : texts) all += (all.empty() ? "[" : ",") + quoted(each);
    add(name, all + "]");
  }
  [[nodiscard]] std::string str() const { return text_ + "}"; }

 private:
  void add(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}{}:{}", text_.size() == 1 ? "" : ",", quoted(name), value);
  }
  std::string text_ = "{";
};

void add_scripts(Object& data, const config::VrrpInstance& settings) {
  const auto add = [&data](std::string_view name, const config::Rare<config::Script>& script) {
    if (script) data.text(name, command_phrase(*script));
  };
  add("script_backup", settings.notify_backup);
  add("script_master", settings.notify_master);
  add("script_fault", settings.notify_fault);
  add("script_stop", settings.notify_stop);
  add("script_deleted", settings.notify_deleted);
  add("script", settings.notify);
  add("script_master_rx_lower_pri", settings.notify_master_rx_lower_pri);
}

std::vector<std::string> addresses(const InstanceFacts& facts,
                                   const std::vector<config::VirtualAddress>& list) {
  std::vector<std::string> texts;
  for (const config::VirtualAddress& each : list)
    texts.push_back(address_phrase(each, facts.holds(each)));
  return texts;
}

/// Scripts are shown by their command.
std::vector<std::string> tracked_scripts(const config::Model& model,
                                         const config::VrrpInstance& settings) {
  std::vector<std::string> commands;
  for (const config::Tracked& tracked : settings.tracking.scripts) {
    const auto script = std::ranges::find(model.scripts, tracked.name, &config::VrrpScript::name);
    if (script != model.scripts.end()) commands.push_back(command_phrase(script->script));
  }
  return commands;
}

void add_lists(Object& data, const config::Model& model, const InstanceFacts& facts) {
  const config::VrrpInstance& settings = *facts.settings;
  data.list("vips", addresses(facts, settings.virtual_addresses));
  data.list("evips", addresses(facts, settings.virtual_addresses_excluded));
  std::vector<std::string> texts;
  for (const config::Route& each : settings.virtual_routes) texts.push_back(route_phrase(each));
  data.list("vroutes", texts);
  texts.clear();
  for (const config::Rule& each : settings.virtual_rules) texts.push_back(rule_phrase(each));
  data.list("vrules", texts);
  texts.clear();
  for (const config::Tracked& each : settings.tracking.interfaces) texts.push_back(each.name);
  data.list("track_ifp", texts);
  data.list("track_script", tracked_scripts(model, settings));
  texts.clear();
  for (const config::Tracked& each : settings.tracking.processes) texts.push_back(each.name);
  data.list("track_process", texts);
}

void add_garp(Object& data, const config::GarpSettings& garp) {
  data.written("garp_delay", seconds_text(garp.master_delay));
  data.number("garp_refresh", whole_seconds(garp.master_refresh));
  data.number("garp_rep", garp.master_repeat);
  data.number("garp_refresh_rep", garp.master_refresh_repeat);
  data.number("garp_lower_prio_delay", whole_seconds(garp.lower_prio_delay));
  data.number("garp_lower_prio_rep", garp.lower_prio_repeat);
}

bool has_all_addresses(const InstanceFacts& facts) {
  const auto& list = facts.settings->virtual_addresses;
  return std::ranges::any_of(list, [&](const auto& each) { return facts.holds(each); });
}

std::string data_of(const config::Model& model, const InstanceFacts& facts) {
  const config::VrrpInstance& settings = *facts.settings;
  Object data;
  data.text("iname", settings.name);
  data.bit("dont_track_primary", settings.dont_track_primary);
  data.bit("skip_check_adv_addr", settings.skip_check_adv_addr);
  data.bit("strict_mode", settings.strict);
  data.text("vmac_ifname", facts.device);  // one consumer does not ask whether it is there
  data.text("ifp_ifname", settings.interface);
  data.number("master_priority", facts.master_priority);
  data.written("last_transition", moment_text(facts.since));
  add_garp(data, settings.garp);
  data.bit("lower_prio_no_advert", settings.lower_prio_no_advert);
  data.bit("higher_prio_send_advert", settings.higher_prio_send_advert);
  data.number("vrid", settings.virtual_router_id);
  data.number("base_priority", settings.priority);
  data.number("effective_priority", facts.effective_priority);
  data.flag("vipset", has_all_addresses(facts));
  data.flag("promote_secondaries", settings.promote_secondaries);
  data.written("adver_int", seconds_text(settings.advert_int));
  data.written("master_adver_int", seconds_text(core::Duration(facts.master_interval)));
  data.bit("accept", accepts(settings));
  data.flag("nopreempt", !settings.preempt);
  data.number("preempt_delay", whole_seconds(settings.preempt_delay));
  data.number("state", static_cast<unsigned>(facts.state));
  data.number("wantstate", static_cast<unsigned>(facts.state));
  data.number("version", settings.version);
  data.flag("smtp_alert", settings.smtp_alert);
  data.flag("notify_deleted", settings.notify_deleted.has_value());
  add_scripts(data, settings);
  add_lists(data, model, facts);
  data.number("auth_type", static_cast<unsigned>(settings.authentication.type));
  // Never the password: keepalived hides it, too, since 2.4.
  if (settings.authentication.type != config::AuthType::none) data.text("auth_data", "********");
  return data.str();
}

std::string statistics_of(const InstanceFacts& facts) {
  const Statistics& counted = facts.statistics;
  Object stats;
  stats.number("advert_rcvd", counted.received);
  stats.number("advert_sent", counted.sent);
  stats.number("become_master", counted.became_master);
  stats.number("release_master", counted.released_master);
  stats.number("packet_len_err", counted.packet_length);
  stats.number("advert_interval_err", counted.interval);
  stats.number("ip_ttl_err", counted.ttl);
  stats.number("invalid_type_rcvd", counted.invalid_type);
  stats.number("addr_list_err", counted.address_list);
  stats.number("invalid_authtype", counted.invalid_authentication_type);
  stats.number("authtype_mismatch", counted.authentication_type_mismatch);
  stats.number("auth_failure", counted.authentication_failure);
  stats.number("pri_zero_rcvd", counted.priority_zero_received);
  stats.number("pri_zero_sent", counted.priority_zero_sent);
  if (facts.settings->auth_hmac) {
    stats.number("auth_ext_missing", counted.extension_missing);
    stats.number("auth_ext_malformed", counted.extension_malformed);
    stats.number("auth_ext_unknown_key", counted.extension_unknown_key);
    stats.number("auth_ext_invalid_hmac", counted.extension_invalid);
    stats.number("auth_ext_stale", counted.extension_stale);
    stats.number("auth_ext_replay", counted.extension_replay);
  }
  return stats.str();
}

/// What the configuration says of tracked processes; how many run is not told by any document.
std::string process_of(const config::TrackProcess& process) {
  Object all;
  all.text("process", process.command.front());
  all.number("min_processes", process.quorum);
  if (process.quorum_max) all.number("max_processes", *process.quorum_max);
  all.number("weight", process.weight);
  all.written("terminate_delay", seconds_text(process.terminate_delay));
  all.written("fork_delay", seconds_text(process.fork_delay));
  all.flag("full_command", process.full_command);
  return all.str();
}

}  // namespace

std::string json_text(const config::Model& model, std::span<const InstanceFacts> instances) {
  std::string list;
  for (const InstanceFacts& each : instances)
    list += fmt::format("{}{{\"data\":{},\"stats\":{}}}", list.empty() ? "" : ",",
                        data_of(model, each), statistics_of(each));
  if (model.globals.json_version == 1) return "[" + list + "]\n";
  std::string processes;
  for (const config::TrackProcess& each : model.track_processes)
    processes += (processes.empty() ? "" : ",") + process_of(each);
  if (!processes.empty()) processes = ",\"track_process\":[" + processes + "]";
  return "{\"vrrp\":[" + list + "]" + processes + "}\n";
}

}  // namespace holdfast::legacy
