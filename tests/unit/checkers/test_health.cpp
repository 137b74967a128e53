// Every (state × result) pair of a check's opinion.
#include "checkers/core/health.hpp"

#include <doctest/doctest.h>

using namespace holdfast::checkers;
using State = Health::State;

TEST_CASE("health: every state meets every result") {
  struct Row {
    State state;
    std::uint32_t failures;
    Result result;
    std::uint32_t retry;
    HealthChange change;
    State after;
    std::uint32_t failures_after;
  };
  const Row rows[] = {
      {State::assumed_up, 0, Result::passed, 3, HealthChange::none, State::up, 0},
      {State::assumed_up, 0, Result::failed, 3, HealthChange::went_down, State::down, 1},
      {State::assumed_up, 0, Result::not_tried, 3, HealthChange::none, State::assumed_up, 0},
      {State::awaited, 0, Result::passed, 3, HealthChange::went_up, State::up, 0},
      {State::awaited, 2, Result::passed, 3, HealthChange::went_up, State::up, 0},
      {State::awaited, 0, Result::failed, 3, HealthChange::none, State::awaited, 1},
      {State::awaited, 7, Result::failed, 3, HealthChange::none, State::awaited, 8},
      {State::awaited, 0, Result::not_tried, 3, HealthChange::none, State::awaited, 0},
      {State::up, 0, Result::passed, 3, HealthChange::none, State::up, 0},
      {State::up, 2, Result::passed, 3, HealthChange::none, State::up, 0},
      {State::up, 0, Result::failed, 3, HealthChange::retry, State::up, 1},
      {State::up, 2, Result::failed, 3, HealthChange::retry, State::up, 3},
      {State::up, 3, Result::failed, 3, HealthChange::went_down, State::down, 4},
      {State::up, 0, Result::failed, 0, HealthChange::went_down, State::down, 1},
      {State::up, 3, Result::not_tried, 3, HealthChange::none, State::up, 3},
      {State::down, 4, Result::passed, 3, HealthChange::went_up, State::up, 0},
      {State::down, 4, Result::failed, 3, HealthChange::none, State::down, 5},
      {State::down, 4, Result::not_tried, 3, HealthChange::none, State::down, 4},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.state));
    CAPTURE(row.failures);
    CAPTURE(static_cast<int>(row.result));
    Health health = Health::resumed(row.state, row.failures);

    CHECK(health.on_result(row.result, row.retry) == row.change);

    CHECK(health == Health::resumed(row.after, row.failures_after));
  }
}

TEST_CASE("health: an up server is granted exactly `retry` further tries") {
  Health health(State::up);
  int runs = 0;
  while (health.is_up()) {
    static_cast<void>(health.on_result(Result::failed, 3));
    ++runs;
  }
  CHECK(runs == 4);
}

TEST_CASE("health: a failure count at its limit stays there") {
  Health health = Health::resumed(State::down, 0xffffffff);
  CHECK(health.on_result(Result::failed, 3) == HealthChange::none);
  CHECK(health.failures_in_row() == 0xffffffff);
}

TEST_CASE("health: pending means that nothing was heard yet") {
  CHECK(Health(State::assumed_up).is_pending());
  CHECK(Health(State::awaited).is_pending());
  CHECK_FALSE(Health(State::up).is_pending());
  CHECK_FALSE(Health(State::down).is_pending());
  CHECK_FALSE(Health::resumed(State::awaited, 1).is_pending());
}
