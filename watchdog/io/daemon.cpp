#include "watchdog/io/daemon.hpp"

#include "runtime/clock.hpp"
#include "runtime/messages.hpp"
#include "runtime/signals.hpp"
#include "watchdog/io/from_options.hpp"
#include "watchdog/io/release.hpp"
#include "watchdog/messages.hpp"
#include "watchdog/version.hpp"

#include <boost/asio/post.hpp>

#include "legacy/messages.hpp"
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

/// Taking addresses off is a handful of netlink messages: longer means that something is stuck.
constexpr core::Duration kReleaseLimit = std::chrono::seconds(10);

std::optional<std::int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
  if (error != std::errc{} || end != view.data() + view.size()) return std::nullopt;
  return number;
}

}  // namespace

Daemon::Daemon(const Options& options, Starter starter)
    : options_(options),
      starter_(std::move(starter)),
      logger_("holdfast", options.log),
      supervisor_(settings_from(options)),
      children_(loop_.io(), child_options(options), [this](const Event& event) { feed(event); }),
      scripts_(loop_.io(), logger_, helper_options(options, "scripts"),
               [this](Role role, runtime::UniqueFd end) {
                 // Without a process in that role there is nobody to tell; the next one is told at
                 // its start.
                 static_cast<void>(
                     children_.send(role, {runtime::FrameType::scripts, 0, {}, std::move(end)}));
               }),
      dumps_(
          loop_.io(), helper_options(options, "dump"), [this] { return dump_source(); },
          [this](const std::string& trouble) { logger_.log(legacy::kDumpFailed, "{}", trouble); }),
      trial_file_(options.run_dir, options.config_file + "@" + options.config_id),
      timer_(loop_.io(),
             [this] {
               look_at_children();
               feed(Tick{});
             }),
      release_limit_(loop_.io(),
                     [this] {
                       if (release_) release_->signal(SIGKILL);
                     }),
      schedule_(loop_.io(), logger_, [this] { feed(ReloadRequested{}); }),
      started_at_(runtime::now()) {
  children_.when_asked_for_dump([this](Role role, int number) {
    const auto asked = role == Role::vrrp ? legacy::Asked::vrrp : legacy::Asked::checkers;
    dumps_.ask(legacy::request_of(number, asked));
  });
}

DumpSource Daemon::dump_source() const {
  const Generation running = supervisor_.generation();
  const auto wanted = options_.umask ? options_.umask : snapshots_.directives(running).umask;
  return {snapshots_.duplicate(running), wanted ? std::optional<mode_t>(*wanted) : std::nullopt};
}

int Daemon::run() {
  for (const std::string& remark : options_.remarks) logger_.log(kOptionIgnored, "{}", remark);
  for (const std::string& trouble : options_.troubles) logger_.log(kHost, "{}", trouble);
  if (const auto kept =
          runtime::keep_capabilities(runtime::Role::watchdog_at_start, options_.run_dir);
      !kept)
    logger_.log(kPrivileges, "{}", kept.error().message);
  umask_at_start_ = ::umask(options_.umask.value_or(0));
  if (!options_.umask) ::umask(umask_at_start_);
  open_control_socket();
  std::vector<int> signals{SIGTERM, SIGINT, SIGCHLD};
  const auto harmless = runtime::harmless_signals();
  signals.insert(signals.end(), harmless.begin(), harmless.end());
  loop_.on_signals(signals, [this](int number) { on_signal(number); });
  Process::reap_orphans();
  begin_systemd_watchdog();
  feed(StartRequested{recall_trial()});
  return loop_.run();
}

std::optional<InterruptedTrial> Daemon::recall_trial() {
  auto trial = trial_file_.load();
  if (!trial) logger_.log(kTrialFile, "{}", trial.error().message);
  if (!trial || !*trial) return std::nullopt;
  if (const auto entered = enter_namespace_of((*trial)->directives); !entered) {
    logger_.log(kTrialFile, "{}", entered.error().message);
    return std::nullopt;
  }
  constexpr Generation kFormer = 1;
  snapshots_.put(kFormer, std::move((*trial)->snapshot), std::move((*trial)->directives));
  return InterruptedTrial{kFormer, (*trial)->roles.only(options_.roles), (*trial)->until};
}

void Daemon::remember_trial(Generation former) {
  const Confirmation& trial = supervisor_.confirmation();
  if (former == 0) return trial_file_.remove();
  const auto saved = trial_file_.save({.until = *trial.deadline(),
                                       .roles = trial.former().roles,
                                       .directives = snapshots_.directives(former),
                                       .snapshot = snapshots_.duplicate(former)});
  if (!saved) logger_.log(kTrialFile, "{}", saved.error().message);
}

