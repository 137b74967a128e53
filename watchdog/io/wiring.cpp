#include "watchdog/io/wiring.hpp"

#include <algorithm>

namespace holdfast::watchdog {

RoleSet roles_of(const config::Model& model) {
  RoleSet roles;
  if (!model.instances.empty()) roles.insert(Role::vrrp);
  const config::Globals& globals = model.globals;
  const bool sets_ipvs = globals.lvs_sync_daemon || globals.lvs_sysctl ||
                         globals.lvs_timeouts != config::IpvsTimeouts{} ||
                         std::ranges::any_of(model.instances, [](const auto& instance) {
                           return !instance.lvs_sync_daemon_interface.empty();
                         });
  if (!model.services.empty() || sets_ipvs) roles.insert(Role::checkers);
  return roles;
}

Directives directives_of(const config::Globals& globals) {
  const auto optional = [](const config::Rare<std::string>& path) {
    return path ? std::optional(*path) : std::nullopt;
  };
  const auto limit = [](const config::Rare<config::Script>& script, core::Duration time) {
    return script ? std::optional(static_cast<std::uint32_t>(time / std::chrono::milliseconds(1)))
                  : std::nullopt;
  };
  return {.router_id = globals.router_id,
          .reload_time_file = globals.reload_time_file,
          .reload_repeat = globals.reload_repeat,
          .reload_file = optional(globals.reload_file),
          .check_log = optional(globals.reload_check_config),
          .umask = globals.umask,
          .startup_limit_ms = limit(globals.startup_script, globals.startup_script_timeout),
          .shutdown_limit_ms = limit(globals.shutdown_script, globals.shutdown_script_timeout),
          .net_namespace = globals.net_namespace};
}

}  // namespace holdfast::watchdog
