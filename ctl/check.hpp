// holdfastctl check: reads configurations without touching anything that runs.
// Works offline and without privileges; what this host knows is asked only with --online.
#pragma once

#include "ctl/commands.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

struct CheckRequest {
  std::vector<std::string> files;  ///< one, or those of the directors that work together
  /// keepalived: -i. None, one for all files, or one a file; another number is refused.
  std::vector<std::string> config_ids;
  bool online = false;  ///< compare the first file with this host
  bool strict = false;  ///< warnings fail, too
  Format format = Format::text;
  Colours colours = Colours::no;
};

/// Prints each file's findings, then those of each pair of files. The exit code is kDone, or
/// kFailed when there are errors.
[[nodiscard]] int check(const Target& target, const CheckRequest& request);

}  // namespace holdfast::ctl
