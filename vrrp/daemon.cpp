#include "vrrp/daemon.hpp"

#include "config/load.hpp"
#include "runtime/child_files.hpp"
#include "runtime/clock.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/director_age.hpp"
#include "runtime/memory.hpp"
#include "runtime/messages.hpp"
#include "runtime/order_desk.hpp"
#include "runtime/preparation.hpp"
#include "runtime/process.hpp"
#include "runtime/recent_lines.hpp"
#include "runtime/scheduling.hpp"
#include "runtime/tracked_files.hpp"
#include "vrrp/device_wiring.hpp"
#include "vrrp/explain.hpp"
#include "vrrp/io/claim_watch.hpp"
#include "vrrp/io/recorder.hpp"
#include "vrrp/io/runner.hpp"
#include "vrrp/messages.hpp"
#include "vrrp/notifier.hpp"
#include "vrrp/orders.hpp"
#include "vrrp/process_tracker.hpp"
#include "vrrp/questions.hpp"
#include "vrrp/rehearsal_desk.hpp"
#include "vrrp/statics.hpp"
#include "vrrp/status.hpp"
#include "vrrp/wiring.hpp"

#include <algorithm>
#include <filesystem>

namespace holdfast::vrrp {
namespace {

/// An orderly stop waits this long for notification scripts.
constexpr core::Duration kScriptPatience = std::chrono::seconds(1);
/// After a configuration came into use, or the last of perhaps thousands of instances changed its
/// state: what that needed for a moment is free by then. Pages that are given back while all is in
/// motion would be taken again at once.
constexpr core::Duration kTidyUpAfter = std::chrono::milliseconds(500);

/// A director that is started so soon after its host is part of the boot.
constexpr core::Duration kFreshBoot = std::chrono::minutes(2);

/// Adverts go out before the scripts that tell of them are done. vrrp_priority sets another one.
constexpr int kNice = -10;

core::Result<Wiring> read_wiring(std::string_view snapshot) {
  const auto model = config::usable_model(snapshot);
  return model ? wiring_of(*model) : core::Result<Wiring>(model.error());
}

netlink::ReflectorOptions reflector_options(const runtime::ChildOptions& options,
                                            const runtime::ChildFiles& files) {
  netlink::ReflectorOptions result;
  result.run_dir = options.run_dir;
  // Any account could show itself under our name; only one of us can have the lock.
  if (files.is_alone()) result.company = netlink::Company::accepted;
  return result;
}

class Daemon {
 public:
  explicit Daemon(const runtime::ChildOptions& options)
      : options_(options),
        logger_("vrrp", options.log),
        files_(logger_, options),
        reflector_(loop_.io(), logger_, reflector_options(options, files_)),
        routing_(loop_.io(), logger_, reflector_, options.run_dir),
        firewall_(loop_.io(), logger_, reflector_, options.run_dir),
        devices_(loop_.io(), logger_, reflector_, options.run_dir),
        statics_(logger_, reflector_, routing_,
                 [this](Event event) { runner_->tell(std::move(event)); }),
        notifier_(loop_.io(), logger_, [this](Event event) { runner_->tell(std::move(event)); }),
        tracker_(loop_.io(), logger_, notifier_.client(),
                 [this](Event event) { runner_->tell(std::move(event)); }),
        files_tracked_(loop_.io(), logger_,
                       [this](const std::string& name, std::int32_t number) {
                         runner_->tell(TrackerReported{{TrackerKind::file, name}, {number}});
                       }),
        processes_(loop_.io(), logger_, [this](Event event) { runner_->tell(std::move(event)); }),
        orders_(
            loop_.io(), logger_, options.run_dir + "/vrrp.orders",
            [this](const std::string& kind, const std::string& subject, std::int64_t value) {
              return judge_order(runner_->router(), kind, subject, value);
            },
            [this] { follow_orders(); }),
        patience_(loop_.io(), [this] { finish(); }),
        tidy_up_(loop_.io(), [this] { tidy_up(); }),
        scheduler_(loop_.io(), logger_, kNice),
        preparation_(loop_.io(), read_wiring,
                     [this](const Wiring& wiring) { return runner_->prepare(wiring.instances); }) {}

