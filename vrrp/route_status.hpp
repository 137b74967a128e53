// What became of addresses, routes and rules, for the status.
#pragma once

#include "netlink_reflector/routing.hpp"

#include <boost/json.hpp>

#include <string>
#include <vector>

namespace holdfast::vrrp {

/// [{"text", "held", "let_go": true, "problem"}].
[[nodiscard]] boost::json::array routes_of(const std::vector<netlink::RoutingState>& states);
/// A sentence about the first that is not in place; empty: all are.
[[nodiscard]] std::string trouble_with(const std::vector<netlink::RoutingState>& states);

}  // namespace holdfast::vrrp
