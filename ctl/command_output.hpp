// What another program prints, for the support bundle: bounded in time and size, never through a
// shell.
#pragma once

#include "core/time.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

struct CommandLimits {
  core::Duration time = std::chrono::seconds(15);
  std::size_t bytes = std::size_t{16} << 20;
};

/// Standard output and errors together. What was cut, did not end or could not be started ends with
/// a line that says so.
[[nodiscard]] std::string output_of(const std::vector<std::string>& words,
                                    const CommandLimits& limits);

}  // namespace holdfast::ctl