  int run() {
    if (auto begun = begin(); !begun) {
      logger_.log(kCannotStart, "{}", begun.error().message);
      return runtime::exit_code_for(begun.error());
    }
    logger_.log(kStarted, "waiting for the configuration");
    const int exit_code = loop_.run();
    logger_.log(kStopped, "left in order");
    return exit_code;
  }

 private:
  core::Result<void> begin() {
    if (auto loaded = reflector_.load(); !loaded) return loaded;
    if (auto loaded = routing_.load(); !loaded) return loaded;
    if (auto loaded = devices_.load(); !loaded) return loaded;
    notifier_.give_checks_to(tracker_);
    auto announcements = AnnounceSocket::open();
    if (!announcements) return announcements.error();
    runner_ = std::make_unique<Runner>(
        loop_.io(), logger_, reflector_, routing_, firewall_, devices_, std::move(*announcements),
        open_page(),
        [this](const Notify& notify, const StateChanged* change) {
          tidy_up_soon();
          notifier_.tell(notify, change);
        },
        [this](const GroupChanged& change) { notifier_.tell(change); },
        [this](const RouterKey& key) { notifier_.forget(key); });
    runner_->when_late([this](core::Duration late) { scheduler_.woke_up(late); });
    claims_ = std::make_unique<ClaimWatch>(loop_.io(), logger_, runner_->router(), reflector_);
    rehearsals_ = std::make_unique<RehearsalDesk>(loop_.io(), *runner_, reflector_, devices_,
                                                  notifier_, read_wiring);
    recorder_ = std::make_unique<Recorder>(loop_.io(), logger_, *runner_, options_.run_dir);
    const auto kept = runtime::confine(runtime::Role::vrrp, options_.run_dir);
    if (!kept) logger_.log(kPrivileges, "{}", kept.error().message);
    if (kept && !kept->empty()) logger_.log(runtime::kRunDirectory, "{}", *kept);
    listen();
    child_ = std::make_unique<runtime::Child>(
        loop_, logger_, options_,
        runtime::ChildCallbacks{
            .prepare = [this](
                           std::uint64_t, runtime::UniqueFd snapshot,
                           auto done) { preparation_.begin(std::move(snapshot), std::move(done)); },
            .commit = [this](std::uint64_t generation) { commit(generation); },
            .abort =
                [this](std::uint64_t) {
                  preparation_.abort();
                  runner_->abort();
                },
            .scripts =
                [this](runtime::UniqueFd end) { notifier_.client().connect(std::move(end)); },
            .stop = [this](const std::string& why) { stop(why); },
            .hurry = [this] { runner_->hurry(); }});
    return {};
  }

  std::optional<HandoverPage> open_page() {
    auto page = HandoverPage::open(runtime::UniqueFd(options_.page_fd));
    if (page) return std::move(*page);
    logger_.log(kPage, "{}", page.error().message);
    return std::nullopt;
  }

  void listen() {
    std::error_code ignored;
    std::filesystem::create_directories(options_.run_dir, ignored);
    auto server = runtime::ControlServer::listen(loop_.io(), options_.run_dir + "/vrrp.sock");
    if (!server) return logger_.log(kControl, "{}", server.error().message);
    control_ = std::move(*server);
    control_->handle_document("status", [this](const auto& made) {
      const std::uint64_t generation = child_ ? child_->generation() : 0;
      made(std::make_shared<StatusDocument>(
          StatusDocument::Subject{runner_->router(), reflector_, routing_, firewall_, devices_,
                                  *claims_, orders_.orders(), generation}));
    });
    runtime::answer_about_turns(*control_);
    runtime::answer_about_events(*control_, logger_);
    rehearsals_->answer_on(*control_);
    orders_.answer_on(*control_);
    recorder_->answer_on(*control_);
    control_->handle(
        "explain", runtime::ControlAccess::read,
        [this](const boost::json::object& request, const runtime::ControlReply& reply) {
          reply(explain_word(runtime::word_of(request, "instance"), runner_->router(),
                             recorder_->past(), firewall_, runtime::now()));
        });
    control_->handle("clear-counters", runtime::ControlAccess::change,
                     [this](const boost::json::object&, const runtime::ControlReply& reply) {
                       runner_->clear_counters();
                       reply({{"ok", true}});
                     });
    control_->handle(
        "announce", runtime::ControlAccess::change,
        [this](const boost::json::object& request, const runtime::ControlReply& reply) {
          reply(announce_again(runtime::word_of(request, "instance"), *runner_));
        });
  }

