// strict_mode, vrrp_strict: users look for addresses that answer nobody. What it takes away from an
// instance's words is said where the instance is built.
#include "config/validate/parts.hpp"

#include <fmt/format.h>

namespace holdfast::config::validation {
void check_strict(const Context& context) {
  Few deaf(context, Severity::warning);
  for (VrrpInstance& instance : context.model.instances) {
    if (!instance.strict) continue;
    if (!instance.unicast_peers.empty()) {
      context.warn(instance.location,
                   fmt::format("strict mode does not know unicast peers: keepalived does not start "
                               "vrrp_instance '{}'",
                               instance.name),
                   "remove 'vrrp_strict' (or 'strict_mode')");
    }
    if (instance.answers() || instance.accept == AcceptMode::no_accept ||
        instance.virtual_addresses.empty())
      continue;
    deaf.add(instance.location,
             fmt::format("under strict mode what is sent to the addresses of vrrp_instance '{}' is "
                         "dropped, pings too, because its priority is not 255",
                         instance.name),
             instance.version == 3
                 ? "if they should answer, add 'accept' to the instance"
                 : "if they should answer, remove 'vrrp_strict' (or 'strict_mode'): version 2 has "
                   "no 'accept' in it");
  }
  deaf.finish();
}

}  // namespace holdfast::config::validation
