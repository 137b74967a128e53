// From the configuration's model to the core's settings: the only place of this process that knows
// both.
#pragma once

#include "config/model.hpp"
#include "core/result.hpp"
#include "runtime/script.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/settings.hpp"

#include <map>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// The scripts of one instance, users looked up.
struct InstanceScripts {
  std::map<NotifyState, runtime::Command> by_state;
  std::optional<runtime::Command> any;

  bool operator==(const InstanceScripts&) const = default;
};

/// What a generation of the configuration means for this process.
struct Plan {
  std::vector<InstanceSettings> instances;
  std::map<RouterKey, InstanceScripts> scripts;  ///< of those instances that have any
};

/// Fails with a sentence naming the instance when a script's user does not exist, or the instance
/// asks for what this version does not speak. Reads the user database: never call it from a step.
[[nodiscard]] core::Result<Plan> make_plan(const config::Model& model);

/// What to run for a notification, in order: notify_<state>, then notify with its four arguments
/// appended. keepalived: notify_*.
[[nodiscard]] std::vector<runtime::Command> commands_for(const InstanceScripts& scripts,
                                                         const std::string& name, NotifyState state,
                                                         std::uint8_t priority);

}  // namespace holdfast::vrrp
