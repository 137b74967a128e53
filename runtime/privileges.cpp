#include "runtime/process.hpp"
#include "runtime/syscall_filter.hpp"

#include <cap-ng.h>
#include <cerrno>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

const std::vector<unsigned>& capabilities_of(Role role) {
  // SYS_NICE and IPC_LOCK: vrrp_rt_priority, checker_no_swap and the like.
  static const std::vector<unsigned> kNetwork{CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE,
                                              CAP_SYS_NICE, CAP_IPC_LOCK};
  // DAC_OVERRIDE: pid files and sockets in directories of others. KILL: children of other users.
  static const std::vector<unsigned> kWatchdog{
      CAP_NET_ADMIN, CAP_NET_RAW,  CAP_NET_BIND_SERVICE, CAP_SETUID,       CAP_SETGID,
      CAP_KILL,      CAP_SYS_NICE, CAP_IPC_LOCK,         CAP_DAC_OVERRIDE, CAP_SETPCAP};
  // SYS_ADMIN: until the network namespace has been entered.
  static const std::vector<unsigned> kWatchdogAtStart = [] {
    std::vector<unsigned> all = kWatchdog;
    all.push_back(CAP_SYS_ADMIN);
    return all;
  }();
  // Dumps go where others write, too, and replace what they left there.
  static const std::vector<unsigned> kDumps{CAP_DAC_OVERRIDE, CAP_FOWNER};
  static const std::vector<unsigned> kNone;
  switch (role) {
    case Role::watchdog_at_start:
      return kWatchdogAtStart;
    case Role::watchdog:
      break;
    case Role::dumps:
      return kDumps;
    case Role::bus:
      return kNone;
    case Role::vrrp:
    case Role::checkers:
      return kNetwork;
  }
  return kWatchdog;
}

}  // namespace

core::Result<std::string> keep_capabilities(Role role, const std::string& run_dir) {
  if (::geteuid() != 0) return {};
  if (capng_get_caps_process() != 0) return core::fail("cannot read this process's capabilities");
  std::vector<unsigned> wanted = capabilities_of(role);
  std::string remark;
  struct stat directory {};
  const bool is_child = role == Role::vrrp || role == Role::checkers || role == Role::bus;
  if (is_child && ::stat(run_dir.c_str(), &directory) == 0 && directory.st_uid != ::geteuid()) {
    wanted.push_back(CAP_DAC_OVERRIDE);
    remark = fmt::format(
        "the run directory {} belongs to user {}, who can replace what is in it; this process "
        "keeps CAP_DAC_OVERRIDE to write there",
        run_dir, directory.st_uid);
  }
  std::vector<unsigned> kept;
  for (const unsigned capability : wanted) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) kept.push_back(capability);
  }
  capng_clear(CAPNG_SELECT_CAPS);
  for (const unsigned capability : kept) {
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 capability);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return core::fail("cannot give up capabilities");
  return remark;
}

core::Result<void> give_up_programs() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return core::fail_errno(errno, "cannot give up new privileges");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned long capability = 0;; ++capability) {
    const int held = ::prctl(PR_CAPBSET_READ, capability);
    if (held < 0) break;  // there are no more
    // Without CAP_SETPCAP, as in many containers, the set stays: no_new_privs is what counts.
    if (held == 1 && ::prctl(PR_CAPBSET_DROP, capability) != 0 && errno != EPERM)
      return core::fail_errno(errno, "cannot empty the bounding set of capabilities");
  }
  return {};
}

core::Result<std::string> confine(Role role, const std::string& run_dir) {
  // Each step counts by itself, also when another one fails.
  const auto given_up = give_up_programs();
  auto kept = keep_capabilities(role, run_dir);
  const auto filtered = filter_syscalls(FilterFor::network);
  if (!given_up) return given_up.error();
  if (!filtered) return filtered.error();
  return kept;
}

core::Result<void> give_up_capabilities_of_this_thread() {
  if (auto given_up = give_up_programs(); !given_up) return given_up;
  if (::geteuid() != 0) return {};
  capng_clear(CAPNG_SELECT_CAPS);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return core::fail("cannot give up capabilities");
  return {};
}

}  // namespace holdfast::runtime
