// `holdfast --replay FILE`: a recording at the terminal. Needs no powers and touches nothing.
#pragma once

#include <string>

namespace holdfast::vrrp {

/// Prints the decisions to standard output and the verdict to standard error. Exit code: 0 the core
/// decides the same, 1 it does not, 2 the file cannot be read or understood.
[[nodiscard]] int replay(const std::string& file);

}  // namespace holdfast::vrrp
