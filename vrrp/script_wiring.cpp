#include "vrrp/script_wiring.hpp"

#include "config/accounts.hpp"

#include <fmt/ranges.h>

namespace holdfast::vrrp {
namespace {

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

}  // namespace

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

InstanceScripts scripts_of(const config::SyncGroup& written, const config::Model& model) {
  InstanceScripts scripts = common_scripts_of(written, model);
  if (scripts == InstanceScripts{}) return scripts;
  scripts.environment = {
      variable("INSTANCES", fmt::format("{}", fmt::join(written.instances, " ")))};
  return scripts;
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
