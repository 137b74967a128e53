// The process that runs the operator's scripts for vrrp and checkers: small, so that a fork costs
// little, and without deadlines, so that nobody else waits for one. Lets the queue decide, owns the
// processes, reports to whoever asked. A request outlives its asker: scripts of a process that was
// killed go on, and its successor's newer state overtakes them.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "runtime/message_pipe.hpp"
#include "runtime/script_messages.hpp"
#include "runtime/tidings.hpp"

#include "scripts/core/queue.hpp"
#include "scripts/running.hpp"
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace holdfast::scripts {

class Helper {
 public:
  /// Whether the configuration has this command.
  using Permits = std::function<bool(const core::Command& command)>;

  /// `on_done`: after close_door(), when nothing is left to do.
  Helper(boost::asio::io_context& io, runtime::Logger& logger, Permits permits,
         std::function<void()> on_done);
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  /// What is told beside scripts goes there, with a way to answer.
  using OnTidings = std::function<void(const std::string& owner, runtime::Tidings tidings,
                                       std::function<void(runtime::TidingsReport)> answer)>;
  void give_tidings_to(OnTidings on_tidings) { on_tidings_ = std::move(on_tidings); }
  /// A process of this role asks through `end` from now on.
  void serve(const std::string& owner, runtime::UniqueFd end);
  /// Nobody new will come: the director stops, or is gone.
  void close_door();
  /// Nothing runs and nothing waits.
  [[nodiscard]] bool is_idle() const { return queue_.empty(); }

 private:
  struct Client {
    std::string owner;
    std::unique_ptr<runtime::MessagePipe> pipe;
  };
  struct Job {
    std::uint64_t client = 0;
    runtime::ScriptJob request;  // its id is the client's
    std::size_t unsettled = 0;   // commands without a last word
  };

  void on_message(std::uint64_t client, std::span<const std::uint8_t> bytes);
  void on_closed(std::uint64_t client);
  void submit(std::uint64_t client, runtime::ScriptJob request);
  void handle(Event event);
  void arm(std::optional<core::Instant> deadline);
  void perform(const Start& action);
  void perform(const Strike& action);
  void perform(const Skip& action);
  void perform(const StillRuns& action);
  void perform(const Look& action);
  void settle(RunId run, const core::ScriptOutcome& outcome);
  void report(RunId run, runtime::ScriptReport::What what, const core::ScriptOutcome& outcome);
  void say_farewell_for_the_gone();
  void look_whether_done();
  [[nodiscard]] bool is_served(const std::string& owner) const;
  [[nodiscard]] std::string name_of(RunId run) const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Permits permits_;
  std::function<void()> on_done_;
  OnTidings on_tidings_;
  Queue queue_;
  runtime::DeadlineTimer timer_;
  runtime::RateLimiter time_limit_noise_{std::chrono::minutes(1)};
  std::map<std::uint64_t, Client> clients_;
  std::map<JobId, Job> jobs_;
  std::map<RunId, std::shared_ptr<Running>> running_;
  std::set<std::string> owners_;  // who ever asked
  std::deque<Event> events_;      // an action's answer waits for the step that runs
  std::uint64_t last_client_ = 0;
  JobId last_job_ = 0;
  bool handling_ = false;
  bool door_is_closed_ = false;
};

}  // namespace holdfast::scripts
