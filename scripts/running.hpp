// One script from its start to its end: waits for its pidfd, strikes its process group.
#pragma once

#include "core/script.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "scripts/spawn.hpp"
#include <functional>
#include <memory>

namespace holdfast::scripts {

class Running : public std::enable_shared_from_this<Running> {
 public:
  using OnEnded = std::function<void(const core::ScriptOutcome&)>;

  Running(boost::asio::io_context& io, Spawned spawned, core::Instant started, OnEnded on_ended);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  /// Begins to wait. `on_ended` comes once, from the loop, after the process was reaped.
  void wait();
  /// A signal to the whole group. `by` becomes part of the outcome.
  void strike(int signal, core::EndedBy by);
  /// It sleeps, as the kernel sees it. False when that cannot be seen.
  [[nodiscard]] bool is_waiting() const;
  /// The owner goes away: the script goes on, and nobody hears of its end.
  void forget();
  /// The owner has no use for it any more: it gets SIGTERM, and SIGKILL after `patience` or with
  /// the end of this process; it is reaped, and nobody hears of its end.
  void dismiss(core::Duration patience);

 private:
  void reap();

  boost::asio::io_context& io_;
  pid_t pid_;
  runtime::UniqueFd start_error_;
  boost::asio::posix::stream_descriptor pidfd_;
  core::Instant started_;
  core::EndedBy by_ = core::EndedBy::itself;
  OnEnded on_ended_;
  std::unique_ptr<runtime::DeadlineTimer> last_blow_;  // of one that was dismissed and still runs
};

}  // namespace holdfast::scripts
