#include "scripts/spawn.hpp"

#include "runtime/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace holdfast::scripts {
namespace {

constexpr unsigned kFirstOwnDescriptor = 3;

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

struct Prepared {
  const char* program;
  char* const* argv;
  char* const* environment;
  const core::ScriptUser* user;
  int input_fd;
  int null_fd;
  int error_fd;
};

[[noreturn]] void give_up(int error_fd) {
  const int error = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(error_fd, &error, sizeof error);
  ::_exit(127);
}

/// Whoever is this user already stays it where the groups cannot be changed: a container's root
/// without CAP_SETGID.
bool become(const core::ScriptUser& user) {
  const bool has_groups = ::setgroups(user.groups.size(), user.groups.data()) == 0;
  if (user.uid == ::geteuid() && user.gid == ::getegid()) return true;
  return has_groups && ::setgid(user.gid) == 0 && ::setuid(user.uid) == 0;
}

/// Runs in the forked child of a process with threads: async-signal-safe calls only.
[[noreturn]] void become_script(const Prepared& prepared) {
  ::setsid();
  ::dup2(prepared.input_fd, STDIN_FILENO);
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(prepared.null_fd, standard);
  ::dup2(prepared.error_fd, static_cast<int>(kFirstOwnDescriptor));
  ::fcntl(static_cast<int>(kFirstOwnDescriptor), F_SETFD, FD_CLOEXEC);
  ::close_range(kFirstOwnDescriptor + 1, ~0U, 0);
  constexpr int error_fd = kFirstOwnDescriptor;
  runtime::use_default_signals();  // what is ignored or blocked would survive the exec
  if (!become(*prepared.user)) give_up(error_fd);
  ::execve(prepared.program, prepared.argv, prepared.environment);
  give_up(error_fd);
}

}  // namespace

core::Result<Spawned> spawn(const std::string& program, const core::Command& command,
                            int standard_input) {
  std::vector<std::string> words = command.argv;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::vector<char*> environment = clean_environment();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return core::fail_errno(errno, "cannot run {}", program);
  Spawned spawned;
  spawned.start_error.reset(ends[0]);
  const runtime::UniqueFd error_writer(ends[1]);
  const runtime::UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) return core::fail_errno(errno, "cannot open /dev/null for {}", program);
  const Prepared prepared{.program = program.c_str(),
                          .argv = argv.data(),
                          .environment = environment.data(),
                          .user = &command.user,
                          .input_fd = standard_input < 0 ? null_fd.get() : standard_input,
                          .null_fd = null_fd.get(),
                          .error_fd = ends[1]};
  spawned.pid = ::fork();
  if (spawned.pid < 0) return core::fail_errno(errno, "cannot run {}", program);
  if (spawned.pid == 0) become_script(prepared);
  // The wrapper in glibc 2.36 has no C linkage for C++.
  spawned.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, spawned.pid, 0)));
  if (!spawned.pidfd) {  // out of descriptors: what nobody can watch must not run
    const int error = errno;
    ::kill(spawned.pid, SIGKILL);
    while (::waitpid(spawned.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return core::fail_errno(error, "cannot watch {}", program);
  }
  return spawned;
}

}  // namespace holdfast::scripts
