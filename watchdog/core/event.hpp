// Everything that can happen to the supervisor. Made by watchdog/io and by tests.
#pragma once

#include "watchdog/core/exit_status.hpp"
#include "watchdog/core/role.hpp"

#include <string>
#include <variant>

namespace holdfast::watchdog {

struct StartRequested {};   ///< the process is up: load the first configuration
struct ReloadRequested {};  ///< SIGHUP or the control socket
struct StopRequested {};    ///< SIGTERM, SIGINT or the control socket

/// The loader has ended. `exit_code` says how the start ends when this was the first configuration
/// and it is not usable.
struct LoaderFinished {
  bool usable = false;
  RoleSet roles;            ///< which children the configuration has something for
  std::string diagnostics;  ///< errors and warnings, ready to be shown
  ExitCode exit_code = ExitCode::ok;
};

/// `sentence` goes after the child's name: "was killed by signal 11 (Segmentation fault)".
struct ChildExited {
  Role role;
  ExitStatus status;
  std::string sentence;
};
/// fork or exec failed; nothing was started.
struct SpawnFailed {
  Role role;
  std::string sentence;
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

using Event = std::variant<StartRequested, ReloadRequested, StopRequested, LoaderFinished,
                           ChildExited, SpawnFailed, HeartbeatReceived, PreparedReceived,
                           RefusedReceived, CommittedReceived, AddressesReleased, Tick>;

}  // namespace holdfast::watchdog
