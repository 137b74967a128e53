// The child's side of life under the watchdog: options on its command line, hello, heartbeat,
// reload in two steps, stop in order. run_daemon() of vrrp and checkers makes one Child and fills
// in the callbacks.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "runtime/channel.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace holdfast::runtime {

/// Everything a child is told besides its configuration. Made by the watchdog, travels as command
/// line words.
struct ChildOptions {
  /// "vrrp" or "checkers".
  std::string role;
  std::string run_dir = "/run/holdfast";
  /// Empty: <run_dir>/<role>.pid.
  std::string pid_file;
  LogSettings log;
  /// -V: leave the virtual addresses in place at exit.
  bool keep_addresses = false;
  /// For the release: this director's own vrrp process exists, and does nothing.
  bool beside_vrrp = false;
  /// For the release: what is static stays.
  bool keep_static = false;
  /// -I: leave the IPVS table in place at exit.
  bool keep_ipvs = false;
  core::Duration heartbeat_interval = std::chrono::milliseconds(500);
  int channel_fd = 3;
  int page_fd = 4;

  bool operator==(const ChildOptions&) const = default;
};

/// "--role=vrrp --run-dir=…": the words after argv[0] for the watchdog's exec.
[[nodiscard]] std::vector<std::string> to_arguments(const ChildOptions& options);
/// The reverse; `words` without argv[0]. Fails with a sentence naming the word it does not know.
[[nodiscard]] core::Result<ChildOptions> parse_child_arguments(std::span<const char* const> words);

/// The exit code of a child that could not start: 4 when the system refused a permission, so that
/// the watchdog does not try again, otherwise 1 (docs/exit-codes.md).
[[nodiscard]] int exit_code_for(const core::Error& error);

struct ChildCallbacks {
  /// Parse and allocate, change nothing yet; call `done` once, now or later from the loop: success,
  /// or an error whose message goes to the operator. A second prepare before commit replaces the
  /// first.
  std::function<void(std::uint64_t generation, UniqueFd snapshot,
                     std::function<void(core::Result<void>)> done)>
      prepare;
  /// Swap to the prepared generation, between two steps. Cannot fail. `committed` is sent when it
  /// returns.
  std::function<void(std::uint64_t generation)> commit;
  /// Forget the prepared generation.
  std::function<void(std::uint64_t generation)> abort;
  /// The process of the other role that runs now, as a pidfd. Told when this child or that one is
  /// started; may be left empty.
  std::function<void(UniqueFd pidfd)> sibling{};
  /// A connection to the process that runs scripts, as at the start and after a death of that
  /// process; may be left empty.
  std::function<void(UniqueFd end)> scripts{};
  /// Leave in order and call Loop::stop at the end. `why` is a sentence: stop frame, signal,
  /// watchdog gone. Called once.
  std::function<void(std::string why)> stop;
  /// The same request has come a second time: stop waiting for others. Called once, after `stop`.
  /// Empty: nothing to hurry.
  std::function<void()> hurry = {};
};

class Child {
 public:
  /// Takes SIGTERM, SIGINT and the end of the channel as stop, says of harmless signals that they
  /// do nothing (the watchdog does reloads), sends hello and starts the heartbeat. The loop must
  /// outlive the Child.
  Child(Loop& loop, Logger& logger, const ChildOptions& options, ChildCallbacks callbacks);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// 0 before the first commit.
  [[nodiscard]] std::uint64_t generation() const;
  /// True when this is not the end of the director: it was told that another process follows, or
  /// was told nothing at all and stops by itself.
  [[nodiscard]] bool is_followed() const;
  /// True when the watchdog sent the stop; false when it is gone, or a signal came.
  [[nodiscard]] bool watchdog_asked_to_stop() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace holdfast::runtime
