// How long the loop of this thread works without looking at its sockets and timers: whatever comes
// in meanwhile waits. Started by Loop::run; told in status as "loop".
#pragma once

#include "core/time.hpp"

#include <boost/json/object.hpp>

namespace holdfast::runtime {

/// A turn is all that is done between two looks.
struct Turns {
  std::uint64_t count = 0;
  core::Duration longest{};
  core::Instant longest_at;  ///< When that one ended.
  /// The most that a turn worked: without what it waited, for the processor or in the kernel.
  core::Duration busiest{};
  core::Instant since;  ///< Counted from here.
};

/// Counts this thread's turns from now on, from zero.
void count_turns();
/// Of this thread; all zero when nobody counts.
[[nodiscard]] Turns turns();
/// When the turn began that this thread is in; now, when nobody counts.
[[nodiscard]] core::Instant turn_began();
/// As every process tells them in its status: longest_turn_ms, longest_turn_at, busiest_turn_ms,
/// turns, since_at.
[[nodiscard]] boost::json::object turns_json();

}  // namespace holdfast::runtime
