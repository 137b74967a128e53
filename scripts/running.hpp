// One script from its start to its end: waits for its pidfd, strikes its process group.
#pragma once

#include "core/script.hpp"

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
  /// Begins to wait. `on_ended` comes once, from the loop, after the process was reaped.
  void wait();
  /// A signal to the whole group. `by` becomes part of the outcome.
  void strike(int signal, core::EndedBy by);
  /// It sleeps, as the kernel sees it. False when that cannot be seen.
  [[nodiscard]] bool is_waiting() const;
  /// The owner goes away: the script goes on, and nobody hears of its end.
  void forget();

 private:
  void reap();

  pid_t pid_;
  boost::asio::posix::stream_descriptor pidfd_;
  core::Instant started_;
  core::EndedBy by_ = core::EndedBy::itself;
  OnEnded on_ended_;
};

}  // namespace holdfast::scripts
