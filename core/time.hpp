// Time as the cores know it: they are told the instant, they never ask for it.
// The only source of instants is runtime/clock.hpp (daemons) or the simulator's virtual clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast::core {

/// Length of time. Unit: microseconds, signed.
using Duration = std::chrono::duration<std::int64_t, std::micro>;

/// The monotonic time line. It has no now(): a core cannot read a clock even by mistake.
struct Monotonic {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};

/// A point on the monotonic time line (CLOCK_MONOTONIC in a daemon). Never a calendar time.
using Instant = Monotonic::time_point;

/// VRRPv3's unit on the wire. RFC 9568 §5.2.7.
using Centiseconds = std::chrono::duration<std::int64_t, std::centi>;

using namespace std::chrono_literals;

}  // namespace holdfast::core