void Daemon::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      return feed(ReloadRequested{});
    case SIGCHLD:  // stopped or continued; deaths of our own are seen by their pidfd
      Process::reap_orphans();
      return look_at_children();
    case SIGTERM:
    case SIGINT:
      // A second request when nothing else is left; or the first one, in the script of the start.
      if (scripts_.stop_waiting() && supervisor_.is_stopping()) return;
      return feed(StopRequested{});
    default:
      if (runtime::asks_for_dump(number))
        return dumps_.ask(legacy::request_of(number, legacy::Asked::parent));
      if (reported_signals_.admit(std::to_string(number), runtime::now()))
        logger_.log(runtime::kSignalIgnored, "{}: this does nothing yet, see `holdfastctl status`",
                    runtime::describe_signal(number));
  }
}

// systemd restarts us when this stops: it shows that the loop turns.
void Daemon::begin_systemd_watchdog() {
  const auto limit = number_in("WATCHDOG_USEC");
  const auto pid = number_in("WATCHDOG_PID");
  if (!limit || *limit <= 0 || (pid && *pid != ::getpid())) return;
  systemd_watchdog_ = std::make_unique<runtime::PeriodicTimer>(
      loop_.io(), core::Duration(*limit / 2), [] { runtime::sd_notify("WATCHDOG=1"); });
}

void Daemon::feed(const Event& event) {
  Actions actions;
  supervisor_.step(event, runtime::now(), actions);
  for (const Action& action : actions)
    std::visit([this](const auto& what) { perform(what); }, action);
  timer_.arm(supervisor_.deadline());
}

void Daemon::look_at_children() {
  for (const Observed& seen : children_.observe()) feed(seen);
}

void Daemon::feed_later(Event event) {
  boost::asio::post(loop_.io(), [this, event = std::move(event)] { feed(event); });
}

void Daemon::perform(const Spawn& action) {
  if (const auto spawned = children_.spawn(action.role); !spawned) {
    feed_later(SpawnFailed{.role = action.role,
                           .sentence = "could not be started: " + spawned.error().message});
    return;
  }
  logger_.log(kChildStarted, "started the {} process as {}", to_string(action.role),
              *children_.pid(action.role));
  scripts_.connect(action.role);
}

void Daemon::send(Role role, runtime::FrameType type, Generation generation) {
  runtime::Frame frame{.type = type, .number = generation, .text = {}, .fd = {}};
  if (type == runtime::FrameType::prepare) frame.fd = snapshots_.duplicate(generation);
  // A child that is dead or stuck is noticed by its pidfd or its silence.
  if (const auto sent = children_.send(role, std::move(frame)); !sent)
    logger_.log(kSendFailed, "cannot talk to the {} process: {}", to_string(role),
                sent.error().message);
}
void Daemon::perform(const SendPrepare& action) {
  scripts_.configure(action.generation, snapshots_.duplicate(action.generation));
  send(action.role, runtime::FrameType::prepare, action.generation);
}
void Daemon::perform(const SendCommit& action) {
  send(action.role, runtime::FrameType::commit, action.generation);
}
void Daemon::perform(const SendAbort& action) {
  send(action.role, runtime::FrameType::abort, action.generation);
}
void Daemon::perform(const SendStop& action) {
  send(action.role, runtime::FrameType::stop,
       action.statics == Statics::stay ? runtime::kStopForSuccessor : 0);
}
void Daemon::perform(const Strike& action) {
  children_.strike(action.role, action.blow);
}

void Daemon::perform(const ReleaseAddresses& action) {
  children_.make_page_void();
  auto process = start_release(
      loop_.io(),
      {.run_dir = options_.run_dir,
       .log = options_.log,
       .beside_vrrp = children_.pid(Role::vrrp).has_value(),
       .keep_static = action.statics == Statics::stay},
      [this](ExitStatus status) {
        const std::unique_ptr<Process> ended = std::move(release_);
        release_limit_.arm(std::nullopt);
        if (status.is_clean())
          logger_.log(kAddressesReleased,
                      "no virtual address of this director is left on the host");
        else
          logger_.log(kReleaseFailed, "the process that takes the virtual addresses off {}",
                      to_sentence(status));
        feed(AddressesReleased{});
      });
  if (!process) {
    logger_.log(kReleaseFailed, "{}", process.error().message);
    feed_later(AddressesReleased{});
    return;
  }
  release_ = std::move(*process);
  release_limit_.arm(runtime::now() + kReleaseLimit);
}

