#include "scripts/spawn.hpp"

#include "runtime/signals.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
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

/// `told` first: of two with one name the first counts.
std::vector<char*> environment_with(std::vector<std::string>& told) {
  std::vector<char*> kept;
  for (std::string& each : told) kept.push_back(each.data());
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (is_safe_variable(*entry)) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

/// What the new process needs, and its one answer.
struct Launch {
  const char* program;
  char* const* argv;
  char* const* environment;
  const core::ScriptUser& user;
  SpawnOptions options;
  bool is_our_user;
  pid_t parent;
  int error_fd = -1;  ///< where the answer goes from a process with memory of its own
  int error = 0;      ///< errno of what kept it from becoming the script
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
bool become(const Launch& launch) {
  const core::ScriptUser& user = launch.user;
  const bool has_groups = ::syscall(kSetGroups, user.groups.size(), user.groups.data()) == 0;
  if (launch.is_our_user) return true;
  return has_groups && ::syscall(kSetGid, user.gid) == 0 && ::syscall(kSetUid, user.uid) == 0;
}

/// A change of user takes this back, so it comes after that. Whose parent has ended by then hears
/// nothing any more: prctl(2), PR_SET_PDEATHSIG.
bool end_with(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return false;
  if (::getppid() != parent) ::_exit(kNotStarted);
  return true;
}

/// All descriptors but the standard ones and the one that closes itself with the exec.
void close_others(int error_fd) {
  constexpr unsigned kFrom = STDERR_FILENO + 1;
  const auto kept = static_cast<unsigned>(std::max(error_fd, STDERR_FILENO));
  if (kept > kFrom) ::close_range(kFrom, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
}

// May run in the memory of its parent, which waits until the exec: system calls only, and nothing
// of the parent's is changed but `error`.
int become_script(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  const SpawnOptions& options = launch.options;
  ::setsid();
  const bool has_input =
      options.standard_input >= 0 && ::dup2(options.standard_input, STDIN_FILENO) == STDIN_FILENO;
  const int first = has_input ? STDOUT_FILENO : STDIN_FILENO;
  const int last = options.keeps_error_output ? STDOUT_FILENO : STDERR_FILENO;
  close_others(launch.error_fd);
  const int null = ::open("/dev/null", O_RDWR);
  for (int standard = first; null >= 0 && standard <= last; ++standard) ::dup2(null, standard);
  if (null > STDERR_FILENO) ::close(null);
  runtime::use_default_signals();  // what is ignored or blocked would survive the exec
  if (null >= 0 && become(launch) && (!options.ends_with_us || end_with(launch.parent)))
    ::execve(launch.program, launch.argv, launch.environment);
  launch.error = errno;
  if (launch.error_fd >= 0) {
    [[maybe_unused]] const ssize_t ignored =
        ::write(launch.error_fd, &launch.error, sizeof launch.error);
  }
  ::_exit(kNotStarted);
}

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

// Of our own user as vfork: nothing of this process is copied, however large it is, and it waits
// for the exec. Another account could stop the new process before that, or look into its memory: it
// gets a copy, and nobody waits. clone(2).
core::Result<Spawned> spawn(const std::string& program, const core::Command& command,
                            const SpawnOptions& options) {
  std::vector<std::string> words = command.argv;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> told = command.environment;
  const std::vector<char*> environment = environment_with(told);
  Launch launch{.program = program.c_str(),
                .argv = argv.data(),
                .environment = environment.data(),
                .user = command.user,
                .options = options,
                .is_our_user = command.user.uid == ::geteuid() && command.user.gid == ::getegid(),
                .parent = ::getpid()};
  Spawned spawned;
  runtime::UniqueFd error_writer;
  int sharing = CLONE_VM | CLONE_VFORK;
  if (!launch.is_our_user) {
    sharing = 0;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
      return core::fail_errno(errno, "cannot run {}", program);
    spawned.start_error.reset(ends[0]);
    error_writer.reset(ends[1]);
    launch.error_fd = ends[1];
  }
  alignas(std::max_align_t) std::array<std::byte, kStackBytes> stack;
  int pidfd = -1;
  {
    const runtime::SignalsBlocked blocked;  // no handler of ours runs in the new process
    spawned.pid = ::clone(become_script, stack.data() + stack.size(),
                          sharing | CLONE_PIDFD | SIGCHLD, &launch, &pidfd);
  }
  if (spawned.pid < 0) return core::fail_errno(errno, "cannot run {}", program);
  spawned.pidfd.reset(pidfd);
  if (launch.error == 0) return spawned;
  wait_for(spawned.pid);
  return core::fail_errno(launch.error, "cannot run {}", program);
}

}  // namespace holdfast::scripts
