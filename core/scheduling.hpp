// How the kernel is to schedule a process.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace holdfast::core {

/// keepalived: the words after vrrp_, checker_ and bfd_.
struct Scheduling {
  std::optional<std::int8_t> nice;     ///< -20..19; none: as the process was started. `priority`
  std::uint8_t realtime_priority = 0;  ///< 1..99, SCHED_RR; 0: none. `rt_priority`
  bool lock_memory = false;            ///< nothing is swapped out (mlockall). `no_swap`
  /// Processor time at real-time priority without a pause; then the process goes on at normal
  /// priority for a second. `rlimit_rttime`
  Duration realtime_limit = std::chrono::milliseconds(10);
  /// Each wake-up that is at least `lateness` late raises the real-time priority by one, up to this
  /// (1..99); 0: never. `max_auto_priority`, `min_auto_priority_delay`
  std::uint8_t highest_priority = 0;
  Duration lateness = std::chrono::seconds(1);
  std::vector<std::uint16_t> processors;  ///< empty: all it was started with. `cpu_affinity`

  bool operator==(const Scheduling&) const = default;
};

}  // namespace holdfast::core
