// The process that runs the operator's scripts for the two children: started before them, started
// again when it dies, left in order at the end. It outlives a child, so that a newer state of the
// child's successor still overtakes a script of its predecessor. No part of the director: nothing
// is decided by its absence, scripts only wait.
#pragma once

#include "core/result.hpp"
#include "runtime/channel.hpp"
#include "runtime/child.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "watchdog/core/role.hpp"
#include "watchdog/io/process.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace holdfast::watchdog {

class ScriptProcess {
 public:
  /// Between its death and the next try; doubled up to kLongestPause while it keeps dying.
  static constexpr core::Duration kFirstPause = std::chrono::milliseconds(100);
  static constexpr core::Duration kLongestPause = std::chrono::seconds(30);
  /// Who has lived this long has not died of its start.
  static constexpr core::Duration kStable = std::chrono::seconds(10);
  /// An orderly stop waits this long for scripts: a little longer than that process allows them.
  static constexpr core::Duration kPatience = std::chrono::seconds(12);
  /// What that process may need beyond the limit of a startup_script or shutdown_script.
  static constexpr core::Duration kHostGrace = std::chrono::seconds(5);

  /// It is looked at this often. So many looks without a heartbeat between them, and without work
  /// either, and it hangs: it is ended, and the next one gets what has not begun. Before its first
  /// heartbeat it may wait for the last scripts of a predecessor.
  static constexpr core::Duration kLookEvery = std::chrono::seconds(1);
  static constexpr int kMostIdleLooks = 5;
  static constexpr int kMostIdleLooksAtStart = 15;
  /// One that works is late; but nothing takes this long.
  static constexpr int kMostLooks = 60;

  /// `introduce`: give this connection to the process in that role, if there is one.
  using Introduce = std::function<void(Role role, runtime::UniqueFd end)>;
  ScriptProcess(boost::asio::io_context& io, runtime::Logger& logger, runtime::ChildOptions options,
                Introduce introduce);

  /// This configuration is about to come into use: the process reads it, to know which commands it
  /// holds. Called before a child is told of it; for a number that it knows, it does nothing.
  void configure(Generation generation, runtime::UniqueFd snapshot);
  /// This one is in use, with this umask, which a process that is started later has from this one.
  void commit(Generation generation, mode_t mask);
  /// A process in this role has been started: it gets a connection.
  void connect(Role role);
  /// keepalived: startup_script, shutdown_script of the configuration that it was given last.
  /// `done` comes once, with how it went; empty: well.
  void run_host_script(runtime::HostScript which, core::Duration limit,
                       std::function<void(const std::string& how)> done);
  /// The children are gone. `on_left` comes when their last scripts have ended, or kPatience is
  /// over; at once when there is no such process.
  void leave(std::function<void()> on_left);
  /// Ends that wait, and that for a script at the start or stop. False: there was none.
  bool stop_waiting();
  [[nodiscard]] std::optional<pid_t> pid() const;
  /// What it has said about mail and notification pipes: JSON, or nothing.
  [[nodiscard]] const std::string& report() const { return report_; }

 private:
  [[nodiscard]] core::Result<void> spawn();
  void connect_to_running(Role role);
  void send_configuration(Generation generation, const runtime::UniqueFd& snapshot);
  void send_commit();
  void begin();
  void on_exit(ExitStatus status);
  void on_heartbeat(const runtime::Frame& frame);
  void look();
  void finish();
  void end_host_script(const std::string& how);

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  runtime::ChildOptions options_;
  Introduce introduce_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<runtime::Channel> channel_;
  RoleSet served_;
  /// As many as it keeps: a new process is given the same ones.
  std::deque<std::pair<Generation, runtime::UniqueFd>> configurations_;
  Generation in_use_ = 0;  // of these; 0: none yet
  mode_t umask_ = 0;
  std::string report_;
  bool has_spoken_ = false;
  int looks_ = 0;  // since its last heartbeat
  int idle_looks_ = 0;
  core::Duration worked_{};
  core::Instant started_at_{};
  core::Duration pause_ = kFirstPause;
  runtime::DeadlineTimer again_;
  runtime::DeadlineTimer patience_;
  runtime::PeriodicTimer look_;
  std::function<void()> on_left_;
  runtime::DeadlineTimer host_limit_;
  std::function<void(const std::string&)> on_host_script_;
};

}  // namespace holdfast::watchdog
