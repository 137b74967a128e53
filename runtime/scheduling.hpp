// How the kernel schedules this process, as the configuration asks.
#pragma once

#include "core/result.hpp"
#include "core/scheduling.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <sched.h>
#include <string>
#include <vector>

namespace holdfast::runtime {

/// "real-time priority 50, memory locked, on processor 2"; empty: nothing is asked for.
[[nodiscard]] std::string to_string(const core::Scheduling& scheduling);

/// Keeps the thread of the loop, and the processors and memory of the whole process, as the
/// configuration in use asks, and as it was before when nothing is asked any more. Programs and
/// threads that come later start at normal priority.
class Scheduler {
 public:
  /// `ordinary_nice`: of this thread while nothing is asked for, if that is less than what it was
  /// started with and the process may.
  Scheduler(boost::asio::io_context& io, Logger& logger, int ordinary_nice = 0);

  /// What cannot be had is logged, and the rest is done.
  void follow(const core::Scheduling& wanted);
  /// The loop woke up `late` after the moment for which it had asked.
  void woke_up(core::Duration late);

 private:
  void set_nice(std::vector<core::Error>& errors);
  void set_realtime(std::vector<core::Error>& errors);
  void set_memory(std::vector<core::Error>& errors);
  void set_processors(std::vector<core::Error>& errors);
  void wait_for_limit();
  [[nodiscard]] int realtime_priority() const {
    return std::max(now_.realtime_priority, raised_to_);
  }

  Logger& logger_;
  core::Scheduling now_;
  std::uint8_t raised_to_ = 0;  ///< at most now_.highest_priority
  int ordinary_nice_;
  cpu_set_t first_processors_;
  boost::asio::signal_set limit_;  ///< SIGXCPU: realtime_limit is used up
  DeadlineTimer pause_;
};

}  // namespace holdfast::runtime
