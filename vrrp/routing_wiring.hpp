// Lines of virtual_routes and virtual_rules as the kernel is to be told them: words become header
// fields and attributes. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "core/router_key.hpp"
#include "netlink_reflector/core/routing.hpp"

#include <map>
#include <vector>

namespace holdfast::vrrp {

using RoutingList = std::vector<netlink::DesiredRouting>;

/// Of instances that have any, and of the director itself.
struct RoutingWishes {
  std::map<core::RouterKey, RoutingList> of_instances;
  RoutingList statics;

  bool operator==(const RoutingWishes&) const = default;
};

[[nodiscard]] netlink::DesiredRouting routing_of(const config::Route& written);
/// `priority` counts where the line has none.
[[nodiscard]] netlink::DesiredRouting routing_of(const config::Rule& written,
                                                 std::uint32_t priority);

/// Gives rules without a priority theirs: 16384 downwards for each family, in the order of the
/// files (keepalived).
class RulePriorities {
 public:
  explicit RulePriorities(const config::Model& model);
  [[nodiscard]] std::uint32_t of(const config::Rule& rule) const;

 private:
  std::map<const config::Rule*, std::uint32_t> given_;
};

/// Routes first: a rule leads to them.
[[nodiscard]] RoutingList routing_of(const std::vector<config::Route>& routes,
                                     const std::vector<config::Rule>& rules,
                                     const RulePriorities& priorities);

}  // namespace holdfast::vrrp
