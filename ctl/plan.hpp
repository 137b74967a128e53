// holdfastctl plan: what a reload would change, and what the running director would do. Reads the
// file itself, asks the watchdog for what runs, and has the other processes rehearse the reload on
// copies of themselves; changes nothing. With --offline: the differences of two files.
#pragma once

#include "config/compare/diff.hpp"
#include "config/compare/removal.hpp"
#include "ctl/commands.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast::ctl {

struct PlanRequest {
  /// The new file; none: the one the director was started with. Offline: the former, the new.
  std::vector<std::string> files;
  bool is_offline = false;
  std::string config_id;  ///< keepalived: -i; empty: that of the director
  Format format = Format::text;
  Colours colours = Colours::no;
};

/// Prints the plan; kDone: nothing changes, kChanges: something does.
[[nodiscard]] int plan(const Target& target, const PlanRequest& request);

// The parts, pure.

/// What is printed.
struct PlanPage {
  std::string from;  ///< for the heading
  std::string to;
  std::vector<config::Change> changes;
  /// Answers of "rehearse" by process; of those that answered.
  std::map<std::string, boost::json::object> rehearsed;
  std::vector<std::string> warnings;  ///< what goes wrong with the other director
  config::Removal removal;
  std::string beyond_limit;

  /// Two files may differ in nothing, and still a reload does something: it tries again what
  /// failed.
  [[nodiscard]] bool does_something() const;
};
/// Lines for people; the last one ends with a newline.
[[nodiscard]] std::string render_plan(const PlanPage& page, Colours colours);
/// {"from","to","changes":true,"differences":["vrrp_instance VI_1: priority 100 → 150"],
/// "rehearsed":{"vrrp":{"actions":[…]}},"warnings","removal":{…},"beyond_limit":null}
[[nodiscard]] boost::json::object plan_json(const PlanPage& page);

}  // namespace holdfast::ctl
