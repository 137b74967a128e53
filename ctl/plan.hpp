// holdfastctl plan: what a reload would change, and what follows from it. Reads the file itself,
// asks the watchdog for what runs and the other processes for their state; changes nothing.
#pragma once

#include "config/compare/plan.hpp"
#include "ctl/commands.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::ctl {

struct PlanRequest {
  std::string file;       ///< empty: the one the director was started with
  std::string from;       ///< a file to compare with; empty: what runs
  std::string config_id;  ///< keepalived: -i; empty: that of the director
  Format format = Format::text;
  Colours colours = Colours::no;
};

/// Prints the plan; kDone: nothing changes, kChanges: something does.
[[nodiscard]] int plan(const Target& target, const PlanRequest& request);

// The parts, pure.

/// What the answers of the vrrp and checkers processes say about the running objects. A process
/// that did not answer leaves its lists empty.
[[nodiscard]] config::RunningView running_view(const Reply& vrrp, const Reply& checkers);
/// Lines for people; the last one ends with a newline.
[[nodiscard]] std::string render_plan(const config::Plan& plan, Colours colours);
/// {"changes":true,"steps":[{"object","change","consequence","impact"}],"removal":{…},
/// "beyond_limit":null}
[[nodiscard]] boost::json::object plan_json(const config::Plan& plan);

}  // namespace holdfast::ctl
