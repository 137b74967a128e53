#include "runtime/loop.hpp"

#include "runtime/clock.hpp"
#include "runtime/turn_meter.hpp"

#include <utility>

namespace holdfast::runtime {

/// Shared with the pending handler, which may run after the owner has gone.
struct DeadlineTimer::State {
  State(boost::asio::io_context& io, std::function<void()> callback)
      : timer(io), on_due(std::move(callback)) {}

  boost::asio::steady_timer timer;
  std::function<void()> on_due;
  DeadlineTimer* owner = nullptr;
};

DeadlineTimer::DeadlineTimer(boost::asio::io_context& io, std::function<void()> on_due)
    : state_(std::make_shared<State>(io, std::move(on_due))) {
  state_->owner = this;
}

DeadlineTimer::~DeadlineTimer() {
  state_->owner = nullptr;
  state_->timer.cancel();
}

void DeadlineTimer::arm(std::optional<core::Instant> deadline) {
  if (deadline == deadline_) return;
  deadline_ = deadline;
  if (!deadline) {
    state_->timer.cancel();
    return;
  }
  // steady_clock is CLOCK_MONOTONIC in libstdc++, so that instants need no translation.
  state_->timer.expires_at(std::chrono::steady_clock::time_point(deadline->time_since_epoch()));
  state_->timer.async_wait(
      [state = state_, armed_for = *deadline](boost::system::error_code error) {
        // A handler that was already queued when the timer was re-armed carries no error: the
        // deadline tells.
        if (error || state->owner == nullptr || state->owner->deadline_ != armed_for) return;
        state->owner->deadline_.reset();
        state->on_due();
      });
}

PeriodicTimer::PeriodicTimer(boost::asio::io_context& io, core::Duration interval,
                             std::function<void()> on_tick)
    : interval_(interval),
      on_tick_(std::move(on_tick)),
      next_(now() + interval),
      timer_(io, [this] {
        next_ += interval_;
        const core::Instant current = now();
        if (next_ <= current)
          next_ = current + interval_;  // after a pause: no volley of late ticks
        timer_.arm(next_);
        on_tick_();
      }) {
  timer_.arm(next_);
}

Loop::Loop() : signals_(io_) {}

void Loop::on_signals(std::span<const int> numbers, std::function<void(int)> on_signal) {
  for (const int number : numbers) signals_.add(number);
  on_signal_ = std::move(on_signal);
  wait_for_signal();
}

void Loop::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    wait_for_signal();
    on_signal_(number);
  });
}

int Loop::run() {
  const auto keep_running = boost::asio::make_work_guard(io_);
  count_turns();
  io_.run();
  return exit_code_;
}

void Loop::stop(int exit_code) {
  exit_code_ = exit_code;
  io_.stop();
}

}  // namespace holdfast::runtime
