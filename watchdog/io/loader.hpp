// Reading the configuration in a process of its own: short-lived, unprivileged but for reading, so
// that the parent parses nothing but one reply of fixed shape. Parent side: LoaderRun. Child side:
// run_loader (--role=loader).
#pragma once

#include "core/result.hpp"
#include "runtime/unique_fd.hpp"
#include "watchdog/core/directives.hpp"
#include "watchdog/core/event.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace holdfast::watchdog {

struct LoadRequest {
  std::string config_file;  ///< absolute
  std::string config_id;
  /// The snapshot that runs, to tell what changes; -1: nothing runs yet. Borrowed.
  int running = -1;
};

struct LoadResult {
  LoaderFinished event;
  Directives directives;
  runtime::UniqueFd snapshot;  ///< sealed; empty unless usable
};

/// One load. Ending the object kills the loader.
class LoaderRun {
 public:
  [[nodiscard]] static core::Result<std::unique_ptr<LoaderRun>> start(
      boost::asio::io_context& io, const LoadRequest& request,
      std::function<void(LoadResult)> on_done);
  ~LoaderRun();
  LoaderRun(const LoaderRun&) = delete;
  LoaderRun& operator=(const LoaderRun&) = delete;

  /// on_done still comes, with a failure.
  void kill();

 private:
  struct State;
  explicit LoaderRun(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// The child side: reads the files, writes the snapshot to descriptor 4 and the reply to
/// descriptor 3; descriptor 5 is the snapshot that runs, if one does. Returns the exit code.
[[nodiscard]] int run_loader(std::span<const char* const> words);

/// -t: reads and checks in this process, prints to stderr or `log_file`. Returns the exit code.
[[nodiscard]] int test_config(const LoadRequest& request, const std::string& log_file);

}  // namespace holdfast::watchdog
