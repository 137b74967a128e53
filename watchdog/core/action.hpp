// What the supervisor wants done, in this order. Carried out by watchdog/io.
#pragma once

#include "watchdog/core/exit_status.hpp"
#include "watchdog/core/role.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::watchdog {

/// Read the files; the snapshot becomes the candidate of this generation.
struct StartLoader {
  Generation generation;
  bool operator==(const StartLoader&) const = default;
};
struct KillLoader {
  bool operator==(const KillLoader&) const = default;
};
struct Spawn {
  Role role;
  bool operator==(const Spawn&) const = default;
};
struct SendPrepare {
  Role role;
  Generation generation;
  bool operator==(const SendPrepare&) const = default;
};
struct SendCommit {
  Role role;
  Generation generation;
  bool operator==(const SendCommit&) const = default;
};
struct SendAbort {
  Role role;
  Generation generation;
  bool operator==(const SendAbort&) const = default;
};
struct SendStop {
  Role role;
  bool operator==(const SendStop&) const = default;
};
/// SIGABRT leaves a core file that shows where the child hung; SIGKILL cannot be refused.
enum class Blow : std::uint8_t { abort, kill };
struct Strike {
  Role role;
  Blow blow;
  bool operator==(const Strike&) const = default;
};
/// Take the virtual addresses of the current generation off this host: no vrrp child will, and a
/// peer may hold them by now.
struct ReleaseAddresses {
  Generation generation;
  bool operator==(const ReleaseAddresses&) const = default;
};
/// The candidate is the configuration now; the snapshot before it is no longer needed.
struct AdoptGeneration {
  Generation generation;
  bool operator==(const AdoptGeneration&) const = default;
};
/// The candidate is not used.
struct DropCandidate {
  Generation generation;
  bool operator==(const DropCandidate&) const = default;
};
/// Requests for a reload that arrived so far belong to the load that starts now.
struct ReloadStarted {
  bool operator==(const ReloadStarted&) const = default;
};
/// The load that was started has ended. `generation` runs now, be it new or old.
struct ReloadFinished {
  bool ok;
  Generation generation;
  std::string text;  ///< diagnostics: warnings when ok, otherwise why not
  bool operator==(const ReloadFinished&) const = default;
};
/// The start has succeeded: tell systemd, the starting command, the log.
struct AnnounceReady {
  bool operator==(const AnnounceReady&) const = default;
};
struct AnnounceStopping {
  bool operator==(const AnnounceStopping&) const = default;
};
/// For the log.
enum class ReportId : std::uint8_t {
  child_died,
  child_hung,
  child_given_up,
  child_refused,
  crash_loop,
  start_failed,
  paused,
};
struct Report {
  ReportId id;
  std::string text;
  bool operator==(const Report&) const = default;
};
struct Exit {
  ExitCode code;
  bool operator==(const Exit&) const = default;
};

using Action =
    std::variant<StartLoader, KillLoader, Spawn, SendPrepare, SendCommit, SendAbort, SendStop,
                 Strike, ReleaseAddresses, AdoptGeneration, DropCandidate, ReloadStarted,
                 ReloadFinished, AnnounceReady, AnnounceStopping, Report, Exit>;
using Actions = std::vector<Action>;

}  // namespace holdfast::watchdog
