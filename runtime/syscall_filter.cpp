#include "runtime/syscall_filter.hpp"

#include "runtime/syscall_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

#if defined(__has_feature)  // clang's way of telling
#if __has_feature(address_sanitizer)
#define HOLDFAST_SANITIZERS
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HOLDFAST_SANITIZERS
#endif
#if defined(HOLDFAST_SANITIZERS)
constexpr bool kSanitizers = true;
#else
constexpr bool kSanitizers = false;
#endif

using Names = std::span<const char* const>;

struct ReleaseFilter {
  void operator()(scmp_filter_ctx context) const { ::seccomp_release(context); }
};

class Filter {
 public:
  explicit Filter(bool loud)
      : loud_(loud), context_(::seccomp_init(loud ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS))) {
    if (!context_) error_ = ENOMEM;
    attribute(SCMP_FLTATR_CTL_TSYNC, 1);
    // Both need a newer kernel, and without them it works as well.
    static_cast<void>(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_LOG, 1));
    static_cast<void>(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  void allow(Names names) {
    for (const char* name : names) rule(SCMP_ACT_ALLOW, name, {});
  }
  void refuse(Names names) {
    if (loud_) return;  // as everything that is not allowed
    for (const char* name : names) {
      const bool is_needed =
          kSanitizers && std::any_of(kOfSanitizers.begin(), kOfSanitizers.end(),
                                     [name](std::string_view one) { return one == name; });
      if (!is_needed) rule(SCMP_ACT_ERRNO(EPERM), name, {});
    }
  }
  /// As a kernel that does not have it.
  void deny_existence(const char* name) { rule(SCMP_ACT_ERRNO(ENOSYS), name, {}); }
  /// `wanted` are the bits of `mask` that the argument must have.
  void allow_with(const char* name, unsigned argument, std::uint64_t mask, std::uint64_t wanted) {
    rule(SCMP_ACT_ALLOW, name, {{argument, SCMP_CMP_MASKED_EQ, mask, wanted}});
  }
  void allow_value(const char* name, unsigned argument, int value) {
    rule(SCMP_ACT_ALLOW, name, {{argument, SCMP_CMP_EQ, static_cast<std::uint64_t>(value), 0}});
  }
  /// errno, 0: the filter is in force.
  [[nodiscard]] int load() {
    if (error_ == 0) note(::seccomp_load(context_.get()));
    return error_;
  }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }
  void attribute(scmp_filter_attr name, std::uint32_t value) {
    if (error_ == 0) note(::seccomp_attr_set(context_.get(), name, value));
  }
  void rule(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& conditions) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;
    note(::seccomp_rule_add_array(context_.get(), action, number,
                                  static_cast<unsigned>(conditions.size()), conditions.data()));
  }

  bool loud_;
  int error_ = 0;
  std::unique_ptr<void, ReleaseFilter> context_;
};

/// Runs in whatever thread made the call, for tests only: so it may allocate.
[[noreturn]] void say_which_call(int, siginfo_t* info, void*) {
  char* name = ::seccomp_syscall_resolve_num_arch(info->si_arch, info->si_syscall);
  const std::string line = fmt::format("holdfast: system call {} ({}) is not on the list\n",
                                       info->si_syscall, name == nullptr ? "unknown" : name);
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
  std::signal(SIGSYS, SIG_DFL);
  sigset_t own;
  ::sigemptyset(&own);
  ::sigaddset(&own, SIGSYS);
  ::pthread_sigmask(SIG_UNBLOCK, &own, nullptr);
  std::raise(SIGSYS);
  std::abort();
}

void be_loud() {
  struct sigaction action {};
  action.sa_sigaction = say_which_call;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
}

std::vector<Names> lists() {
  std::vector<Names> lists{kLife, kFiles, kSockets};
  if (kSanitizers) lists.emplace_back(kOfSanitizers);
  return lists;
}

std::vector<int> families_of(FilterFor what) {
  // NETLINK: name services ask for the addresses of this host.
  std::vector<int> families{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  if (what == FilterFor::network) families.push_back(AF_PACKET);
  return families;
}

}  // namespace

core::Result<void> filter_syscalls(FilterFor what) {
  const char* word = std::getenv(kFilterVariable);
  const std::string_view mode = word == nullptr ? "" : word;
  if (mode == "off") return {};
  if (mode != "" && mode != "on" && mode != "loud")
    return core::fail("{} is on, off or loud, not '{}'", kFilterVariable, mode);
  Filter filter(mode == "loud");
  if (mode == "loud") be_loud();
  for (const Names names : lists()) filter.allow(names);
  // A thread, not a process. clone3 keeps its flags in memory, where a filter cannot look: without
  // it the C library uses clone.
  if (mode == "loud") filter.deny_existence("clone3");
  filter.allow_with("clone", 0, CLONE_THREAD | CLONE_NEWUSER | CLONE_NEWNS, CLONE_THREAD);
  if (kSanitizers) filter.allow_with("clone", 0, CLONE_NEWUSER, 0);
  for (const int family : families_of(what)) filter.allow_value("socket", 0, family);
  filter.refuse(kHostile);
  if (const int error = filter.load(); error != 0)
    return core::fail_errno(error, "cannot limit the system calls of this process");
  return {};
}

}  // namespace holdfast::runtime
