#include "scripts/daemon.hpp"

#include "config/accounts.hpp"
#include "config/load.hpp"
#include "runtime/channel.hpp"
#include "runtime/lock_file.hpp"
#include "runtime/memory.hpp"
#include "runtime/sealed_memfd.hpp"

#include "scripts/correspondence.hpp"
#include "scripts/crier.hpp"
#include "scripts/helper.hpp"
#include "scripts/host_script.hpp"
#include "scripts/messages.hpp"
#include "scripts/permitted.hpp"
#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::scripts {
namespace {

/// Its end is a matter of the channel: a signal to all processes of the service must not take the
/// scripts of the stop away. (main has seen to the harmless ones; scripts get the defaults back.)
void ignore_requests_to_stop() {
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, SIG_IGN);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

/// Beside this program where it was built; programs that nobody calls by hand are installed in
/// libexec.
std::filesystem::path bus_program() {
  std::error_code unknown;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  if (auto beside = here / "holdfast-dbus"; std::filesystem::exists(beside, unknown)) return beside;
  return here.parent_path() / "libexec/holdfast/holdfast-dbus";
}

Here here(const runtime::ChildOptions& options) {
  runtime::ChildOptions served = options;
  served.role = "dbus";
  std::vector<std::string> words = runtime::to_arguments(served);
  words.insert(words.begin(), bus_program());
  return {.host = host_name(),
          .run_dir = options.run_dir,
          .user = {::geteuid(), ::getegid(), {}},
          .bus_words = std::move(words)};
}

/// What a configuration means for this process.
struct Wiring {
  Permitted permitted;
  std::optional<Correspondence> correspondence;
  std::optional<core::Command> startup = {};
  std::optional<core::Command> shutdown = {};
};

std::optional<core::Command> host_command(const config::Rare<config::Script>& written,
                                          const char* word, core::Duration limit,
                                          const config::Model& model) {
  if (!written) return std::nullopt;
  core::Command command = config::command_of(*written, model);
  command.what = word;
  command.limit = limit;
  return command;
}

/// Nothing is permitted by what cannot be read; mail and pipes stay as they are.
Wiring read_wiring(int snapshot, const Here& where, runtime::Logger& logger) {
  const auto bytes = runtime::read_sealed_memfd(snapshot);
  const auto model =
      bytes ? config::usable_model(*bytes) : core::Result<config::Model>(bytes.error());
  if (!model) {
    logger.log(kNoConfiguration, "the configuration cannot be read: {}", model.error().message);
    return {};
  }
  const config::Globals& globals = model->globals;
  return {Permitted(*model), correspondence_of(*model, where),
          host_command(globals.startup_script, "startup_script", globals.startup_script_timeout,
                       *model),
          host_command(globals.shutdown_script, "shutdown_script", globals.shutdown_script_timeout,
                       *model)};
}

void return_what_reading_needed() {
  runtime::return_free_memory();
  runtime::return_idle_code();
}

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  ::fcntl(options.channel_fd, F_SETFD, FD_CLOEXEC);
  ignore_requests_to_stop();
  runtime::Logger logger("scripts", options.log);
  // The predecessor of a killed watchdog works off its last scripts: requests wait in the pipe.
  const auto alone = runtime::LockFile::acquire(options.run_dir + "/scripts.lock",
                                                Queue::kFarewell + 2 * Queue::kGrace);
  if (!alone) logger.log(kNotAlone, "{}", alone.error().message);
  runtime::Loop loop;
  runtime::Channel channel(loop.io(), runtime::UniqueFd(options.channel_fd));
  const Here where = here(options);
  PermittedLately permitted;
  // A configuration is sent here before it is put to use, and so is its umask: both have arrived
  // when its first script is asked for.
  const auto permits = [&](const core::Command& command) {
    channel.take_waiting();
    return permitted.allows(command);
  };
  Crier crier(loop.io(), logger, options.run_dir);
  Helper helper(loop.io(), logger, permits, [&] { crier.leave([&loop] { loop.stop(0); }); });
  helper.give_tidings_to(
      [&](const std::string& owner, runtime::Tidings tidings, Crier::Answer answer) {
        channel.take_waiting();
        crier.take(owner, std::move(tidings), std::move(answer));
      });
  HostScript host_script(loop.io());
  std::optional<core::Command> startup;
  std::optional<core::Command> shutdown;
  const auto run_host_script = [&](std::uint64_t which) {
    const auto& command =
        which == static_cast<std::uint64_t>(runtime::HostScript::startup) ? startup : shutdown;
    const auto answer = [&channel, which](std::string how) {
      how.resize(std::min(how.size(), runtime::kMaxFrameText));
      static_cast<void>(channel.send({runtime::FrameType::host_script, which, std::move(how), {}}));
    };
    if (!command) return answer("was not run: the configuration cannot be read");
    host_script.run(*command, answer);
  };
  channel.start(
      [&](runtime::Frame frame) {
        if (frame.type == runtime::FrameType::prepare && frame.fd) {
          Wiring wiring = read_wiring(frame.fd.get(), where, logger);
          permitted.add(std::move(wiring.permitted));
          startup = std::move(wiring.startup);
          shutdown = std::move(wiring.shutdown);
          if (wiring.correspondence) crier.prepare(std::move(*wiring.correspondence));
        }
        if (frame.type == runtime::FrameType::commit) {
          ::umask(static_cast<mode_t>(frame.number));
          crier.commit();
        }
        if (frame.type == runtime::FrameType::host_script) run_host_script(frame.number);
        if (frame.type == runtime::FrameType::prepare) return_what_reading_needed();
        if (frame.type == runtime::FrameType::scripts && frame.fd)
          helper.serve(frame.text, std::move(frame.fd));
      },
      [&](const std::string&) { helper.close_door(); });
  // From inside the loop: it shows that requests are taken.
  std::uint64_t heartbeats = 0;
  const runtime::PeriodicTimer heartbeat(loop.io(), options.heartbeat_interval, [&] {
    static_cast<void>(
        channel.send({runtime::FrameType::heartbeat, ++heartbeats, crier.status(), {}}));
  });
  logger.log(kStarted, "ready");
  const int exit_code = loop.run();
  logger.log(kStopped, "left in order");
  return exit_code;
}

}  // namespace holdfast::scripts
