#include "runtime/script.hpp"

#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/script_spawn.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <csignal>
#include <deque>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

using OnDone = std::function<void(const ScriptOutcome&)>;

struct Waiting {
  Command command;
  OnDone on_done;
};

/// One script from start to reaping.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(boost::asio::io_context& io, Spawned spawned, core::Duration timeout,
          std::function<void(const ScriptOutcome&)> on_done)
      : pid_(spawned.pid),
        start_error_(std::move(spawned.start_error)),
        pidfd_(io, spawned.pidfd.release()),
        on_done_(std::move(on_done)),
        limit_(io, [this] { enforce_limit(); }) {
    if (timeout > core::Duration::zero()) limit_.arm(now() + timeout);
  }

  void wait() {
    pidfd_.async_wait(pidfd_.wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (!error) self->reap();
                      });
  }
  /// The owner goes away: no callback any more.
  void forget() {
    on_done_ = {};
    limit_.arm(std::nullopt);
    boost::system::error_code ignored;
    pidfd_.close(ignored);
  }

 private:
  void enforce_limit() {
    ::kill(-pid_, timed_out_ ? SIGKILL : SIGTERM);
    if (!std::exchange(timed_out_, true)) limit_.arm(now() + kScriptGrace);
  }

  void reap() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return wait();
    ScriptOutcome outcome;
    outcome.timed_out = timed_out_;
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    int error = 0;
    if (::read(start_error_.get(), &error, sizeof error) == sizeof error)
      outcome.start_errno = error;
    limit_.arm(std::nullopt);
    const auto callback = std::exchange(on_done_, {});
    if (callback) callback(outcome);
  }

  pid_t pid_;
  UniqueFd start_error_;
  boost::asio::posix::stream_descriptor pidfd_;
  std::function<void(const ScriptOutcome&)> on_done_;
  bool timed_out_ = false;
  DeadlineTimer limit_;
};

}  // namespace

std::string ScriptOutcome::to_string() const {
  if (start_errno != 0) {
    return "could not be started: " + std::generic_category().message(start_errno);
  }
  const std::string_view late = timed_out ? " after its time limit" : "";
  if (signal != 0) return fmt::format("was ended by signal {}{}", signal, late);
  return fmt::format("exited with code {}{}", exit_code, late);
}

struct ScriptRunner::State : std::enable_shared_from_this<ScriptRunner::State> {
  struct Queue {
    std::shared_ptr<Running> running;
    std::deque<Waiting> waiting;
  };

  explicit State(boost::asio::io_context& context) : io(context) {}

  void start(const std::string& name, Waiting next) {
    auto finish = [weak = weak_from_this(), name,
                   on_done = std::move(next.on_done)](const ScriptOutcome& outcome) {
      const auto self = weak.lock();
      if (!self) return;
      if (on_done) on_done(outcome);
      self->advance(name);
    };
    auto spawned = spawn(next.command);
    if (!spawned) {
      // Reported from the loop, never from inside run().
      const ScriptOutcome outcome{.start_errno = spawned.error().system_errno};
      boost::asio::post(io, [finish = std::move(finish), outcome] { finish(outcome); });
      return;
    }
    auto running =
        std::make_shared<Running>(io, std::move(*spawned), next.command.timeout, std::move(finish));
    queues[name].running = running;
    running->wait();
  }

  void advance(const std::string& name) {
    Queue& queue = queues[name];
    queue.running.reset();
    if (queue.waiting.empty()) {
      queues.erase(name);
      if (queues.empty() && on_idle) std::exchange(on_idle, {})();
      return;
    }
    Waiting next = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    start(name, std::move(next));
  }

  boost::asio::io_context& io;
  /// A queue exists while something of it runs.
  std::map<std::string, Queue> queues;
  std::function<void()> on_idle;
};

ScriptRunner::ScriptRunner(boost::asio::io_context& io) : state_(std::make_shared<State>(io)) {}

ScriptRunner::~ScriptRunner() {
  for (auto& [name, queue] : state_->queues) {
    if (queue.running) queue.running->forget();
  }
}

void ScriptRunner::run(const std::string& queue, Command command, OnDone on_done) {
  const auto [found, is_new] = state_->queues.try_emplace(queue);
  if (is_new) return state_->start(queue, {std::move(command), std::move(on_done)});
  std::deque<Waiting>& waiting = found->second.waiting;
  if (waiting.size() >= kMaxQueued) {
    const OnDone dropped = std::move(waiting.front().on_done);
    waiting.pop_front();
    if (dropped) boost::asio::post(state_->io, [dropped] { dropped({.start_errno = ECANCELED}); });
  }
  waiting.push_back({std::move(command), std::move(on_done)});
}

bool ScriptRunner::idle() const {
  return state_->queues.empty();
}

void ScriptRunner::when_idle(std::function<void()> on_idle) {
  if (idle()) return on_idle();
  state_->on_idle = std::move(on_idle);
}

}  // namespace holdfast::runtime
