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
/// Whether what is static, there as long as the director, is taken off.
enum class Statics : std::uint8_t { go, stay };
/// Said twice, it means at once.
struct SendStop {
  Role role;
  Statics statics = Statics::go;
  bool operator==(const SendStop&) const = default;
};
/// SIGABRT leaves a core file that shows where the child hung; SIGKILL cannot be refused.
enum class Blow : std::uint8_t { abort, kill };
struct Strike {
  Role role;
  Blow blow;
  bool operator==(const Strike&) const = default;
};
/// Take what is ours off this host, by mark and record: no vrrp child will, and a peer may hold it
/// by now. Before that the handover page is declared void, so that no successor
/// resumes what is gone.
struct ReleaseAddresses {
  Statics statics = Statics::go;
  bool operator==(const ReleaseAddresses&) const = default;
};
/// This is the configuration now. Snapshots other than it and `former` are no longer needed.
struct AdoptGeneration {
  Generation generation;
  /// What may have to return: the generation that ran before, while this one awaits its
  /// confirmation. 0: none.
  Generation former = 0;
  bool operator==(const AdoptGeneration&) const = default;
};
/// The snapshot of `former` becomes the candidate of this generation, without any file being read.
struct ReuseSnapshot {
  Generation former;
  Generation generation;
  bool operator==(const ReuseSnapshot&) const = default;
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
  std::string text;          ///< diagnostics: warnings when ok, otherwise why not
  std::string changes = {};  ///< when ok: what is different now, one line each
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
  child_late,
  child_hung,
  child_given_up,
  child_refused,
  crash_loop,
  start_failed,
  paused,
  on_trial,
  confirmed,
  going_back,
  return_failed,
  reload_not_taken,
  hurried,
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
                 Strike, ReleaseAddresses, AdoptGeneration, ReuseSnapshot, DropCandidate,
                 ReloadStarted, ReloadFinished, AnnounceReady, AnnounceStopping, Report, Exit>;
using Actions = std::vector<Action>;

}  // namespace holdfast::watchdog
