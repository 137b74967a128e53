#include "checkers/core/schedule.hpp"

#include <algorithm>

namespace holdfast::checkers {

core::Instant first_run(const Pace& pace, core::Instant now, core::Rng& rng) {
  return now + kStartDelay + rng.below(pace.warmup);
}

core::Instant next_run(const Pace& pace, core::Instant was_due, core::Instant finished,
                       NextRun next) {
  const core::Instant planned =
      next == NextRun::retry ? finished + pace.delay_before_retry : was_due + pace.delay_loop;
  return std::max(planned, finished + kLeastPause);
}

}  // namespace holdfast::checkers
