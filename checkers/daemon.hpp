// The checkers process: probes the real servers and keeps the kernel's IPVS table. Called by
// watchdog/main.cpp for
// --role=checkers; everything it needs from the parent arrives on the channel.
#pragma once

#include "runtime/child.hpp"

namespace holdfast::checkers {

/// Runs until the parent says stop (or is gone) and returns the exit code of the process: 0 after
/// an orderly stop, 1 when it could not start.
[[nodiscard]] int run_daemon(const runtime::ChildOptions& options);

}  // namespace holdfast::checkers
