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
};

/// A new process, switch user, clean up, exec of `program` with the words of the command; returns
/// when that has happened, or with what the system said against it. The script has
/// nothing of ours: a session and process group of its own (their number is its pid), stdio on
/// /dev/null, no other descriptor, no signal blocked or ignored, and all capabilities that the
/// kernel gives to its user.
/// `standard_input`: instead of /dev/null; -1: none.
[[nodiscard]] core::Result<Spawned> spawn(const std::string& program, const core::Command& command,
                                          int standard_input = -1);

}  // namespace holdfast::scripts
