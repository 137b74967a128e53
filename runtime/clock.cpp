#include "runtime/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace holdfast::runtime {
namespace {

core::Duration read_clock(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);  // cannot fail for the clocks used here
  return std::chrono::duration_cast<core::Duration>(std::chrono::seconds(time.tv_sec) +
                                                    std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

core::Instant now() {
  return core::Instant(read_clock(CLOCK_MONOTONIC));
}

core::Duration time_suspended() {
  return read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

core::Duration time_worked() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

core::Duration utc_ahead() {
  return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

std::string iso8601_utc(core::Instant moment) {
  using std::chrono::floor;
  const core::Duration calendar = read_clock(CLOCK_REALTIME) - (now() - moment);
  const auto whole = floor<std::chrono::seconds>(calendar);
  const auto millis = floor<std::chrono::milliseconds>(calendar - whole);
  std::tm fields{};
  const std::time_t seconds = whole.count();
  ::gmtime_r(&seconds, &fields);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fields, millis.count());
}

PauseDetector::PauseDetector() : suspended_before_(time_suspended()) {}

PauseDetector::Pause PauseDetector::observe(std::optional<core::Instant> deadline,
                                            core::Instant woke_at) {
  Pause pause;
  if (deadline && woke_at > *deadline) pause.late = woke_at - *deadline;
  // Two clocks are read one after the other, so that their difference jitters by a few µs.
  const core::Duration suspended = time_suspended();
  if (suspended > suspended_before_ + std::chrono::milliseconds(1)) {
    pause.suspended = suspended - suspended_before_;
    suspended_before_ = suspended;
  }
  return pause;
}

}  // namespace holdfast::runtime
