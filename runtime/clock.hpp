// The only place that reads a clock. Shells call it; cores are told the instant by their driver.
#pragma once

#include "core/time.hpp"

#include <optional>
#include <string>

namespace holdfast::runtime {

/// CLOCK_MONOTONIC in microseconds. The same time line in every process of the host, also after a
/// restart of one of them, but not across a reboot.
[[nodiscard]] core::Instant now();

/// How long the whole machine has been suspended since boot: CLOCK_BOOTTIME minus CLOCK_MONOTONIC.
[[nodiscard]] core::Duration time_suspended();
/// Processor time that this thread has used so far.
[[nodiscard]] core::Duration time_worked();

/// CLOCK_REALTIME (UTC since 1970, as it stands now) minus CLOCK_MONOTONIC.
[[nodiscard]] core::Duration utc_ahead();

/// The calendar text of a moment on the monotonic time line, as the wall clock stands now:
/// "2026-11-21T00:42:03.123Z". For status output and logs only.
[[nodiscard]] std::string iso8601_utc(core::Instant moment);

/// Notices that this process did not run when it should have: SIGSTOP, a paused virtual machine, a
/// suspended machine or a starved CPU. One object per loop; ask once on every wake-up, before
/// judging any peer.
class PauseDetector {
 public:
  struct Pause {
    /// How much later than its deadline the wake-up came. Zero when there was none or it has not
    /// passed.
    core::Duration late{};
    /// How long the machine was suspended meanwhile; invisible on the monotonic time line.
    core::Duration suspended{};

    [[nodiscard]] core::Duration total() const { return late + suspended; }
    bool operator==(const Pause&) const = default;
  };

  PauseDetector();
  /// `deadline`: when the loop wanted to wake (nullopt: no timer was armed); `woke_at`: when it
  /// did.
  [[nodiscard]] Pause observe(std::optional<core::Instant> deadline, core::Instant woke_at);

 private:
  core::Duration suspended_before_;
};

}  // namespace holdfast::runtime
