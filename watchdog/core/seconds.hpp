// Durations for sentences.
#pragma once

#include "core/time.hpp"

namespace holdfast::watchdog {

[[nodiscard]] constexpr double seconds(core::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace holdfast::watchdog
