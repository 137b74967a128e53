#include "vrrp/route_status.hpp"

#include "vrrp/status.hpp"

#include <algorithm>

namespace holdfast::vrrp {

namespace json = boost::json;

json::array addresses_of(const netlink::Publication& publication) {
  json::array addresses;
  for (const netlink::HeldAddress& each : publication.addresses) {
    json::object address{{"address", each.desired.prefix.address.to_string() + "/" +
                                         std::to_string(each.desired.prefix.length)},
                         {"interface", each.desired.interface},
                         {"label", each.desired.label.str()},
                         {"held", each.held},
                         {"foreign", each.foreign}};
    if (each.let_go) address.emplace("let_go", true);
    if (!each.problem.empty()) address.emplace("problem", each.problem);
    addresses.push_back(std::move(address));
  }
  return addresses;
}

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
