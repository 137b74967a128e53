// When probes run.
#include "checkers/core/schedule.hpp"

#include <doctest/doctest.h>

using namespace holdfast::checkers;
using namespace holdfast::core;

namespace {
const Instant t0{1h};
}

TEST_CASE("schedule: the first run is one second after the start, spread over the warmup") {
  Rng rng(1);
  const Pace pace{.delay_loop = 6s, .warmup = 6s};
  Instant earliest = t0 + 1h;
  Instant latest = t0;
  for (int i = 0; i < 1000; ++i) {
    const Instant at = first_run(pace, t0, rng);
    earliest = std::min(earliest, at);
    latest = std::max(latest, at);
  }
  CHECK(earliest >= t0 + 1s);
  CHECK(earliest < t0 + 1s + 100ms);
  CHECK(latest < t0 + 7s);
  CHECK(latest > t0 + 7s - 100ms);
}

TEST_CASE("schedule: without warmup the first run is exactly one second after the start") {
  Rng rng(1);
  CHECK(first_run({.warmup = 0s}, t0, rng) == t0 + 1s);
}

TEST_CASE("schedule: the period does not drift with the time that runs take") {
  const Pace pace{.delay_loop = 6s};
  CHECK(next_run(pace, t0, t0 + 700ms, NextRun::regular) == t0 + 6s);
}

TEST_CASE("schedule: a run longer than the period is followed at once, in a new rhythm") {
  const Pace pace{.delay_loop = 6s};
  CHECK(next_run(pace, t0, t0 + 9s, NextRun::regular) == t0 + 9s + kLeastPause);
}

TEST_CASE("schedule: a retry waits delay_before_retry from the end of the failed run") {
  const Pace pace{.delay_loop = 60s, .delay_before_retry = 3s};
  CHECK(next_run(pace, t0, t0 + 2s, NextRun::retry) == t0 + 5s);
  CHECK(next_run({.delay_before_retry = 0s}, t0, t0 + 2s, NextRun::retry) == t0 + 2s + kLeastPause);
}