  void commit(std::uint64_t generation) {
    Wiring wiring = *preparation_.take();
    keep_device_names(wiring, devices_.ours());
    const std::size_t count = wiring.instances.size();
    for (const auto& [name, reason] : wiring.not_started)
      logger_.log(kNotStarted, "vrrp_instance '{}' is not started: {}", name, reason);
    scheduler_.follow(wiring.scheduling);
    runner_->set_pace(wiring.pace);
    runner_->refresh_memberships(wiring.membership_refresh);
    runner_->tell_of_strangers(wiring.logs_unknown_vrids);
    devices_.promote_secondaries(std::move(wiring.promoting));
    devices_.follow(std::move(wiring.devices));  // before anybody could be master on one
    claim_routing(wiring);
    close_addresses(wiring);
    statics_.follow(wiring.static_addresses, wiring.routing.statics);
    notifier_.take(wiring);
    const core::Instant start = start_of(wiring);
    runner_->delay_links(std::move(wiring.link_delays));
    if (!has_configuration_) listen_after_boot(wiring.listen_after_boot);
    if (runner_->commit(std::move(wiring.instances), start))
      logger_.log(kWaits, "elections start at {}: vrrp_startup_delay or vrrp_delay_after_boot",
                  runtime::iso8601_utc(start));
    tracker_.follow(wiring.checks, scripts_at_work());
    files_tracked_.follow(wiring.files);
    processes_.follow(wiring.processes);
    statics_.track(std::move(wiring.tracked_statics));
    if (!has_configuration_) orders_.load();
    follow_orders();
    if (has_configuration_) runner_->when_told([this] { repeat_states(); });
    has_configuration_ = true;
    claims_->follow();
    tidy_up_soon();
    logger_.log(kConfigured, "generation {} is in use: {} instances", generation, count);
  }

  void follow_orders() {
    for (Steered& each : steered_by(orders_.orders(), runner_->router())) {
      each.is_recalled = !has_configuration_;  // nobody could ask this process before
      runner_->tell(std::move(each));
    }
  }

  /// What instances have while they are master. One that goes takes its own along when it has
  /// handed over.
  void claim_routing(const Wiring& wiring) {
    for (const InstanceSettings& each : wiring.instances) {
      const auto wishes = wiring.routing.of_instances.find(each.key());
      const bool has_any = wishes != wiring.routing.of_instances.end();
      routing_.claim(each.key(), has_any ? wishes->second : RoutingList{});
    }
  }

  /// Whose addresses packets are dropped to. What a running master closes or opens counts at once.
  void close_addresses(Wiring& wiring) {
    for (const InstanceSettings& each : wiring.instances) {
      const auto closed = wiring.closed.find(each.key());
      firewall_.claim(each.key(), closed == wiring.closed.end()
                                      ? std::vector<netlink::ClosedAddress>{}
                                      : std::move(closed->second));
      const Instance* running = runner_->router().find(each.key());
      if (running != nullptr && running->holds_addresses()) firewall_.hold(each.key());
    }
    firewall_.follow(wiring.firewall);
  }

  /// keepalived: fifo_write_vrrp_states_on_reload, which leaves masters out.
  void repeat_states() {
    for (const Instance* instance : runner_->router().instances()) {
      const StateName state = instance->state_name();
      if (state == StateName::init) continue;
      NotifyState told = NotifyState::backup;
      if (state == StateName::master) told = NotifyState::master;
      if (state == StateName::fault) told = NotifyState::fault;
      notifier_.repeat(instance->settings().name, told, instance->effective_priority());
    }
  }

