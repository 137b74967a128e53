#include "watchdog/core/restart_policy.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace holdfast::watchdog;
using namespace holdfast::core;

TEST_CASE("restart: the first death is answered at once, the next ones after 1, 2, 4 … seconds") {
  RestartPolicy policy({});
  std::vector<Duration> pauses;

  for (int death = 0; death < 9; ++death) pauses.push_back(policy.on_death(2s).pause);

  CHECK(pauses == std::vector<Duration>{0s, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
}

TEST_CASE("restart: the fifth death in a row is a crash loop") {
  RestartPolicy policy({});

  for (int death = 1; death <= 4; ++death) CHECK_FALSE(policy.on_death(1s).crash_loop);

  CHECK(policy.on_death(1s).crash_loop);
}

TEST_CASE("restart: a child that lived 60 s has a clean record, one that lived 59.999 s has not") {
  RestartPolicy policy({});
  (void)policy.on_death(1s);
  (void)policy.on_death(1s);

  CHECK(policy.on_death(59'999ms) == RestartDecision{.pause = 2s, .crash_loop = false});
  CHECK(policy.on_death(60s) == RestartDecision{});
  CHECK(policy.deaths_in_row() == 1);
}

TEST_CASE("restart: days of dying do not overflow the pause") {
  RestartPolicy policy({});

  for (int death = 0; death < 100'000; ++death) (void)policy.on_death(0s);

  CHECK(policy.on_death(0s).pause == 60s);
}

TEST_CASE("restart: a new configuration is a new chance") {
  RestartPolicy policy({});
  (void)policy.on_death(1s);
  (void)policy.on_death(1s);

  policy.forgive();

  CHECK(policy.on_death(1s) == RestartDecision{});
}
