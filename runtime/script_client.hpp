// The side of the scripts that a process with deadlines has: it says what a subject's new state is
// and hears what became of the scripts. Forks nothing, waits for nothing. Used by vrrp and
// checkers; the other end is scripts/helper.hpp.
#pragma once

#include "runtime/message_pipe.hpp"
#include "runtime/script_messages.hpp"
#include "runtime/tidings_outbox.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast::runtime {

class ScriptClient {
 public:
  /// News about one command. `subject`, `state` and `command` are those of its job.
  struct News {
    const std::string& subject;
    const std::string& state;
    const core::Command& command;
    ScriptReport::What what;
    const core::ScriptOutcome& outcome;
  };
  using OnNews = std::function<void(const News&)>;

  /// `on_news` runs from the loop, never from inside run().
  ScriptClient(boost::asio::io_context& io, OnNews on_news);
  ~ScriptClient();
  ScriptClient(const ScriptClient&) = delete;
  ScriptClient& operator=(const ScriptClient&) = delete;

  /// A connection to a process that runs scripts; replaces the former one. What that one has begun
  /// counts as lost, what it has not is asked for again.
  void connect(UniqueFd end);
  /// The subject is in this state now. Waits here while nobody is connected or the connection is
  /// full: the newest state of each subject and no older one, so it is as long as the
  /// configuration at most. Without commands it only ends what runs for the former state.
  void run(std::string subject, std::string state, std::vector<core::Command> commands);
  /// A line for the pipes, a letter, or both. Kept until the other side has dealt with it.
  void tell(Tidings tidings);
  /// Every command has had its last word, and every line is with the other side. Letters are that
  /// one's to care for.
  [[nodiscard]] bool idle() const { return jobs_.empty() && !outbox_.has_lines(); }
  /// Calls once when idle, at once if it is so already. For an orderly stop.
  void when_idle(std::function<void()> on_idle);
  /// For who leaves without waiting any longer: whose scripts nobody has been told of, as "VI_1 for
  /// STOP, VI_2 for STOP and 7 more". Empty: none.
  [[nodiscard]] std::string unsent() const;

 private:
  struct Job {
    ScriptJob request;
    std::vector<bool> begun;  // of its commands
    std::vector<bool> over;
    bool is_sent = false;
    bool has_passed = false;  // its subject has had another state since
  };

  void pump();
  void look_whether_idle();
  void on_message(std::span<const std::uint8_t> bytes);
  void on_closed();
  void settle(std::uint64_t id, std::uint32_t index, core::ScriptOutcome outcome);
  void drop_unsent(const std::string& subject);
  void erase(std::uint64_t id);

  boost::asio::io_context& io_;
  OnNews on_news_;
  std::unique_ptr<MessagePipe> pipe_;
  std::map<std::uint64_t, Job> jobs_;  // those that still lack a last word
  std::set<std::uint64_t> unsent_;     // of jobs_: one of each subject at most
  std::map<std::string, std::uint64_t> newest_unsent_;
  std::map<std::string, std::uint64_t> newest_;  // of jobs_, sent or not
  std::uint64_t last_id_ = 0;
  TidingsOutbox outbox_;
  std::function<void()> on_idle_;
  /// A posted handler looks here whether this is still there.
  std::shared_ptr<ScriptClient*> self_;
};

}  // namespace holdfast::runtime
