// The status of the processes as metrics: the names that dashboards of keepalived know, and our own
// (docs/metrics.md). Pure: what a process does not tell is left out, never zero.
#pragma once

#include "ctl/exposition.hpp"
#include "ctl/status.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace holdfast::ctl {

/// `now`: as in TextOptions.
[[nodiscard]] std::string render_metrics(const Replies& replies, Dialect dialect,
                                         std::string_view now);

// The parts, one file each.
void add_process_metrics(Exposition& to, const Replies& replies, std::string_view now);
void add_vrrp_metrics(Exposition& to, const boost::json::object& vrrp);
/// The names of the exporters of keepalived.
void add_keepalived_metrics(Exposition& to, const boost::json::object& vrrp);
void add_checkers_metrics(Exposition& to, const boost::json::object& checkers);

/// 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT, as keepalived counts them.
[[nodiscard]] int state_number(std::string_view state);

}  // namespace holdfast::ctl
