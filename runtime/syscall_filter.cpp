#include "runtime/syscall_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// Memory, threads, time, signals: what the C and C++ libraries need to live. Names that this
/// machine's kernel does not have are passed over.
constexpr std::array kLife{"arch_prctl",
                           "brk",
                           "capget",
                           "capset",
                           "clock_getres",
                           "clock_gettime",
                           "clock_nanosleep",
                           "close",
                           "close_range",
                           "exit",
                           "exit_group",
                           "futex",
                           "futex_time64",
                           "futex_waitv",
                           "getcpu",
                           "getegid",
                           "geteuid",
                           "getgid",
                           "getgroups",
                           "getitimer",
                           "getpgid",
                           "getpgrp",
                           "getpid",
                           "getppid",
                           "getpriority",
                           "getrandom",
                           "getresgid",
                           "getresuid",
                           "getrlimit",
                           "getrusage",
                           "getsid",
                           "get_robust_list",
                           "gettid",
                           "gettimeofday",
                           "getuid",
                           "madvise",
                           "membarrier",
                           "mincore",
                           "mlock",
                           "mlock2",
                           "mlockall",
                           "mmap",
                           "mmap2",
                           "mprotect",
                           "mremap",
                           "msync",
                           "munlock",
                           "munlockall",
                           "munmap",
                           "nanosleep",
                           "pause",
                           "prctl",
                           "prlimit64",
                           "restart_syscall",
                           "rseq",
                           "rt_sigaction",
                           "rt_sigpending",
                           "rt_sigprocmask",
                           "rt_sigqueueinfo",
                           "rt_sigreturn",
                           "rt_sigsuspend",
                           "rt_sigtimedwait",
                           "rt_tgsigqueueinfo",
                           "sched_getaffinity",
                           "sched_getattr",
                           "sched_getparam",
                           "sched_getscheduler",
                           "sched_get_priority_max",
                           "sched_get_priority_min",
                           "sched_rr_get_interval",
                           "sched_setaffinity",
                           "sched_setattr",
                           "sched_setparam",
                           "sched_setscheduler",
                           "sched_yield",
                           "set_robust_list",
                           "set_tid_address",
                           "setitimer",
                           "setpriority",
                           "setrlimit",
                           "sigaltstack",
                           "sysinfo",
                           "tgkill",
                           "time",
                           "times",
                           "ugetrlimit",
                           "uname"};

/// Files, pipes, waiting. No new device, no other owner.
constexpr std::array kFiles{"access",
                            "chdir",
                            "chmod",
                            "copy_file_range",
                            "creat",
                            "dup",
                            "dup2",
                            "dup3",
                            "epoll_create",
                            "epoll_create1",
                            "epoll_ctl",
                            "epoll_pwait",
                            "epoll_pwait2",
                            "epoll_wait",
                            "eventfd",
                            "eventfd2",
                            "faccessat",
                            "faccessat2",
                            "fadvise64",
                            "fallocate",
                            "fchdir",
                            "fchmod",
                            "fchmodat",
                            "fcntl",
                            "fcntl64",
                            "fdatasync",
                            "flock",
                            "fstat",
                            "fstat64",
                            "fstatat64",
                            "fstatfs",
                            "fstatfs64",
                            "fsync",
                            "ftruncate",
                            "ftruncate64",
                            "getcwd",
                            "getdents",
                            "getdents64",
                            "inotify_add_watch",
                            "inotify_init",
                            "inotify_init1",
                            "inotify_rm_watch",
                            "ioctl",
                            "_llseek",
                            "lseek",
                            "lstat",
                            "lstat64",
                            "memfd_create",
                            "mkdir",
                            "mkdirat",
                            "newfstatat",
                            "open",
                            "openat",
                            "openat2",
                            "pidfd_open",
                            "pipe",
                            "pipe2",
                            "poll",
                            "ppoll",
                            "pread64",
                            "preadv",
                            "preadv2",
                            "pselect6",
                            "pwrite64",
                            "pwritev",
                            "pwritev2",
                            "read",
                            "readahead",
                            "readlink",
                            "readlinkat",
                            "readv",
                            "rename",
                            "renameat",
                            "renameat2",
                            "rmdir",
                            "select",
                            "_newselect",
                            "sendfile",
                            "signalfd",
                            "signalfd4",
                            "splice",
                            "stat",
                            "stat64",
                            "statfs",
                            "statfs64",
                            "statx",
                            "tee",
                            "timerfd_create",
                            "timerfd_gettime",
                            "timerfd_settime",
                            "truncate",
                            "umask",
                            "unlink",
                            "unlinkat",
                            "utimensat",
                            "utime",
                            "utimes",
                            "futimesat",
                            "waitid",
                            "wait4",
                            "write",
                            "writev"};

constexpr std::array kSockets{
    "accept",   "accept4", "bind",     "connect",    "getpeername",     "getsockname", "getsockopt",
    "listen",   "recv",    "recvfrom", "recvmmsg",   "recvmmsg_time64", "recvmsg",     "send",
    "sendmmsg", "sendmsg", "sendto",   "setsockopt", "shutdown",        "socketpair"};

/// Only an intruder asks for these. What a program does by itself would get ENOSYS and go on.
constexpr std::array kHostile{"acct",
                              "add_key",
                              "adjtimex",
                              "bpf",
                              "chown",
                              "chroot",
                              "clock_adjtime",
                              "clock_settime",
                              "delete_module",
                              "execve",
                              "execveat",
                              "fanotify_init",
                              "fchown",
                              "fchownat",
                              "finit_module",
                              "fork",
                              "fsconfig",
                              "fsmount",
                              "fsopen",
                              "init_module",
                              "ioperm",
                              "iopl",
                              "io_uring_enter",
                              "io_uring_register",
                              "io_uring_setup",
                              "kcmp",
                              "kexec_file_load",
                              "kexec_load",
                              "keyctl",
                              "kill",
                              "lchown",
                              "link",
                              "linkat",
                              "mknod",
                              "mknodat",
                              "mount",
                              "mount_setattr",
                              "move_mount",
                              "move_pages",
                              "name_to_handle_at",
                              "open_by_handle_at",
                              "open_tree",
                              "perf_event_open",
                              "personality",
                              "pidfd_getfd",
                              "pidfd_send_signal",
                              "pivot_root",
                              "process_madvise",
                              "process_vm_readv",
                              "process_vm_writev",
                              "ptrace",
                              "quotactl",
                              "reboot",
                              "request_key",
                              "seccomp",
                              "setdomainname",
                              "setfsgid",
                              "setfsuid",
                              "setgid",
                              "setgroups",
                              "sethostname",
                              "setns",
                              "setregid",
                              "setresgid",
                              "setresuid",
                              "setreuid",
                              "settimeofday",
                              "setuid",
                              "setxattr",
                              "swapoff",
                              "swapon",
                              "symlink",
                              "symlinkat",
                              "syslog",
                              "tkill",
                              "umount2",
                              "unshare",
                              "userfaultfd",
                              "vfork",
                              "vhangup"};

/// The leak sanitizer stops its own process from a helper at the end.
constexpr std::array kOfSanitizers{"ptrace", "process_vm_readv", "kill", "tkill", "personality"};

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
