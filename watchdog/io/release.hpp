// Takes the virtual addresses of a configuration off this host when no vrrp child will: after a
// crash loop or a kill. The child side runs as --role=release in a process of its own, so that a
// fault here cannot hurt the watchdog.
#pragma once

#include "core/result.hpp"
#include "watchdog/io/process.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace holdfast::watchdog {

/// `snapshot`: sealed memfd of the configuration. `on_done` gets how the process ended; clean
/// means: nothing is left.
[[nodiscard]] core::Result<std::unique_ptr<Process>> start_release(
    boost::asio::io_context& io, int snapshot, std::function<void(ExitStatus)> on_done);

/// The child side. Reads the snapshot from descriptor 3. Returns the exit code.
[[nodiscard]] int run_release();

}  // namespace holdfast::watchdog
