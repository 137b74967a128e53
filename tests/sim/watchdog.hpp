// The watchdog process, simulated: the real supervisor, run as watchdog/io/daemon.cpp runs it, with
// a loader that reads the machine's file, and the process that takes addresses off.
#pragma once

#include "tests/sim/frame.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/reflector.hpp"
#include "watchdog/core/supervisor.hpp"

#include <map>
#include <optional>

namespace holdfast::sim {

class Machine;

class Watchdog : public Process {
 public:
  Watchdog(Machine& machine, std::string name);

  void reload() { tell(watchdog::ReloadRequested{}); }
  void stop() { tell(watchdog::StopRequested{}); }
  void hear(const Frame& frame);
  void child_ended(const ExitStatus& status);
  void child_stopped_or_continued();
  void release_ended();

  [[nodiscard]] const watchdog::Supervisor& supervisor() const { return supervisor_; }
  /// The configuration that runs; nullptr before the first.
  [[nodiscard]] Snapshot running() const;

 private:
  void tell(watchdog::Event event);
  void feed(const watchdog::Event& event);
  void look_at_children();
  void arm();

  void perform(const watchdog::StartLoader& action);
  void perform(const watchdog::KillLoader&) {}
  void perform(const watchdog::Spawn& action);
  void perform(const watchdog::SendPrepare& action);
  void perform(const watchdog::SendCommit& action);
  void perform(const watchdog::SendAbort& action);
  void perform(const watchdog::SendStop& action);
  void perform(const watchdog::Strike& action);
  void perform(const watchdog::ReleaseAddresses& action);
  void perform(const watchdog::AdoptGeneration& action);
  void perform(const watchdog::ReuseSnapshot& action);
  void perform(const watchdog::DropCandidate& action);
  void perform(const watchdog::ReloadStarted&) {}
  void perform(const watchdog::ReloadFinished& action);
  void perform(const watchdog::AnnounceReady&) {}
  void perform(const watchdog::AnnounceStopping&) {}
  void perform(const watchdog::Report& action);
  void perform(const watchdog::Exit& action);

  Machine& machine_;
  watchdog::Supervisor supervisor_;
  std::map<watchdog::Generation, Snapshot> snapshots_;
  std::optional<Instant> armed_for_;
};

/// `--role=release`: no configuration, no owners; what is ours goes.
class ReleaseProcess : public Process {
 public:
  ReleaseProcess(Machine& machine, std::string name, Duration birth);

 private:
  Reflector reflector_;
};

}  // namespace holdfast::sim
