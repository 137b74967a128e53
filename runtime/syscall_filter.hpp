// What a process that runs no programs may ask of the kernel. A mistake in reading packets, replies
// or files then gives away what the process does anyway (asking the script process for a command
// included), and neither a shell of its own nor another user, name space, module or trace of a
// neighbour. Called by mains, once everything above it is opened.
#pragma once

#include "core/result.hpp"

namespace holdfast::runtime {

/// `files`: reads and answers, needs no network of its own but name services (the loader).
/// `network`: raw sockets and netlink as well (vrrp, checkers, release).
enum class FilterFor : unsigned char { files, network };

/// Environment variable that decides; the unit's EnvironmentFile can set it. Empty or not set: as
/// `on`. `off`: no filter. `loud`: for tests, a call that is not on the list ends the process with
/// SIGSYS after its name was written to standard error.
inline constexpr const char* kFilterVariable = "HOLDFAST_SYSCALL_FILTER";

/// For all threads, those that are running included, and for ever. Calls of the list go through;
/// what only an intruder asks for (another program, user, name space, module, memory of a
/// neighbour) is refused with EPERM; anything else with ENOSYS, as a kernel that does not have it
/// would: a new C library then takes its other way instead of ending. Refused calls are in the
/// kernel's log
/// ("audit: type=1326 … syscall=N") where that keeps them. Sets no_new_privs.
[[nodiscard]] core::Result<void> filter_syscalls(FilterFor what);

}  // namespace holdfast::runtime
