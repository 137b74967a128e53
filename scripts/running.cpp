#include "scripts/running.hpp"

#include "runtime/clock.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace holdfast::scripts {

using core::ScriptEnd;
using core::ScriptOutcome;

Running::Running(boost::asio::io_context& io, Spawned spawned, core::Instant started,
                 OnEnded on_ended)
    : pid_(spawned.pid),
      start_error_(std::move(spawned.start_error)),
      pidfd_(io, spawned.pidfd.release()),
      started_(started),
      on_ended_(std::move(on_ended)) {}

void Running::wait() {
  pidfd_.async_wait(pidfd_.wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->reap();
  });
}

void Running::strike(int signal, core::EndedBy by) {
  by_ = by;
  // Not reaped yet, so the number still means this process and its group; a script that has not got
  // as far as its own group has no further processes.
  if (::kill(-pid_, signal) != 0) ::kill(pid_, signal);
}

void Running::forget() {
  on_ended_ = {};
  boost::system::error_code ignored;
  pidfd_.close(ignored);
}

void Running::reap() {
  // Who did not end by itself takes along what it has left in its group.
  if (by_ != core::EndedBy::itself) ::kill(-pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return wait();
  ScriptOutcome outcome{.by = by_, .took = runtime::now() - started_};
  if (WIFSIGNALED(status)) outcome.end = ScriptEnd::signalled;
  outcome.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  int error = 0;
  if (::read(start_error_.get(), &error, sizeof error) == sizeof error)
    outcome = {.end = ScriptEnd::not_started, .code = error};
  const auto callback = std::exchange(on_ended_, {});
  if (callback) callback(outcome);
}

}  // namespace holdfast::scripts
