#include "runtime/scheduling.hpp"

#include "runtime/clock.hpp"
#include "runtime/messages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <sys/mman.h>
#include <sys/resource.h>

namespace holdfast::runtime {
namespace {

constexpr core::Duration kPause = std::chrono::seconds(1);

std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename();
    pid_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    threads.push_back(number);
  }
  return threads;
}

int set_policy(int policy, int priority) {
  sched_param parameter{};
  parameter.sched_priority = priority;
  return ::sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &parameter);
}

}  // namespace

std::string to_string(const core::Scheduling& scheduling) {
  std::vector<std::string> parts;
  if (scheduling.realtime_priority != 0)
    parts.push_back(fmt::format("real-time priority {}", scheduling.realtime_priority));
  if (scheduling.nice) parts.push_back(fmt::format("nice value {}", *scheduling.nice));
  if (scheduling.lock_memory) parts.emplace_back("memory locked");
  if (!scheduling.processors.empty())
    parts.push_back(fmt::format("on processor {}", fmt::join(scheduling.processors, ", ")));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Scheduler::Scheduler(boost::asio::io_context& io, Logger& logger, int ordinary_nice)
    : logger_(logger),
      ordinary_nice_(std::min(::getpriority(PRIO_PROCESS, 0), ordinary_nice)),
      limit_(io, SIGXCPU),
      pause_(io, [this] {
        std::vector<core::Error> ignored;  // said when it was asked for
        set_realtime(ignored);
      }) {
  ::sched_getaffinity(0, sizeof first_processors_, &first_processors_);
  std::vector<core::Error> ignored;  // nobody asked for it
  set_nice(ignored);
  wait_for_limit();
}

void Scheduler::follow(const core::Scheduling& wanted) {
  if (wanted == now_) return;
  const core::Scheduling before = std::exchange(now_, wanted);
  std::vector<core::Error> errors;
  if (before.nice != now_.nice) set_nice(errors);
  if (before.lock_memory != now_.lock_memory) set_memory(errors);
  if (before.processors != now_.processors) set_processors(errors);
  const std::uint8_t raised_before =
      std::exchange(raised_to_, std::min(raised_to_, now_.highest_priority));
  if (before.realtime_priority != now_.realtime_priority ||
      before.realtime_limit != now_.realtime_limit || raised_before != raised_to_)
    set_realtime(errors);
  for (const core::Error& error : errors) logger_.log(kScheduling, "{}", error.message);
  if (const std::string words = to_string(now_); !words.empty() && errors.empty())
    logger_.log(kScheduled, "{}", words);
}

void Scheduler::set_nice(std::vector<core::Error>& errors) {
  const int nice = now_.nice.value_or(ordinary_nice_);
  // The threads that it makes, which are less urgent, begin at the ordinary value.
  if (realtime_priority() == 0) set_policy(SCHED_OTHER, 0);
  if (::setpriority(PRIO_PROCESS, 0, nice) != 0)
    errors.push_back(core::fail_errno(errno, "cannot set the nice value {}", nice));
}

// The kernel moves the soft limit on by a second each time it sends SIGXCPU, so it is set anew. The
// hard one, at which it would end the process, is left alone.
void Scheduler::set_realtime(std::vector<core::Error>& errors) {
  pause_.arm(std::nullopt);
  if (realtime_priority() == 0) {
    if (set_policy(SCHED_OTHER, 0) != 0)
      errors.push_back(core::fail_errno(errno, "cannot give up the real-time priority"));
    return;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_RTTIME, &limit);
  limit.rlim_cur = static_cast<rlim_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now_.realtime_limit).count());
  if (::setrlimit(RLIMIT_RTTIME, &limit) != 0)
    errors.push_back(core::fail_errno(
        errno, "cannot limit the processor time at real-time priority to {} us", limit.rlim_cur));
  else if (set_policy(SCHED_RR, realtime_priority()) != 0)
    errors.push_back(
        core::fail_errno(errno, "cannot set the real-time priority {}", realtime_priority()));
}

// One step for one wake-up: who waits for the processor at priority N waits for somebody above it.
void Scheduler::woke_up(core::Duration late) {
  if (late < now_.lateness || realtime_priority() >= now_.highest_priority) return;
  if (pause_.armed()) return;  // by its own work
  const std::uint8_t before = raised_to_;
  raised_to_ = static_cast<std::uint8_t>(realtime_priority() + 1);
  std::vector<core::Error> errors;
  set_realtime(errors);
  for (const core::Error& error : errors) logger_.log(kScheduling, "{}", error.message);
  if (errors.empty()) {
    logger_.log(kRaised, "woke up {} ms late: real-time priority {} from now on (of {} at most)",
                late / std::chrono::milliseconds(1), raised_to_, now_.highest_priority);
  } else {
    raised_to_ = before;
    now_.highest_priority = 0;  // nor the next time
  }
}

// Threads beside the loop have no capabilities: under a limit, and with all later memory locked,
// they could not get any.
void Scheduler::set_memory(std::vector<core::Error>& errors) {
  if (!now_.lock_memory) {
    ::munlockall();
    return;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const bool is_limited = limit.rlim_cur != RLIM_INFINITY;
  if (::mlockall(MCL_CURRENT | MCL_ONFAULT | (is_limited ? 0 : MCL_FUTURE)) != 0)
    errors.push_back(core::fail_errno(errno, "cannot keep the memory from being swapped out"));
  else if (is_limited)
    errors.push_back(
        core::fail("memory that this process gets later may be swapped out: to lock that as well "
                   "takes an unlimited RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity), and it is "
                   "{} KiB",
                   limit.rlim_cur / 1024));
}

void Scheduler::set_processors(std::vector<core::Error>& errors) {
  cpu_set_t wanted = first_processors_;
  if (!now_.processors.empty()) {
    CPU_ZERO(&wanted);
    for (const std::uint16_t processor : now_.processors) CPU_SET(processor, &wanted);
  }
  for (const pid_t thread : threads_of_this_process()) {
    if (::sched_setaffinity(thread, sizeof wanted, &wanted) == 0 || errno == ESRCH) continue;
    errors.push_back(core::fail_errno(errno, "cannot run on processor {}",
                                      fmt::format("{}", fmt::join(now_.processors, ", "))));
    return;
  }
}

void Scheduler::wait_for_limit() {
  limit_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    if (realtime_priority() != 0 && !pause_.armed()) {
      logger_.log(kRealtimeLimit,
                  "worked for {} us at real-time priority {} without a pause: it goes on at normal "
                  "priority for a second",
                  now_.realtime_limit / std::chrono::microseconds(1), realtime_priority());
      set_policy(SCHED_OTHER, 0);
      pause_.arm(now() + kPause);
    }
    wait_for_limit();
  });
}

}  // namespace holdfast::runtime
