// The version that --version and the status show; the number comes from the top-level
// CMakeLists.txt.
#pragma once

#include <string_view>

namespace holdfast::watchdog {

inline constexpr std::string_view kVersion = HOLDFAST_VERSION;

}  // namespace holdfast::watchdog
