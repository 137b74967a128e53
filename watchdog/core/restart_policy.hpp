// When a child that died is started again: at once the first time, then 1, 2, 4 … seconds, and
// forgiven after a stable period. Used by the supervisor, one per child. It only counts; it never
// starts anything.
#pragma once

#include "core/time.hpp"

namespace holdfast::watchdog {

struct RestartSettings {
  /// A child that lived this long starts with a clean record. keepalived uses the same 60 s.
  core::Duration stable_after = std::chrono::seconds(60);
  /// Pause before the second restart in a row; doubles each time.
  core::Duration first_pause = std::chrono::seconds(1);
  /// The pause does not grow beyond this.
  core::Duration longest_pause = std::chrono::seconds(60);
  /// This many deaths in a row, none of them stable, are a crash loop.
  unsigned crash_loop_after = 5;
};

struct RestartDecision {
  core::Duration pause{};   ///< zero: at once
  bool crash_loop = false;  ///< the caller decides whether that means giving up

  bool operator==(const RestartDecision&) const = default;
};

class RestartPolicy {
 public:
  explicit RestartPolicy(const RestartSettings& settings) : settings_(settings) {}

  /// The child died after `lived`: what now?
  [[nodiscard]] RestartDecision on_death(core::Duration lived);

  /// Deaths in a row without a stable period.
  [[nodiscard]] unsigned deaths_in_row() const { return deaths_in_row_; }
  /// A new configuration is a new chance: the record is clean again.
  void forgive() { deaths_in_row_ = 0; }

 private:
  RestartSettings settings_;
  unsigned deaths_in_row_ = 0;
};

}  // namespace holdfast::watchdog
