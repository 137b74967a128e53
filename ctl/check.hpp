// holdfastctl check: reads configurations without touching anything that runs.
// Works offline and without privileges; what this host knows is asked only with --online.
#pragma once

#include "ctl/commands.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

struct CheckRequest {
  std::vector<std::string> files;  ///< one, or those of the directors that work together
  std::string config_id;           ///< keepalived: -i
  Format format = Format::text;
};

/// Prints the findings and returns the exit code: kDone, or kFailed when there are errors.
[[nodiscard]] int check(const CheckRequest& request);

}  // namespace holdfast::ctl
