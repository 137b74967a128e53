// The VRRP process: elections on the wire and virtual addresses in the kernel. Called by
// watchdog/main.cpp for
// --role=vrrp; everything it needs from the parent arrives on the channel.
#pragma once

#include "runtime/child.hpp"

namespace holdfast::vrrp {

/// Runs until the parent says stop (or is gone) and returns the exit code of the process: 0 after
/// an orderly stop, 1 when it could not start.
[[nodiscard]] int run_daemon(const runtime::ChildOptions& options);

}  // namespace holdfast::vrrp
