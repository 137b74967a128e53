#include "checkers/core/health.hpp"

#include <limits>

namespace holdfast::checkers {

Health Health::resumed(State state, std::uint32_t failures_in_row) {
  Health health(state);
  health.failures_ = failures_in_row;
  return health;
}

HealthChange Health::on_result(Result result, std::uint32_t retry) {
  switch (result) {
    case Result::passed: {
      const bool was_up = is_up();
      state_ = State::up;
      failures_ = 0;
      return was_up ? HealthChange::none : HealthChange::went_up;  // one success is enough
    }
    case Result::failed:
      return on_failure(retry);
    case Result::not_tried:
      return HealthChange::none;
  }
  return HealthChange::none;
}

HealthChange Health::on_failure(std::uint32_t retry) {
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
  switch (state_) {
    case State::assumed_up:  // the assumption had nothing behind it: no retries
      state_ = State::down;
      return HealthChange::went_down;
    case State::up:
      if (failures_ <= retry) return HealthChange::retry;
      state_ = State::down;
      return HealthChange::went_down;
    case State::awaited:
    case State::down:
      return HealthChange::none;
  }
  return HealthChange::none;
}

}  // namespace holdfast::checkers
