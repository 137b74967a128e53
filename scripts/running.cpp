#include "scripts/running.hpp"

#include "runtime/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace holdfast::scripts {

using core::ScriptEnd;
using core::ScriptOutcome;

Running::Running(boost::asio::io_context& io, Spawned spawned, core::Instant started,
                 OnEnded on_ended)
    : io_(io),
      pid_(spawned.pid),
      start_error_(std::move(spawned.start_error)),
      pidfd_(io, spawned.pidfd.release()),
      started_(started),
      on_ended_(std::move(on_ended)) {}

Running::~Running() {
  if (last_blow_) strike(SIGKILL, core::EndedBy::farewell);
}

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

// proc(5): the state is the first word behind the name, which may itself hold parentheses.
bool Running::is_waiting() const {
  const std::string path = fmt::format("/proc/{}/stat", pid_);
  const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  const ssize_t count = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  const std::string_view line(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::size_t name_ends = line.rfind(") ");
  return name_ends != std::string_view::npos && line.substr(name_ends + 2).starts_with('S');
}

void Running::forget() {
  on_ended_ = {};
  boost::system::error_code ignored;
  pidfd_.close(ignored);
}

void Running::dismiss(core::Duration patience) {
  on_ended_ = {};
  strike(SIGTERM, core::EndedBy::farewell);
  last_blow_ = std::make_unique<runtime::DeadlineTimer>(
      io_, [this] { strike(SIGKILL, core::EndedBy::farewell); });
  last_blow_->arm(runtime::now() + patience);
}

void Running::reap() {
  // Who did not end by itself takes along what it has left in its group.
  if (by_ != core::EndedBy::itself) ::kill(-pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return wait();
  last_blow_.reset();
  ScriptOutcome outcome{.by = by_, .took = runtime::now() - started_};
  if (WIFSIGNALED(status)) outcome.end = ScriptEnd::signalled;
  outcome.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  int error = 0;
  if (start_error_ && ::read(start_error_.get(), &error, sizeof error) == sizeof error)
    outcome = {.end = ScriptEnd::not_started, .code = error};
  const auto callback = std::exchange(on_ended_, {});
  if (callback) callback(outcome);
}

}  // namespace holdfast::scripts
