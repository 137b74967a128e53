// A child that says nothing: busy, or hung? Its heartbeats come from inside its loop, so silence
// alone does not tell. Whether the loop works does: it uses the processor, or wants to.
#include "watchdog/core/seconds.hpp"
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::watchdog {

core::Duration Supervisor::patience_with(const Live& live) const {
  return live.has_spoken ? settings_.silence_limit : settings_.start_limit;
}

/// Since it was looked at the first time, as far as was seen.
bool Supervisor::has_worked(const ChildRecord& child, const Live& live) {
  return live.look && !child.stopped && (child.is_working || child.worked > live.look->worked);
}

// A first look, then one when the patience is over, then one after each further span of that
// length.
core::Instant Supervisor::silence_deadline(const Live& live) const {
  if (!live.look) return live.heard_at + settings_.look_after;
  const core::Duration span = patience_with(live) - settings_.look_after;
  return std::min(live.look->at + span, live.heard_at + settings_.busy_limit);
}

/// Adverts that did not leave were no reason to give addresses up while the process was there to
/// hear of a better master. Silent as well, it has none.
bool Supervisor::peers_may_serve(Role role, const Live& live) const {
  return role == Role::vrrp && live.applied != 0 && settings_.keep_addresses == KeepAddresses::no &&
         holds_until_ && *holds_until_ <= now_;
}

void Supervisor::judge_silence(Role role) {
  ChildRecord& child = record(role);
  auto& live = std::get<Live>(child.state);
  const double silent = seconds(now_ - live.heard_at);
  const bool is_busy = has_worked(child, live) && !peers_may_serve(role, live);
  if (live.look && !is_busy && now_ >= live.heard_at + patience_with(live))
    return end_hung(role, fmt::format("gave no sign of life for {:.1f} s", silent));
  if (now_ >= live.heard_at + settings_.busy_limit)
    return end_hung(role,
                    fmt::format("works, but has not come back to its loop for {:.1f} s", silent));
  if (live.look && !std::exchange(live.is_late, true))
    report(
        ReportId::child_late,
        fmt::format("the {} process gave no sign of life for {:.1f} s, but it works: it is late, "
                    "not dead",
                    to_string(role), silent));
  live.look = Live::Look{.at = now_, .worked = child.worked};
}

}  // namespace holdfast::watchdog
