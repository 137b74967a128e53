#include "vrrp/route_status.hpp"

#include <algorithm>

namespace holdfast::vrrp {

namespace json = boost::json;

json::array routes_of(const std::vector<netlink::RoutingState>& states) {
  json::array routes;
  for (const netlink::RoutingState& each : states) {
    json::object route{{"text", each.text}, {"held", each.held}};
    if (each.let_go) route.emplace("let_go", true);
    if (!each.problem.empty()) route.emplace("problem", each.problem);
    routes.push_back(std::move(route));
  }
  return routes;
}

std::string trouble_with(const std::vector<netlink::RoutingState>& states) {
  const auto failing = std::find_if(states.begin(), states.end(),
                                    [](const auto& each) { return !each.problem.empty(); });
  if (failing == states.end()) return {};
  const auto held =
      std::count_if(states.begin(), states.end(), [](const auto& each) { return each.held; });
  return fmt::format("{} of {} routes and rules are in place: {}: {}", held, states.size(),
                     failing->text, failing->problem);
}

}  // namespace holdfast::vrrp
