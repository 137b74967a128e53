// The opinion about one (service, server, check): does this check hold the server up or down? Fed
// with outcomes, knows neither time nor network. One object each, so there is no second place that
// could disagree.
#pragma once

#include "checkers/core/outcome.hpp"

#include <cstdint>

namespace holdfast::checkers {

/// What an outcome did to the opinion. `retry`: still up, ask again soon.
enum class HealthChange : std::uint8_t { none, retry, went_up, went_down };

class Health {
 public:
  /// `assumed_up`: in service before its first probe, which then gets no retries (keepalived:
  /// without alpha). `awaited`: down before its first success (keepalived: alpha).
  enum class State : std::uint8_t { assumed_up, awaited, up, down };

  explicit Health(State initial = State::assumed_up) : state_(initial) {}
  /// What a predecessor knew: after a reload or a restart of the process.
  [[nodiscard]] static Health resumed(State state, std::uint32_t failures_in_row);

  /// `retry`: further tries that an up server is granted before it is called down.
  [[nodiscard]] HealthChange on_result(Result result, std::uint32_t retry);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_up() const { return state_ == State::assumed_up || state_ == State::up; }
  /// No outcome yet.
  [[nodiscard]] bool is_pending() const {
    return failures_ == 0 && (state_ == State::assumed_up || state_ == State::awaited);
  }
  /// Saturates; 0 after a success.
  [[nodiscard]] std::uint32_t failures_in_row() const { return failures_; }

  bool operator==(const Health&) const = default;

 private:
  [[nodiscard]] HealthChange on_failure(std::uint32_t retry);

  State state_;
  std::uint32_t failures_ = 0;
};

}  // namespace holdfast::checkers
