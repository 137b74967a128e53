// Starting one script. Internal to scripts/.
#pragma once

#include "core/result.hpp"
#include "core/script.hpp"
#include "runtime/unique_fd.hpp"

#include <string>
#include <sys/types.h>

namespace holdfast::scripts {

struct Spawned {
  pid_t pid = -1;
  runtime::UniqueFd pidfd;
  /// Of a script of another user, after its process has ended: holds an errno when it never became
  /// the script.
  runtime::UniqueFd start_error;
};

struct SpawnOptions {
  int standard_input = -1;          ///< instead of /dev/null; -1: none
  bool ends_with_us = false;        ///< gets SIGTERM when this process dies, however that comes
  bool keeps_error_output = false;  ///< of this process; for a program of our own
};

/// A new process, switch user, clean up, exec of `program` with the words of the command. Of our
/// own user: returns when that has happened, or with what the system said against it. Of another
/// one: returns at once, whatever that user does to the new process. The script has nothing of
/// ours: a session and process group of its own (their number is its pid), stdio on /dev/null, no
/// other descriptor, no signal blocked or ignored, and all capabilities that the kernel gives to
/// its user.
[[nodiscard]] core::Result<Spawned> spawn(const std::string& program, const core::Command& command,
                                          const SpawnOptions& options = {});

}  // namespace holdfast::scripts
