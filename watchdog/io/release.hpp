// Takes the virtual addresses of a configuration off this host when no vrrp child will: after a
// crash loop or a kill. The child side runs as --role=release in a process of its own, so that a
// fault here cannot hurt the watchdog.
#pragma once

#include "core/result.hpp"
#include "runtime/log.hpp"
#include "watchdog/io/process.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <span>

namespace holdfast::watchdog {

/// `snapshot`: sealed memfd of the configuration. `log`: where the process says what it did.
/// `on_done` gets how the process ended; clean means: nothing is left.
[[nodiscard]] core::Result<std::unique_ptr<Process>> start_release(
    boost::asio::io_context& io, int snapshot, const runtime::LogSettings& log,
    std::function<void(ExitStatus)> on_done);

/// The child side, with its words after argv[0]. Reads the snapshot from descriptor 3. Returns the
/// exit code.
[[nodiscard]] int run_release(std::span<const char* const> words);

}  // namespace holdfast::watchdog
