// What whoever starts us may have left in disorder: closed standard descriptors, small limits.
// Called first in main.
#pragma once

#include "core/result.hpp"

namespace holdfast::runtime {

/// Whatever of 0, 1 and 2 is closed leads to /dev/null from here on. Otherwise the next files and
/// sockets would get these numbers, and messages meant for a terminal would be written into them.
void open_standard_descriptors();

/// Limits that come from the shell we were started in and that a director cannot live with are
/// raised: the size of files, which also holds for memory that processes share, to 1 GiB, and the
/// number of descriptors to kLeastDescriptors; that of locked memory goes where it can. Larger ones
/// are left alone, because scripts inherit them. The error names what stays too small (raising a
/// hard limit takes CAP_SYS_RESOURCE).
[[nodiscard]] core::Result<void> raise_limits();
inline constexpr unsigned kLeastDescriptors = 1024;

}  // namespace holdfast::runtime
