#include "scripts/spawn.hpp"

#include "runtime/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace holdfast::scripts {
namespace {

/// Of the new process until it is the script.
constexpr std::size_t kStackBytes = 32768;
constexpr int kNotStarted = 127;

/// What steers the dynamic linker or a shell must not pass from whoever started the daemon to a
/// root script.
bool is_safe_variable(std::string_view entry) {
  constexpr std::array<std::string_view, 6> kBad{
      "LD_", "IFS=", "ENV=", "BASH_ENV=", "NOTIFY_SOCKET=", "GCONV_PATH="};
  for (const std::string_view bad : kBad) {
    if (entry.starts_with(bad)) return false;
  }
  return true;
}

std::vector<char*> clean_environment() {
  std::vector<char*> kept;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (is_safe_variable(*entry)) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

/// What the new process needs, and its one answer: they share their memory.
struct Launch {
  const char* program;
  char* const* argv;
  char* const* environment;
  const core::ScriptUser& user;
  int input_fd;   ///< standard input; -1: /dev/null
  int error = 0;  ///< errno of what kept it from becoming the script
};

// The calls themselves: the C library's functions would have the other threads of this process,
// whose memory this is, change their user, too.
#if defined(SYS_setuid32)
constexpr long kSetGroups = SYS_setgroups32;
constexpr long kSetGid = SYS_setgid32;
constexpr long kSetUid = SYS_setuid32;
#else
constexpr long kSetGroups = SYS_setgroups;
constexpr long kSetGid = SYS_setgid;
constexpr long kSetUid = SYS_setuid;
#endif

/// Whoever is this user already stays it where the groups cannot be changed: a container's root
/// without CAP_SETGID.
bool become(const core::ScriptUser& user) {
  const bool has_groups = ::syscall(kSetGroups, user.groups.size(), user.groups.data()) == 0;
  if (user.uid == ::geteuid() && user.gid == ::getegid()) return true;
  return has_groups && ::syscall(kSetGid, user.gid) == 0 && ::syscall(kSetUid, user.uid) == 0;
}

// Runs in the memory of its parent, which waits until the exec: system calls only, and nothing of
// the parent's is changed but `error`.
int become_script(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  ::setsid();
  const bool has_input =
      launch.input_fd >= 0 && ::dup2(launch.input_fd, STDIN_FILENO) == STDIN_FILENO;
  const int first = has_input ? STDOUT_FILENO : STDIN_FILENO;
  ::close_range(static_cast<unsigned>(first), ~0U, 0);
  const bool has_null = ::open("/dev/null", O_RDWR) == first;
  for (int standard = first + 1; standard <= STDERR_FILENO; ++standard) ::dup2(first, standard);
  runtime::use_default_signals();  // what is ignored or blocked would survive the exec
  if (has_null && become(launch.user)) ::execve(launch.program, launch.argv, launch.environment);
  launch.error = errno;
  ::_exit(kNotStarted);
}

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

// As vfork: nothing of this process is copied, however large it is. clone(2).
core::Result<Spawned> spawn(const std::string& program, const core::Command& command,
                            int standard_input) {
  std::vector<std::string> words = command.argv;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::vector<char*> environment = clean_environment();
  Launch launch{program.c_str(), argv.data(), environment.data(), command.user, standard_input};
  alignas(std::max_align_t) std::array<std::byte, kStackBytes> stack;
  int pidfd = -1;
  Spawned spawned;
  {
    const runtime::SignalsBlocked blocked;  // no handler of ours runs in the new process
    spawned.pid = ::clone(become_script, stack.data() + stack.size(),
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &launch, &pidfd);
  }
  if (spawned.pid < 0) return core::fail_errno(errno, "cannot run {}", program);
  spawned.pidfd.reset(pidfd);
  if (launch.error == 0) return spawned;
  wait_for(spawned.pid);
  return core::fail_errno(launch.error, "cannot run {}", program);
}

}  // namespace holdfast::scripts
