// What a process does to itself: going to the background, telling systemd, giving up privileges.
// Called from mains and run_daemon at start.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/unique_fd.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

/// The link from the background process to the shell that started it.
class Daemonized {
 public:
  explicit Daemonized(UniqueFd to_starter) : to_starter_(std::move(to_starter)) {}
  /// The starter process exits with this code now. Without a call it exits with 1 when the daemon
  /// dies.
  void report(int exit_code);

 private:
  UniqueFd to_starter_;
};

/// Goes to the background: new session, working directory /, stdio on /dev/null. Returns in the
/// background process only; the starter waits for report() so that its exit code tells the truth.
/// Call before any thread.
[[nodiscard]] core::Result<Daemonized> daemonize();

/// One datagram to $NOTIFY_SOCKET ("READY=1", "STATUS=…", several lines allowed); nothing without
/// that variable. Not libsystemd: the protocol is one datagram (sd_notify(3)).
void sd_notify(std::string_view state);

/// Keeps only what the role needs in the effective and permitted sets: vrrp and checkers NET_ADMIN,
/// NET_RAW, NET_BIND_SERVICE, and for their scheduling SYS_NICE and IPC_LOCK; the process
/// that writes dumps DAC_OVERRIDE and FOWNER; the one that serves D-Bus none; the watchdog what its
/// children need, and DAC_OVERRIDE. The watchdog's bounding set is left alone, because the process
/// that runs scripts gets it back by the kernel's rule for root's exec. Without root this does
/// nothing.
///
/// Files are kept in `run_dir` as long as a process lives. Where that belongs to another account,
/// DAC_OVERRIDE stays as well; the answer is then the sentence that says so, otherwise empty.
enum class Role : unsigned char { watchdog_at_start, watchdog, vrrp, checkers, dumps, bus };
[[nodiscard]] core::Result<std::string> keep_capabilities(Role role, const std::string& run_dir);
/// For a process that runs no programs: whatever it might execute has no more power than it has
/// itself (no_new_privs, and an empty bounding set, which takes CAP_SETPCAP: before
/// keep_capabilities). Holds for this thread and those it makes.
[[nodiscard]] core::Result<void> give_up_programs();
/// All of this for a process of the network (vrrp, checkers), and the list of system calls
/// (syscall_filter.hpp). Every step that fails is an error; the steps before it count.
[[nodiscard]] core::Result<std::string> confine(Role role, const std::string& run_dir);
/// For a thread that needs none: capset(2) is for one thread, and those that were made before
/// keep_capabilities() would keep all of them.
[[nodiscard]] core::Result<void> give_up_capabilities_of_this_thread();

}  // namespace holdfast::runtime
