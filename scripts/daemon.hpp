// The role "scripts" of the binary. Called by watchdog/main.cpp; what it needs arrives on the
// channel: connections of the processes that ask for scripts.
#pragma once

#include "runtime/child.hpp"

namespace holdfast::scripts {

/// Runs until the watchdog and all who ask are gone and no script is left (bounded by
/// Queue::kFarewell). Returns the exit code of the process.
[[nodiscard]] int run_daemon(const runtime::ChildOptions& options);

}  // namespace holdfast::scripts
