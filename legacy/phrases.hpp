// The phrases of keepalived's dumps: addresses, routes, rules, commands, numbers. Shared by the
// text and the JSON form.
#pragma once

#include "config/model.hpp"

#include "legacy/status_view.hpp"
#include <string>

namespace holdfast::legacy {

/// "192.0.2.10/24 dev eth0 scope global", with " set" while it is in place. The third word is the
/// device.
[[nodiscard]] std::string address_phrase(const config::VirtualAddress& address, bool is_set);
/// "203.0.113.0/24 via inet 192.0.2.2 dev eth0 metric 5".
[[nodiscard]] std::string route_phrase(const config::Route& route);
/// "from 198.51.100.0/24 priority 1000 lookup 100".
[[nodiscard]] std::string rule_phrase(const config::Rule& rule);
/// "'/usr/bin/check' 'word'".
[[nodiscard]] std::string command_phrase(const config::Script& script);
/// Seconds: "5" when they are whole, "0.5" otherwise. Parsers decode whole ones as integers.
[[nodiscard]] std::string seconds_text(core::Duration duration);
/// Whole seconds, cut: what keepalived prints where it has no fractions.
[[nodiscard]] std::int64_t whole_seconds(core::Duration duration);
/// "1795849873.420000" of µs.
[[nodiscard]] std::string moment_text(std::int64_t moment);
/// keepalived: instances that do not say otherwise accept packets to their addresses.
[[nodiscard]] bool accepts(const config::VrrpInstance& instance);

}  // namespace holdfast::legacy
