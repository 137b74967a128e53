// Takes the virtual addresses of this director off the host when no vrrp child will: after a crash
// loop or a kill. What is ours is told by mark and record, so a configuration that changed
// meanwhile does not matter. The child side runs as --role=release in a process of its own, so that
// a fault here cannot hurt the watchdog.
#pragma once

#include "core/result.hpp"
#include "runtime/log.hpp"
#include "watchdog/io/process.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace holdfast::watchdog {

struct ReleaseRequest {
  std::string run_dir;       ///< where the record is
  runtime::LogSettings log;  ///< where the process says what it did
  /// Our vrrp child exists still: it was struck, or has not begun.
  bool beside_vrrp = false;
  /// What is static stays: a successor follows.
  bool keep_static = false;
};

/// `on_done` gets how the process ended; clean means: nothing is left.
[[nodiscard]] core::Result<std::unique_ptr<Process>> start_release(
    boost::asio::io_context& io, const ReleaseRequest& request,
    std::function<void(ExitStatus)> on_done);

/// The child side, with its words after argv[0]. Returns the exit code.
[[nodiscard]] int run_release(std::span<const char* const> words);

}  // namespace holdfast::watchdog
