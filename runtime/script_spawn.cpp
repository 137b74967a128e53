#include "runtime/script_spawn.hpp"

#include "runtime/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace holdfast::runtime {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
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

/// The absolute path of a word without a slash, looked up before the fork; the word itself when not
/// found.
std::string find_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return word;
  std::string_view rest = kDefaultPath;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + word;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return word;
}

struct Prepared {
  const char* program;
  char* const* argv;
  char* const* environment;
  const Command* command;
  int null_fd;
  int error_fd;
  pid_t parent;
};

[[noreturn]] void give_up(int error_fd) {
  const int error = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(error_fd, &error, sizeof error);
  ::_exit(127);
}

/// Runs in the forked child of a process with threads: async-signal-safe calls only.
[[noreturn]] void become_script(const Prepared& prepared) {
  ::setpgid(0, 0);
  if (prepared.command->dies_with_daemon) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != prepared.parent) ::_exit(127);
  }
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::dup2(prepared.null_fd, standard);
  ::dup2(prepared.error_fd, static_cast<int>(kFirstOwnDescriptor));
  ::fcntl(static_cast<int>(kFirstOwnDescriptor), F_SETFD, FD_CLOEXEC);
  ::close_range(kFirstOwnDescriptor + 1, ~0U, 0);
  constexpr int error_fd = kFirstOwnDescriptor;
  use_default_signals();  // what is ignored or blocked would survive the exec
  if (const auto& user = prepared.command->user;
      user && (user->uid != ::geteuid() || user->gid != ::getegid())) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user->gid) != 0 || ::setuid(user->uid) != 0)
      give_up(error_fd);
  }
  ::execve(prepared.program, prepared.argv, prepared.environment);
  give_up(error_fd);
}

}  // namespace

core::Result<ScriptUser> find_script_user(std::string_view user, std::string_view group) {
  const std::string user_name(user);
  errno = 0;
  const passwd* account = ::getpwnam(user_name.c_str());
  if (account == nullptr) return core::fail("there is no user '{}' on this system", user);
  ScriptUser found{account->pw_uid, account->pw_gid};
  if (group.empty()) return found;
  const std::string group_name(group);
  const struct group* entry = ::getgrnam(group_name.c_str());
  if (entry == nullptr) return core::fail("there is no group '{}' on this system", group);
  found.gid = entry->gr_gid;
  return found;
}

core::Result<Spawned> spawn(const Command& command) {
  if (command.argv.empty()) return core::fail_errno(EINVAL, "cannot run an empty command");
  const std::string program = find_program(command.argv[0]);
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
  const UniqueFd error_writer(ends[1]);
  const UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) return core::fail_errno(errno, "cannot open /dev/null for {}", program);
  const Prepared prepared{program.c_str(), argv.data(), environment.data(), &command,
                          null_fd.get(),   ends[1],     ::getpid()};
  spawned.pid = ::fork();
  if (spawned.pid < 0) return core::fail_errno(errno, "cannot run {}", program);
  if (spawned.pid == 0) become_script(prepared);
  ::setpgid(spawned.pid, spawned.pid);  // also here: whoever comes first
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

}  // namespace holdfast::runtime
