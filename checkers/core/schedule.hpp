// When a probe runs: pure functions of the pace and of what happened.
#pragma once

#include "checkers/core/settings.hpp"
#include "core/rng.hpp"
#include "core/time.hpp"

#include <cstdint>

namespace holdfast::checkers {

/// Before the first probe of a configuration: the kernel's table is made first. keepalived: 1 s.
inline constexpr core::Duration kStartDelay = std::chrono::seconds(1);

/// Least pause between the end of a run and the next one, whatever the configuration says.
inline constexpr core::Duration kLeastPause = std::chrono::milliseconds(10);

/// What the last run asks for. `retry`: an up server failed, ask again before calling it down.
enum class NextRun : std::uint8_t { regular, retry };

/// now + kStartDelay + a random part of [0, warmup).
[[nodiscard]] core::Instant first_run(const Pace& pace, core::Instant now, core::Rng& rng);

/// regular: delay_loop after the former *due* moment, so that the period does not drift with the
/// time a run takes; a run that took longer than the period is followed by one after kLeastPause,
/// in a new rhythm. retry: delay_before_retry after the end of the run.
[[nodiscard]] core::Instant next_run(const Pace& pace, core::Instant was_due,
                                     core::Instant finished, NextRun next);

}  // namespace holdfast::checkers