  /// Who is master already goes on, as what a killed predecessor was, or an owner; with the first
  /// configuration all others only begin.
  std::set<std::string> scripts_at_work() const {
    std::set<std::string> names;
    for (const Instance* instance : runner_->router().instances()) {
      const StateName state = instance->state_name();
      if (state == StateName::init || (!has_configuration_ && state != StateName::master)) continue;
      for (const Tracker& tracker : instance->settings().trackers) {
        if (tracker.id.kind == TrackerKind::script) names.insert(tracker.id.name);
      }
    }
    return names;
  }

  /// When elections may start: one delay counts from the boot, suspended time included, the other
  /// from the start of the director, not of this process.
  static core::Instant start_of(const Wiring& wiring) {
    const core::Instant after_boot{wiring.delay_after_boot - runtime::time_suspended()};
    if (wiring.startup_delay == core::Duration::zero()) return after_boot;
    return std::max(after_boot, runtime::now() - runtime::director_age() + wiring.startup_delay);
  }

  /// Ports and bonds that are not ready yet are a matter of the first minutes of a host.
  void listen_after_boot(core::Duration longest) {
    const core::Duration age = runtime::director_age();
    const core::Duration up = runtime::now().time_since_epoch() + runtime::time_suspended();
    if (up - age < kFreshBoot) runner_->wait_for_frames(longest, runtime::now() - age);
  }

  // ---- memory ----

  void tidy_up_soon() {
    changed_at_ = runtime::now();
    if (!tidy_up_.armed()) tidy_up_.arm(changed_at_ + kTidyUpAfter);
  }

  void tidy_up() {
    if (const core::Instant calm_at = changed_at_ + kTidyUpAfter; runtime::now() < calm_at)
      return tidy_up_.arm(calm_at);
    runtime::return_free_memory();
    runtime::return_idle_code();  // until the next change
  }

  // ---- the end ----

  void stop(const std::string& why) {
    logger_.log(kStopping, "{}", why);
    tracker_.stop();
    runner_->stop(options_.keep_addresses, [this] {
      if (!options_.keep_addresses) release();
      patience_.arm(runtime::now() + kScriptPatience);
      notifier_.client().when_idle([this] { finish(); });
    });
  }

  /// What is static stays for a successor, and so do the devices that it may be on.
  void release() {
    routing_.flush();
    firewall_.flush();
    if (child_->is_followed()) return;
    statics_.release();
    devices_.remove_all();
  }

  /// Scripts that still run have some seconds more: the process that runs them stays for that.
  void finish() {
    if (const std::string unsent = notifier_.client().unsent(); !unsent.empty())
      logger_.log(kScriptsUnsent, "not run any more: {}", unsent);
    loop_.stop(0);
  }

  runtime::ChildOptions options_;
  runtime::Logger logger_;
  runtime::Loop loop_;
  runtime::ChildFiles files_;
  netlink::Reflector reflector_;
  netlink::Routing routing_;
  netlink::Firewall firewall_;
  netlink::Devices devices_;
  Statics statics_;
  Notifier notifier_;
  ScriptTracker tracker_;
  runtime::TrackedFiles files_tracked_;
  ProcessTracker processes_;
  runtime::OrderDesk orders_;
  bool has_configuration_ = false;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<ClaimWatch> claims_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<RehearsalDesk> rehearsals_;
  std::unique_ptr<runtime::ControlServer> control_;
  std::unique_ptr<runtime::Child> child_;
  runtime::DeadlineTimer patience_;
  core::Instant changed_at_{};
  runtime::DeadlineTimer tidy_up_;
  runtime::Scheduler scheduler_;
  runtime::Preparation<Wiring> preparation_;
};

}  // namespace

int run_daemon(const runtime::ChildOptions& options) {
  return Daemon(options).run();
}

}  // namespace holdfast::vrrp
