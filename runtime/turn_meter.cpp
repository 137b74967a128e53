#include "runtime/turn_meter.hpp"

#include "runtime/clock.hpp"
#include "runtime/watched_epoll.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::runtime {
namespace {

// A thread has one loop, and Asio has no place to put this.
thread_local std::optional<Turns> counted;
thread_local core::Instant began;
thread_local core::Duration worked_before;

}  // namespace

void count_turns() {
  began = now();
  worked_before = time_worked();
  counted = Turns{.count = 0, .longest = {}, .longest_at = began, .busiest = {}, .since = began};
}

Turns turns() {
  return counted.value_or(Turns{});
}

core::Instant turn_began() {
  return counted ? began : now();
}

boost::json::object turns_json() {
  const Turns now_known = turns();
  return {{"longest_turn_ms", static_cast<double>(now_known.longest.count()) / 1000},
          {"longest_turn_at", iso8601_utc(now_known.longest_at)},
          {"busiest_turn_ms", static_cast<double>(now_known.busiest.count()) / 1000},
          {"turns", now_known.count},
          {"since_at", iso8601_utc(now_known.since)}};
}

int watched_epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  if (!counted) return ::epoll_wait(epoll, events, most, timeout);
  const core::Instant ended = now();
  ++counted->count;
  // A system call, and no turn has worked longer than it took.
  if (ended - began > counted->busiest)
    counted->busiest = std::max(counted->busiest, time_worked() - worked_before);
  if (ended - began > counted->longest) {
    counted->longest = ended - began;
    counted->longest_at = ended;
  }
  const int ready = ::epoll_wait(epoll, events, most, timeout);
  began = now();
  worked_before = time_worked();
  return ready;
}

}  // namespace holdfast::runtime
