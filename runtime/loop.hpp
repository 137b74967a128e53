// One event loop per process. Handlers are short: note what happened, call the core, hand its
// actions on.
#pragma once

#include "core/time.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace holdfast::runtime {

/// "Call me at this instant": one kernel timer, re-armed from core.deadline() after every step.
/// Cancels in its destructor; the callback never runs after that.
class DeadlineTimer {
 public:
  DeadlineTimer(boost::asio::io_context& io, std::function<void()> on_due);
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  /// nullopt: nothing to wait for. Arming again replaces the former deadline; the same one costs
  /// nothing.
  void arm(std::optional<core::Instant> deadline);
  [[nodiscard]] std::optional<core::Instant> armed() const { return deadline_; }

 private:
  struct State;
  std::optional<core::Instant> deadline_;
  std::shared_ptr<State> state_;
};

/// Asks for a callback from inside the loop at a steady rate, without drift. For heartbeats and
/// status refreshes, not for protocol timing.
class PeriodicTimer {
 public:
  PeriodicTimer(boost::asio::io_context& io, core::Duration interval,
                std::function<void()> on_tick);

 private:
  core::Duration interval_;
  std::function<void()> on_tick_;
  core::Instant next_;
  DeadlineTimer timer_;
};

/// The io_context (one thread) plus signals and stop.
class Loop {
 public:
  Loop();
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  /// Calls `on_signal(number)` from inside the loop. May be called once per process.
  void on_signals(std::span<const int> numbers, std::function<void(int)> on_signal);
  /// Runs until stop(); returns the exit code given there. Counts its turns (turn_meter.hpp).
  int run();
  /// Ends run() after the handler that is running.
  void stop(int exit_code = 0);

 private:
  void wait_for_signal();

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  std::function<void(int)> on_signal_;
  int exit_code_ = 0;
};

}  // namespace holdfast::runtime
