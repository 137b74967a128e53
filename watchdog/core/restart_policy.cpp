#include "watchdog/core/restart_policy.hpp"

#include <algorithm>

namespace holdfast::watchdog {

RestartDecision RestartPolicy::on_death(core::Duration lived) {
  if (lived >= settings_.stable_after) deaths_in_row_ = 0;
  ++deaths_in_row_;

  RestartDecision decision;
  decision.crash_loop = deaths_in_row_ >= settings_.crash_loop_after;
  if (deaths_in_row_ == 1) return decision;  // a child's death is not a failover: back at once

  // Doubling step by step, because a shift by the number of deaths would overflow on a child that
  // dies for days.
  decision.pause = settings_.first_pause;
  for (unsigned death = 2; death < deaths_in_row_ && decision.pause < settings_.longest_pause;
       ++death)
    decision.pause *= 2;
  decision.pause = std::min(decision.pause, settings_.longest_pause);
  return decision;
}

}  // namespace holdfast::watchdog