void Daemon::perform(const AdoptGeneration& action) {
  snapshots_.keep_only(action.generation, action.former);
  const Directives directives = snapshots_.directives(action.generation);
  schedule_.follow(directives);
  const auto wanted = options_.umask ? options_.umask : directives.umask;
  const mode_t mask = wanted.value_or(umask_at_start_);
  ::umask(mask);  // what is started from now on inherits it; the process that runs scripts is told
  scripts_.commit(action.generation, mask);
  remember_trial(action.former);
}

void Daemon::perform(const ReuseSnapshot& action) {
  snapshots_.copy(action.former, action.generation);
}
void Daemon::perform(const DropCandidate& action) {
  snapshots_.drop(action.generation);
  // The scripts of what runs must not be pushed out by candidates that came to nothing.
  if (const Generation running = supervisor_.generation(); running != 0)
    scripts_.configure(running, snapshots_.duplicate(running));
}

void Daemon::perform(const ReloadStarted&) {
  for (auto& reply : waiting_next_) waiting_now_.push_back(std::move(reply));
  waiting_next_.clear();
}

void Daemon::perform(const ReloadFinished& action) {
  for (const auto& reply : std::exchange(waiting_now_, {})) {
    boost::json::object answer{{"ok", action.ok}, {"generation", action.generation}};
    if (!action.ok || !action.text.empty()) answer["diagnostics"] = action.text;
    if (!action.changes.empty()) answer["changes"] = action.changes;
    if (const auto trial = trial_json(supervisor_.confirmation(), runtime::now()))
      answer["confirmation"] = *trial;
    reply(std::move(answer));
  }
  if (!ready_) {
    tell_starter(action.text);
    if (action.ok && !action.text.empty()) logger_.log(kConfigRemark, "{}", action.text);
    return;
  }
  last_reload_ = LastReload{.at = runtime::now(), .ok = action.ok, .message = action.text};
  if (action.ok) {
    logger_.log(kReloaded, "generation {} of {} is in use", action.generation,
                options_.config_file);
    if (!action.changes.empty()) logger_.log(kChanges, "{}", action.changes);
    if (!action.text.empty()) logger_.log(kConfigRemark, "{}", action.text);
  } else if (!supervisor_.is_stopping()) {
    logger_.log(kReloadRefused, "generation {} stays in use: {}", action.generation, action.text);
  }
  if (!supervisor_.is_stopping())
    runtime::sd_notify(fmt::format("READY=1\nSTATUS={}",
                                   action.ok ? "running" : "running; the last reload was refused"));
}

void Daemon::tell_starter(const std::string& text) {
  if (const std::size_t unread = starter_.tell(text); unread != 0)
    logger_.log(kStarterDeaf,
                "nobody reads what the start has to say, {} bytes of it were not written", unread);
}

void Daemon::perform(const AnnounceReady&) {
  ready_ = true;
  logger_.log(kStarted, "holdfast {} runs {} (generation {})", kVersion, options_.config_file,
              supervisor_.generation());
  runtime::sd_notify(fmt::format("READY=1\nSTATUS=running\nMAINPID={}", ::getpid()));
  starter_.report(to_int(ExitCode::ok));
}

void Daemon::perform(const AnnounceStopping&) {
  trial_file_.remove();  // an orderly stop ends a trial: the next start reads the file
  logger_.log(kStopping, "stopping");
  runtime::sd_notify("STOPPING=1\nSTATUS=stopping");
}

void Daemon::perform(const Report& action) {
  // Nothing will be read, so whoever waits for that may go on.
  if (action.id == ReportId::reload_not_taken) let_writers_go();
  // Before the start has succeeded a person is waiting at the terminal; the failure itself was told
  // by ReloadFinished.
  if (!ready_ && action.id != ReportId::start_failed) tell_starter(action.text);
  logger_.log(message_of(action.id), "{}", action.text);
}

void Daemon::perform(const Exit& action) {
  children_.remove_page();
  const auto leave = [this, code = action.code] { scripts_.leave([this, code] { end(code); }); };
  const auto limit = snapshots_.directives(supervisor_.generation()).shutdown_limit_ms;
  if (!limit) return leave();
  const core::Duration time = std::chrono::milliseconds(*limit);
  runtime::sd_notify(fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=runs shutdown_script",
                                 (time + 3 * ScriptProcess::kHostGrace).count()));
  scripts_.run_host_script(runtime::HostScript::shutdown, time,
                           [this, leave](const std::string& how) {
                             tell_host_script("shutdown_script", how);
                             leave();
                           });
}

void Daemon::end(ExitCode code) {
  logger_.log(kEnded, "ended with exit code {}", to_int(code));
  starter_.report(to_int(code));
  loop_.stop(to_int(code));
}

}  // namespace holdfast::watchdog
