#include "runtime/process.hpp"

#include <cerrno>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

namespace holdfast::runtime {

std::vector<core::Error> apply(const Scheduling& scheduling) {
  std::vector<core::Error> errors;
  if (scheduling.nice && ::setpriority(PRIO_PROCESS, 0, *scheduling.nice) != 0) {
    errors.push_back(core::fail_errno(errno, "cannot set the nice value {}", *scheduling.nice));
  }
  if (scheduling.realtime_priority) {
    const auto limit_us = static_cast<rlim_t>(scheduling.realtime_limit.count());
    const rlimit limit{limit_us, limit_us};
    if (::setrlimit(RLIMIT_RTTIME, &limit) != 0) {
      errors.push_back(
          core::fail_errno(errno, "cannot limit real-time CPU use to {} us", limit_us));
    }
    sched_param parameter{};
    parameter.sched_priority = *scheduling.realtime_priority;
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter) != 0) {
      errors.push_back(
          core::fail_errno(errno, "cannot set real-time priority {}", parameter.sched_priority));
    }
  }
  if (scheduling.lock_memory && ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    errors.push_back(
        core::fail_errno(errno, "cannot keep this process's memory from being swapped out"));
  }
  return errors;
}

}  // namespace holdfast::runtime
