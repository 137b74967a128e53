// The parent process while it runs: drives the supervisor and carries out its actions.
#pragma once

#include "runtime/control_socket.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/messages.hpp"
#include "runtime/process.hpp"
#include "watchdog/core/supervisor.hpp"
#include "watchdog/io/children.hpp"
#include "watchdog/io/dumps.hpp"
#include "watchdog/io/loader.hpp"
#include "watchdog/io/reload_schedule.hpp"
#include "watchdog/io/script_process.hpp"
#include "watchdog/io/snapshots.hpp"
#include "watchdog/io/starter.hpp"
#include "watchdog/io/status.hpp"
#include "watchdog/io/trial_file.hpp"
#include "watchdog/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::watchdog {

class Daemon {
 public:
  Daemon(const Options& options, Starter starter);

  /// Runs to the end; returns the exit code.
  [[nodiscard]] int run();

 private:
  void open_control_socket();
  void on_reload_command(const boost::json::object& request, runtime::ControlReply reply);
  void on_trial_command(const Event& event, runtime::ControlReply reply);
  void on_configuration_command(const runtime::ControlReply& reply);
  void on_signal(int number);
  [[nodiscard]] DumpSource dump_source() const;
  void feed(const Event& event);
  void feed_later(Event event);
  void end(ExitCode code);
  void look_at_children();
  void begin_systemd_watchdog();
  [[nodiscard]] std::optional<InterruptedTrial> recall_trial();
  void remember_trial(Generation former);
  void send(Role role, runtime::FrameType type, Generation generation);
  void on_loaded(Generation generation, LoadResult result);
  [[nodiscard]] core::Result<void> enter_namespace_of(const Directives& directives);
  void run_startup_script(Generation generation, LoaderFinished loaded);
  void tell_host_script(const char* word, const std::string& how);
  void tell_starter(const std::string& text);
  /// Where reload_file is now; empty: it is not asked for.
  [[nodiscard]] std::string reload_file() const;
  void begin_reading();
  void let_writers_go();
  void write_check_log(const LoaderFinished& loaded);
  [[nodiscard]] boost::json::object status(Readers readers) const;

  // One for each action of the supervisor.
  void perform(const StartLoader& action);
  void perform(const KillLoader& action);
  void perform(const Spawn& action);
  void perform(const SendPrepare& action);
  void perform(const SendCommit& action);
  void perform(const SendAbort& action);
  void perform(const SendStop& action);
  void perform(const Strike& action);
  void perform(const ReleaseAddresses& action);
  void perform(const AdoptGeneration& action);
  void perform(const ReuseSnapshot& action);
  void perform(const DropCandidate& action);
  void perform(const ReloadStarted& action);
  void perform(const ReloadFinished& action);
  void perform(const AnnounceReady& action);
  void perform(const AnnounceStopping& action);
  void perform(const Report& action);
  void perform(const Exit& action);

  Options options_;
  Starter starter_;
  runtime::Loop loop_;
  runtime::Logger logger_;
  Supervisor supervisor_;
  Children children_;
  ScriptProcess scripts_;
  Snapshots snapshots_;
  Dumps dumps_;
  TrialFile trial_file_;
  runtime::DeadlineTimer timer_;
  runtime::DeadlineTimer release_limit_;
  std::unique_ptr<runtime::PeriodicTimer> systemd_watchdog_;
  std::optional<std::string> namespace_;  // that was entered; empty: none was asked for
  ReloadSchedule schedule_;
  std::unique_ptr<LoaderRun> loader_;
  std::string reading_file_;  // reload_file of the load that runs; empty: none
  std::unique_ptr<Process> release_;
  std::unique_ptr<runtime::ControlServer> control_;
  std::vector<runtime::ControlReply> waiting_now_;   // for the load that runs
  std::vector<runtime::ControlReply> waiting_next_;  // for the one after it
  std::optional<LastReload> last_reload_;
  runtime::RateLimiter reported_signals_{runtime::kSignalReportInterval};
  core::Instant started_at_;
  bool ready_ = false;
  mode_t umask_at_start_ = 0;
};

}  // namespace holdfast::watchdog
