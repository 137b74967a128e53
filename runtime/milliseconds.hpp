// Durations as status pages tell them.
#pragma once

#include "core/time.hpp"

namespace holdfast::runtime {

[[nodiscard]] inline double milliseconds(core::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

}  // namespace holdfast::runtime
