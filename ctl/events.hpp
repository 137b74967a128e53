// holdfastctl events: what the processes of a director said lately, in the order of time, and with
// --follow what they say from now on. The lines are in the processes' memory: no log is needed.
#pragma once

#include "ctl/commands.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

struct EventsRequest {
  bool follow = false;
  /// Only ids that begin so: "vrrp-state". Empty: all.
  std::string id = {};
  Format format = Format::text;
};

/// One thing that a process said.
struct ToldEvent {
  std::string at;  ///< "2026-11-21T00:42:03.123Z"
  std::string process;
  std::string level;
  std::string id;
  std::string text;
};

[[nodiscard]] int events(const Target& target, const EventsRequest& request);

/// The lines of all processes as they came; equal moments keep the order of the processes.
[[nodiscard]] std::vector<ToldEvent> in_time_order(std::vector<ToldEvent> events);
/// With its end of line.
[[nodiscard]] std::string event_line(const ToldEvent& event, Format format);

}  // namespace holdfast::ctl
