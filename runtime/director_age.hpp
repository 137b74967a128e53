// How long this director has been running: a child that was started again is younger.
#pragma once

#include "core/time.hpp"

namespace holdfast::runtime {

/// The age of the parent process, which is the watchdog; zero when that cannot be seen. Suspended
/// time included.
[[nodiscard]] core::Duration director_age();

}  // namespace holdfast::runtime
