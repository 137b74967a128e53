// holdfastctl convert: a configuration in the other syntax, from the author's own statements.
#pragma once

#include "ctl/commands.hpp"

#include <string>

namespace holdfast::ctl {

struct ConvertRequest {
  std::string file;
  std::string config_id;  ///< keepalived: -i
  std::string to;         ///< "toml", "keepalived"; empty: what the file is not written in
  std::string out;        ///< empty: standard output
  bool force = false;     ///< also when there is a file `out` already
};

/// A new file may be read by those only who may read every file of the source.
/// Includes are written out, definitions replaced; what inherits stays as it was written. Prints
/// what is wrong with the source to standard error; with errors nothing is written and the exit
/// code is kFailed.
[[nodiscard]] int convert(const ConvertRequest& request);

}  // namespace holdfast::ctl
