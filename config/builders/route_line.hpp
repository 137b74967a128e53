// One line of virtual_routes or static_routes (rows of Block::route_list), and one of virtual_rules
// or static_rules (rows of Block::rule_list).
#pragma once

#include "config/builders/address_line.hpp"

namespace holdfast::config {

/// nullopt when the line gives no route; every reason is reported.
[[nodiscard]] std::optional<Route> read_route_line(BuildContext& context, const Statement& entry,
                                                   ListOwner owner);
/// nullopt when the line gives no rule; every reason is reported.
[[nodiscard]] std::optional<Rule> read_rule_line(BuildContext& context, const Statement& entry,
                                                 ListOwner owner);

}  // namespace holdfast::config
