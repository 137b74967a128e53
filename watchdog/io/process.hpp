// Processes of this same binary in another role: spawned by /proc/self/exe, watched through a
// pidfd. Used for the children, the loader and the cleaner. Knows nothing about why they run.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"
#include "watchdog/core/exit_status.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace holdfast::watchdog {

struct SpawnRequest {
  std::vector<std::string> arguments;  ///< after argv[0]
  int fd3 = -1;                        ///< becomes descriptor 3 of the process
  int fd4 = -1;                        ///< becomes descriptor 4; -1: none
  int fd5 = -1;                        ///< becomes descriptor 5; -1: none; only with fd4
};

/// A running process. Ending the object does not end the process; its death is then not reported
/// any more.
class Process {
 public:
  /// `on_exit` runs once, from the loop, after the process was reaped.
  [[nodiscard]] static core::Result<std::unique_ptr<Process>> spawn(
      boost::asio::io_context& io, const SpawnRequest& request,
      std::function<void(ExitStatus)> on_exit);
  /// Takes notice of dead children that nobody here has started: a container's first process gets
  /// every orphan of it, and a shell that ends in `exec` leaves its children. Without this they
  /// stay as zombies, which `pgrep` and `kill -0` take for running programs. To be called at the
  /// start and at each SIGCHLD.
  static void reap_orphans();
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const;
  /// What its first thread is doing, which runs its loop.
  struct Activity {
    bool is_stopped = false;  ///< by a signal or a debugger
    bool is_working = false;  ///< wants the processor, or waits inside the kernel
    core::Duration worked{};  ///< processor time used so far; the kernel counts hundredths
  };
  /// Nothing of it when it cannot be seen.
  [[nodiscard]] Activity activity() const;
  /// A pidfd of its own for somebody who has to know when the process ends.
  [[nodiscard]] core::Result<runtime::UniqueFd> pidfd() const;
  /// Through the pidfd: never hits a stranger that got the same number.
  void signal(int number) const;

 private:
  struct State;
  explicit Process(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// "was killed by signal 11 (Segmentation fault)", "ended with exit code 4 (a permission is
/// missing)".
[[nodiscard]] std::string to_sentence(const ExitStatus& status);

}  // namespace holdfast::watchdog
