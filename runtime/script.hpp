// Runs the operator's scripts: fork and exec without a shell, stdio on /dev/null, own process
// group, environment without what could steer the loader, user and group switched, reaped through a
// pidfd, ended when too slow.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace holdfast::runtime {

struct ScriptUser {
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const ScriptUser&) const = default;
};
/// Looks names up ("nobody", optional group). Reads files: at configuration time only, never in a
/// loop.
[[nodiscard]] core::Result<ScriptUser> find_script_user(std::string_view user,
                                                        std::string_view group);

struct Command {
  /// argv[0] is an absolute path or found in PATH.
  std::vector<std::string> argv{};
  /// nullopt: the daemon's own user.
  std::optional<ScriptUser> user{};
  /// After this SIGTERM goes to the process group, kScriptGrace later SIGKILL. Zero: no limit.
  core::Duration timeout{};
  /// The script dies with the daemon (track scripts); a notification outlives it.
  bool dies_with_daemon = false;

  bool operator==(const Command&) const = default;
};

inline constexpr core::Duration kScriptGrace = std::chrono::seconds(2);

struct ScriptOutcome {
  /// Exactly one of the three is meaningful: errno of a failed start, signal number, exit code.
  int start_errno = 0;
  int signal = 0;
  int exit_code = 0;
  bool timed_out = false;

  [[nodiscard]] bool succeeded() const {
    return start_errno == 0 && signal == 0 && exit_code == 0 && !timed_out;
  }
  /// "exited with code 3", "ended by signal 9 after its time limit", "could not be started: No such
  /// file …".
  [[nodiscard]] std::string to_string() const;
  bool operator==(const ScriptOutcome&) const = default;
};

/// Scripts with the same queue name run one after the other, in order; different queues run side by
/// side.
class ScriptRunner {
 public:
  /// Waiting in one queue; beyond this the oldest waiting one is dropped (its callback gets
  /// ECANCELED): the newest state is what the operator needs to hear.
  static constexpr std::size_t kMaxQueued = 64;

  explicit ScriptRunner(boost::asio::io_context& io);
  /// Running scripts are left to themselves unless they die with the daemon; callbacks no longer
  /// run.
  ~ScriptRunner();
  ScriptRunner(const ScriptRunner&) = delete;
  ScriptRunner& operator=(const ScriptRunner&) = delete;

  void run(const std::string& queue, Command command,
           std::function<void(const ScriptOutcome&)> on_done = {});
  /// Nothing runs and nothing waits.
  [[nodiscard]] bool idle() const;
  /// Calls once when idle, at once if it is so already. For an orderly stop.
  void when_idle(std::function<void()> on_idle);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
