// The configurations of directors that work together, side by side: what does not match ends in two
// masters, in addresses that are lost at a take-over, or in services that only one of them has.
// Called by holdfastctl check A B. Offline, values only.
#pragma once

#include "config/load.hpp"

#include <string>

namespace holdfast::config {

/// One director's configuration; borrowed for the comparison.
struct Director {
  const Loaded& loaded;
  std::string name;  ///< as it is called in messages: its file
};

/// Appends what does not match. Findings stand in `first`; their sentences name the place in
/// `second`. An error is what makes two masters; the rest are warnings and notes.
void compare_directors(const Director& first, const Director& second, Diagnostics& out);

}  // namespace holdfast::config
