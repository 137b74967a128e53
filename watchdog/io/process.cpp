#include "watchdog/io/process.hpp"

#include "runtime/signals.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <spawn.h>
#include <sstream>
#include <string_view>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

constexpr int kFirstFreeDescriptor = 10;

/// What systemd gave to us is not for our children: they would speak to it in our name.
bool is_for_children(std::string_view variable) {
  for (const std::string_view name :
       {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_"})
    if (variable.starts_with(name)) return false;
  return true;
}

/// The RAII side of posix_spawn's two parameter objects.
struct SpawnParameters {
  SpawnParameters() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnParameters() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnParameters(const SpawnParameters&) = delete;
  SpawnParameters& operator=(const SpawnParameters&) = delete;

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

/// A copy out of the way of 3 to 5, so that moving one descriptor there never overwrites the
/// other.
runtime::UniqueFd out_of_the_way(int fd) {
  return runtime::UniqueFd(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

core::Result<pid_t> start(const SpawnRequest& request) {
  SpawnParameters parameters;
  const runtime::UniqueFd third = out_of_the_way(request.fd3);
  const runtime::UniqueFd fourth = out_of_the_way(request.fd4);
  const runtime::UniqueFd fifth = out_of_the_way(request.fd5);
  if ((request.fd3 >= 0 && !third) || (request.fd4 >= 0 && !fourth) || (request.fd5 >= 0 && !fifth))
    return core::fail_errno(errno, "cannot duplicate a descriptor for a child");
  if (third) posix_spawn_file_actions_adddup2(&parameters.files, third.get(), 3);
  if (fourth) posix_spawn_file_actions_adddup2(&parameters.files, fourth.get(), 4);
  if (fifth) posix_spawn_file_actions_adddup2(&parameters.files, fifth.get(), 5);
  posix_spawn_file_actions_addclosefrom_np(&parameters.files, fifth ? 6 : fourth ? 5 : 4);

  // Own process group: Ctrl-C on a terminal reaches the watchdog only, which then stops the
  // children in order.
  // Habitual signals wait until main() has said that they are ignored.
  const sigset_t until_main = runtime::harmless_signal_set();
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&parameters.attributes, &until_main);
  posix_spawnattr_setsigdefault(&parameters.attributes, &all);
  posix_spawnattr_setpgroup(&parameters.attributes, 0);
  posix_spawnattr_setflags(&parameters.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> arguments{"holdfast"};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (is_for_children(*variable)) environment.push_back(*variable);
  environment.push_back(nullptr);

  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/proc/self/exe", &parameters.files, &parameters.attributes,
                                pointers(arguments).data(), environment.data());
  if (error != 0) return core::fail_errno(error, "cannot start another process of this program");
  return pid;
}

/// Processes that this one has started and whose end it has not taken notice of yet.
std::set<pid_t>& unreaped() {
  static std::set<pid_t> pids;
  return pids;
}

}  // namespace

/// Shared with the pending wait.
struct Process::State {
  State(boost::asio::io_context& io, std::function<void(ExitStatus)> callback)
      : descriptor(io), on_exit(std::move(callback)) {}

  boost::asio::posix::stream_descriptor
      descriptor;  // the pidfd: readable when the process has ended
  std::function<void(ExitStatus)> on_exit;
  pid_t pid = -1;
  bool reaped = false;

  void reap() {
    siginfo_t info{};
    int result = 0;
    do {
      result = ::waitid(P_PIDFD, static_cast<id_t>(descriptor.native_handle()), &info, WEXITED);
    } while (result != 0 && errno == EINTR);
    reaped = true;
    unreaped().erase(pid);
    // The pidfd says that it is dead, so that is reported even when somebody else took the status
    // (signal 0 then): saying nothing would make a death look like silence.
    if (result != 0) info = {};
    const bool exited = info.si_code == CLD_EXITED;
    const ExitStatus status{.kind = exited ? ExitStatus::Kind::exited : ExitStatus::Kind::signalled,
                            .value = info.si_status};
    if (const auto callback = std::exchange(on_exit, nullptr)) callback(status);
  }
};

Process::Process(std::shared_ptr<State> state) : state_(std::move(state)) {}

Process::~Process() {
  state_->on_exit = nullptr;
  if (!state_->reaped) unreaped().erase(state_->pid);  // its end is an orphan's
  boost::system::error_code ignored;
  state_->descriptor.cancel(ignored);
}

core::Result<std::unique_ptr<Process>> Process::spawn(boost::asio::io_context& io,
                                                      const SpawnRequest& request,
                                                      std::function<void(ExitStatus)> on_exit) {
  auto state = std::make_shared<State>(io, std::move(on_exit));
  const auto pid = start(request);
  if (!pid) return pid.error();
  state->pid = *pid;
  // Not reaped yet, so the number still means this process.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
  if (pidfd < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return core::fail_errno(error, "cannot watch process {}", *pid);
  }
  unreaped().insert(*pid);
  state->descriptor.assign(pidfd);
  state->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [state](boost::system::error_code error) {
                                 if (!error) state->reap();
                               });
  return std::unique_ptr<Process>(new Process(std::move(state)));
}

void Process::reap_orphans() {
  std::ifstream children("/proc/thread-self/children");
  for (pid_t pid = 0; children >> pid;)
    if (!unreaped().contains(pid)) ::waitpid(pid, nullptr, WNOHANG);
}

pid_t Process::pid() const {
  return state_->pid;
}

// proc(5): the words behind the name, which may itself hold parentheses, begin with the state;
// number 11 and 12 after it are user and system time in clock ticks.
Process::Activity Process::activity() const {
  if (state_->reaped) return {};
  const std::string path = fmt::format("/proc/{0}/task/{0}/stat", state_->pid);
  const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  const ssize_t count = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  const std::string_view line(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::size_t name_ends = line.rfind(") ");
  if (name_ends == std::string_view::npos) return {};
  std::istringstream words{std::string(line.substr(name_ends + 2))};
  char state = 0;
  words >> state;
  std::string skipped;
  for (int number = 1; number < 11; ++number) words >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  words >> user >> system;
  return {.is_stopped = state == 'T' || state == 't',
          .is_working = state == 'R' || state == 'D',
          .worked = core::Duration(std::chrono::seconds(user + system)) / ::sysconf(_SC_CLK_TCK)};
}

core::Result<runtime::UniqueFd> Process::pidfd() const {
  runtime::UniqueFd copy(::fcntl(state_->descriptor.native_handle(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return core::fail_errno(errno, "cannot duplicate the pidfd of process {}", pid());
  return copy;
}

void Process::signal(int number) const {
  if (!state_->reaped)
    ::syscall(SYS_pidfd_send_signal, state_->descriptor.native_handle(), number, nullptr, 0);
}

std::string to_sentence(const ExitStatus& status) {
  if (status.kind == ExitStatus::Kind::signalled) {
    if (status.value == 0) return "ended; how is not known";
    const char* name = ::strsignal(status.value);
    return fmt::format("was killed by signal {} ({})", status.value,
                       name == nullptr ? "unknown" : name);
  }
  const char* meaning = "";
  if (status.value == to_int(ExitCode::fatal))
    meaning = " (it could not go on, see its own log lines)";
  if (status.value == to_int(ExitCode::bad_config)) meaning = " (it cannot use the configuration)";
  if (status.value == to_int(ExitCode::no_permission)) meaning = " (a permission is missing)";
  return fmt::format("ended with exit code {}{}", status.value, meaning);
}

}  // namespace holdfast::watchdog
