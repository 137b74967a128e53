#include "watchdog/io/wiring.hpp"

namespace holdfast::watchdog {

RoleSet roles_of(const config::Model& model) {
  RoleSet roles;
  if (!model.instances.empty()) roles.insert(Role::vrrp);
  if (!model.services.empty()) roles.insert(Role::checkers);
  return roles;
}

Directives directives_of(const config::Globals& globals) {
  const auto optional = [](const config::Rare<std::string>& path) {
    return path ? std::optional(*path) : std::nullopt;
  };
  return {.router_id = globals.router_id,
          .reload_time_file = globals.reload_time_file,
          .reload_repeat = globals.reload_repeat,
          .reload_file = optional(globals.reload_file),
          .check_log = optional(globals.reload_check_config),
          .umask = globals.umask};
}

}  // namespace holdfast::watchdog
