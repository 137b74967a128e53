// A load from its request to its result: the loader, and the files that tell others of it.
#include "runtime/clock.hpp"
#include "runtime/process.hpp"
#include "watchdog/io/daemon.hpp"
#include "watchdog/io/network_namespace.hpp"
#include "watchdog/io/reload_files.hpp"
#include "watchdog/messages.hpp"

#include <fmt/format.h>

#include <time.h>
#include <utility>

namespace holdfast::watchdog {

void Daemon::perform(const StartLoader& action) {
  logger_.log(kReading, "reading {}", options_.config_file);
  if (ready_) {
    timespec monotonic{};
    ::clock_gettime(CLOCK_MONOTONIC, &monotonic);
    runtime::sd_notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                                   monotonic.tv_sec * 1'000'000 + monotonic.tv_nsec / 1000));
  }
  begin_reading();
  auto run = LoaderRun::start(loop_.io(),
                              {.config_file = options_.config_file,
                               .config_id = options_.config_id,
                               .running = snapshots_.get(supervisor_.generation())},
                              [this, generation = action.generation](LoadResult result) {
                                on_loaded(generation, std::move(result));
                              });
  if (run) {
    loader_ = std::move(*run);
    return;
  }
  feed_later(LoaderFinished{.usable = false,
                            .roles = {},
                            .diagnostics = run.error().message + "\n",
                            .exit_code = ExitCode::fatal});
}

void Daemon::on_loaded(Generation generation, LoadResult result) {
  const std::unique_ptr<LoaderRun> ended =
      std::move(loader_);  // not destroyed from inside its own callback
  if (!reading_file_.empty()) announce_read(std::exchange(reading_file_, {}));
  write_check_log(result.event);
  if (result.event.usable) {
    if (auto entered = enter_namespace_of(result.directives); !entered) {
      result.event.usable = false;
      result.event.exit_code = ExitCode::fatal;
      result.event.diagnostics += entered.error().message + "\n";
    }
  }
  if (result.event.usable) {
    snapshots_.put(generation, std::move(result.snapshot), std::move(result.directives));
    result.event.roles = result.event.roles.only(options_.roles);
    if (result.event.roles.empty())
      logger_.log(kNothingToDo, "{} has nothing for the processes asked for", options_.config_file);
  }
  if (!result.event.usable || supervisor_.generation() != 0 || supervisor_.is_stopping())
    return feed(result.event);
  run_startup_script(generation, std::move(result.event));
}

// Once, before anything is started: no process of the director could change over later.
core::Result<void> Daemon::enter_namespace_of(const Directives& directives) {
  const std::string& wanted = directives.net_namespace;
  if (namespace_) {
    if (*namespace_ != wanted)
      logger_.log(kNamespaceStays, "net_namespace '{}' counts from the next start on", wanted);
    return {};
  }
  if (!wanted.empty()) {
    if (auto entered = enter_network_namespace(wanted); !entered) return entered;
  }
  namespace_ = wanted;
  if (const auto kept = runtime::keep_capabilities(runtime::Role::watchdog, options_.run_dir);
      !kept)
    logger_.log(kPrivileges, "{}", kept.error().message);
  return {};
}

// keepalived: startup_script. Before any process is started that could serve, and whatever comes of
// it the start goes on.
void Daemon::run_startup_script(Generation generation, LoaderFinished loaded) {
  const auto limit = snapshots_.directives(generation).startup_limit_ms;
  if (!limit) return feed(loaded);
  const core::Duration time = std::chrono::milliseconds(*limit);
  runtime::sd_notify(fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=runs startup_script",
                                 (time + 2 * ScriptProcess::kHostGrace).count()));
  scripts_.configure(generation, snapshots_.duplicate(generation));
  scripts_.run_host_script(runtime::HostScript::startup, time,
                           [this, loaded = std::move(loaded)](const std::string& how) {
                             tell_host_script("startup_script", how);
                             feed_later(loaded);
                           });
}

void Daemon::tell_host_script(const char* word, const std::string& how) {
  if (how.empty())
    logger_.log(kHostScriptDone, "{} has ended well", word);
  else
    logger_.log(kHostScript, "{} {}", word, how);
}

std::string Daemon::reload_file() const {
  const auto file = snapshots_.directives(supervisor_.generation()).reload_file;
  if (!file) return {};
  return file->empty() ? options_.run_dir + "/keepalived.reload" : *file;
}

void Daemon::begin_reading() {
  reading_file_ = reload_file();
  if (reading_file_.empty()) return;
  if (const auto made = announce_reading(reading_file_); !made)
    logger_.log(kReloadFile, "reload_file: {}", made.error().message);
}

void Daemon::let_writers_go() {
  if (const std::string file = reload_file(); !file.empty() && !loader_) announce_read(file);
}

void Daemon::write_check_log(const LoaderFinished& loaded) {
  const auto file = snapshots_.directives(supervisor_.generation()).check_log;
  if (!file || file->empty()) return;
  std::string text = loaded.diagnostics;
  text += fmt::format("{}: {}\n", options_.config_file,
                      loaded.usable ? "can be used" : "cannot be used");
  if (const auto written = watchdog::write_check_log(*file, text); !written)
    logger_.log(kReloadFile, "reload_check_config: {}", written.error().message);
}

void Daemon::perform(const KillLoader&) {
  if (loader_) loader_->kill();
}

}  // namespace holdfast::watchdog
