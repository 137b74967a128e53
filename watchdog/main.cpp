// The one binary: without --role the watchdog, with it one of the processes that the watchdog
// starts.
#include "checkers/daemon.hpp"
#include "runtime/child.hpp"
#include "runtime/lock_file.hpp"
#include "runtime/memory.hpp"
#include "runtime/pid_file.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"
#include "runtime/surroundings.hpp"
#include "vrrp/daemon.hpp"
#include "vrrp/replay.hpp"
#include "watchdog/core/exit_status.hpp"
#include "watchdog/io/daemon.hpp"
#include "watchdog/io/loader.hpp"
#include "watchdog/io/release.hpp"
#include "watchdog/options.hpp"

#include <fmt/format.h>

#include "legacy/dumper.hpp"
#include "mail/postman.hpp"
#include "scripts/daemon.hpp"
#include <cap-ng.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <set>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace holdfast;
using watchdog::ExitCode;
using watchdog::to_int;

int complain(std::string_view sentence, ExitCode code) {
  std::fputs(fmt::format("holdfast: {}\n", sentence).c_str(), stderr);
  return to_int(code);
}

/// The name in ps and pidof: exec through /proc/self/exe would leave "exe".
void set_process_name(std::string_view role) {
  ::prctl(PR_SET_NAME, fmt::format("holdfast-{}", role).c_str());
}

int run_child(std::span<const char* const> words) {
  const auto options = runtime::parse_child_arguments(words);
  if (!options) return complain(options.error().message, ExitCode::bad_config);
  if (::fcntl(options->channel_fd, F_GETFD) < 0)
    return complain(
        "--role is for processes that holdfast starts itself; start holdfast without it",
        ExitCode::bad_config);
  set_process_name(options->role);
  if (options->role == "vrrp") return vrrp::run_daemon(*options);
  if (options->role == "scripts") return scripts::run_daemon(*options);
  if (options->role == "checkers") return checkers::run_daemon(*options);
  return complain(fmt::format("there is no role '{}'", options->role), ExitCode::bad_config);
}

/// Root, or a container's root with the two capabilities that nothing works without.
bool may_run() {
  if (capng_get_caps_process() != 0) return ::geteuid() == 0;
  return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0 &&
         capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) != 0;
}

void allow_core_files() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_CORE, &unlimited) != 0)
    complain("core files cannot be allowed", ExitCode::ok);
}

/// Something that would be better otherwise, but costs nobody the service.
void note_trouble(watchdog::Options& options, const core::Result<void>& result) {
  if (result) return;
  options.troubles.push_back(result.error().message);
  if (!options.log.to_stderr) complain(result.error().message, ExitCode::ok);
}

/// The run directory and the pid file, which may be elsewhere: both are for one director only.
core::Result<std::vector<runtime::LockFile>> lock_everything(watchdog::Options& options) {
  const std::set<std::string> paths{options.pid_file + ".lock",
                                    options.run_dir + "/holdfast.pid.lock"};
  std::vector<runtime::LockFile> held;
  for (const std::string& path : paths) {
    auto lock = runtime::LockFile::acquire(path);
    if (!lock && lock.error().system_errno == EAGAIN) return lock.error();
    if (lock)
      held.push_back(std::move(*lock));
    else
      note_trouble(options, lock.error());
  }
  return held;
}

core::Result<void> make_run_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  const int error = errno;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  return core::fail_errno(error, "cannot make the run directory {}", path);
}

int run_watchdog(watchdog::Options options) {
  if (!may_run())
    return complain(
        "must be started by root (it needs the capabilities CAP_NET_ADMIN and CAP_NET_RAW); "
        "holdfast -t checks a configuration without",
        ExitCode::no_permission);
  if (options.core_dump) allow_core_files();
  note_trouble(options, runtime::raise_limits());
  // Whoever started us may ignore SIGCHLD; that outlives exec, and the kernel would then throw away
  // how our children ended.
  std::signal(SIGCHLD, SIG_DFL);
  if (const auto made = make_run_directory(options.run_dir); !made)
    return complain(made.error().message, ExitCode::no_permission);
  auto locks = lock_everything(options);
  if (!locks) return complain(locks.error().message, ExitCode::fatal);

  runtime::UniqueFd start_errors;
  if (!options.log.to_stderr || !options.foreground)
    start_errors = runtime::UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10));
  std::optional<runtime::Daemonized> starter;
  if (!options.foreground) {
    auto daemonized = runtime::daemonize();
    if (!daemonized) return complain(daemonized.error().message, ExitCode::fatal);
    starter = std::move(*daemonized);
    for (runtime::LockFile& lock : *locks) lock.write_own_pid();
  }
  const auto pid_file = runtime::PidFile::write(options.pid_file);
  if (!pid_file) note_trouble(options, pid_file.error());
  watchdog::Daemon daemon(options, {std::move(starter), std::move(start_errors)});
  return daemon.run();
}

int run(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  const std::span<const char* const> words(argv + 1,
                                           static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  if (first == "--role=loader") {
    set_process_name("load");
    return watchdog::run_loader(words.subspan(1));
  }
  if (first == "--role=release") {
    set_process_name("free");
    return watchdog::run_release(words);
  }
  if (first == "--role=dump") {
    set_process_name("dump");
    return legacy::run_dump(words);
  }
  if (first == "--role=mail") {
    set_process_name("mail");
    return mail::run_postman();
  }
  if (first.starts_with("--role=")) return run_child(words);

  const watchdog::CommandLine line = watchdog::parse_command_line(argc, argv);
  if (!line.options) return line.exit_code;
  if (line.options->mode == watchdog::Options::Mode::test)
    return watchdog::test_config(
        {.config_file = line.options->config_file, .config_id = line.options->config_id},
        line.options->test_log);
  if (line.options->mode == watchdog::Options::Mode::replay)
    return vrrp::replay(line.options->recording);
  return run_watchdog(*line.options);
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::runtime::open_standard_descriptors();
  holdfast::runtime::ignore_harmless_signals();
  holdfast::runtime::return_large_blocks();
  try {
    return run(argc, argv);
  } catch (const std::exception& exception) {
    return complain(fmt::format("ended by an unexpected error: {}", exception.what()),
                    ExitCode::fatal);
  }
}
