// Starting one script. Internal to runtime/script.cpp.
#pragma once

#include "core/result.hpp"
#include "runtime/script.hpp"
#include "runtime/unique_fd.hpp"

#include <sys/types.h>

namespace holdfast::runtime {

struct Spawned {
  pid_t pid = -1;
  UniqueFd pidfd;
  /// After the process ended: holds an errno when it never became the script.
  UniqueFd start_error;
};

/// fork, switch user, clean up, exec. Everything that allocates happens before the fork.
[[nodiscard]] core::Result<Spawned> spawn(const Command& command);

}  // namespace holdfast::runtime
