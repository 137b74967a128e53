// Everything that can happen to the supervisor. Made by watchdog/io and by tests.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/exit_status.hpp"
#include "watchdog/core/role.hpp"

#include <optional>
#include <string>
#include <variant>

namespace holdfast::watchdog {

/// A parent that was killed had a configuration on trial. This is what was to return, and when; its
/// snapshot is at hand under the number `former`.
struct InterruptedTrial {
  Generation former = 0;
  RoleSet roles;
  core::Instant until{};
};
/// The process is up: load the first configuration.
struct StartRequested {
  std::optional<InterruptedTrial> interrupted = {};
};
struct StopRequested {};  ///< SIGTERM, SIGINT or the control socket

/// How careful a reload is.
struct ReloadOptions {
  bool force = false;  ///< also beyond reload_limit
  /// Set: the generation before returns after this time unless somebody confirms.
  std::optional<core::Duration> confirm_within;

  bool operator==(const ReloadOptions&) const = default;
};
/// SIGHUP, the control socket or reload_time_file.
struct ReloadRequested {
  ReloadOptions options;
};
struct ConfirmRequested {};  ///< the generation on trial is good
struct RevertRequested {};   ///< it is not: return at once

/// The loader has ended. `exit_code` says how the start ends when this was the first configuration
/// and it is not usable.
struct LoaderFinished {
  bool usable = false;
  RoleSet roles;            ///< which children the configuration has something for
  std::string diagnostics;  ///< errors and warnings, ready to be shown
  ExitCode exit_code = ExitCode::ok;
  /// What becomes different from the generation that runs, one line each. Empty at the start.
  std::string changes = {};
  /// Why this reload waits for --force, a sentence: more is removed than reload_limit allows, or
  /// reload_check_config found mistakes. Empty: it does not.
  std::string refused_unless_forced = {};
};

/// `sentence` goes after the child's name: "was killed by signal 11 (Segmentation fault)".
struct ChildExited {
  Role role;
  ExitStatus status;
  std::string sentence;
  /// As in Observed.
  std::optional<core::Instant> holds_until = {};
};
/// fork or exec failed; nothing was started.
struct SpawnFailed {
  Role role;
  std::string sentence;
};

/// What can be seen of a process without its help. Told before every Tick for each process, and
/// when the kernel says that one was stopped or goes on.
struct Observed {
  Role role;
  /// It does not run (SIGSTOP, a debugger): it cannot even die of SIGABRT.
  bool stopped = false;
  /// For vrrp: when the first peer may take over from it, as its handover page says. nullopt: it is
  /// master of nothing.
  std::optional<core::Instant> holds_until = {};
  /// Processor time that its loop has used so far.
  core::Duration worked = {};
  /// Its loop wants the processor, or waits inside the kernel for something that it is doing there.
  bool is_working = false;
};

struct HeartbeatReceived {
  Role role;
};
struct PreparedReceived {
  Role role;
  Generation generation;
};
struct RefusedReceived {
  Role role;
  Generation generation;
  std::string reason;
};
struct CommittedReceived {
  Role role;
  Generation generation;
};

struct AddressesReleased {};  ///< the answer to ReleaseAddresses, whatever came of it
struct Tick {};               ///< deadline() has come

using Event =
    std::variant<StartRequested, ReloadRequested, ConfirmRequested, RevertRequested, StopRequested,
                 LoaderFinished, ChildExited, SpawnFailed, Observed, HeartbeatReceived,
                 PreparedReceived, RefusedReceived, CommittedReceived, AddressesReleased, Tick>;

}  // namespace holdfast::watchdog
