#include "vrrp/io/runner.hpp"

#include "core/buffer.hpp"
#include "runtime/turn_meter.hpp"
#include "vrrp/core/dialect.hpp"
#include "vrrp/io/proof_page.hpp"
#include "vrrp/messages.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <map>

namespace holdfast::vrrp {
namespace {

constexpr core::Duration kNoiseEvery = std::chrono::minutes(1);
/// The wall clock is told again when it has moved so far.
constexpr core::Duration kClockMoved = std::chrono::milliseconds(1);

std::optional<Exit> exit_at(const netlink::Reflector& reflector, const std::string& device) {
  const netlink::Link* link = reflector.link(device);
  if (link == nullptr || !link->mac) return std::nullopt;
  return Exit{link->index, *link->mac};
}

}  // namespace

Runner::Runner(boost::asio::io_context& io, runtime::Logger& logger, netlink::Reflector& reflector,
               netlink::Routing& routing, netlink::Firewall& firewall, netlink::Devices& devices,
               AnnounceSocket announcements, std::optional<HandoverPage> page,
               Executor::OnNotify on_notify, Executor::OnGroup on_group,
               Executor::OnRemoved on_removed)
    : io_(io),
      logger_(logger),
      reflector_(reflector),
      routing_(routing),
      firewall_(firewall),
      driver_(Router{}),
      ports_(
          io, [this](const std::string& interface) { wake(&interface); },
          [&reflector](const std::string& device) { return exit_at(reflector, device); }),
      sink_{.packet =
                [this](const Received& packet) {
                  if (strangers_) strangers_->hear(packet, router());
                  driver_.receive(packet, actions_);
                },
            .stray = [this](const std::string& interface,
                            DecodeError error) { driver_.count_stray(interface, error); }},
      executor_(ports_, std::move(announcements), reflector, routing, firewall, logger,
                std::move(page), std::move(on_notify), std::move(on_group), std::move(on_removed)),
      interfaces_(io, logger, reflector, devices, ports_,
                  [this](const std::string& name) { refresh_interface(name); }),
      memberships_(io, reflector, ports_),
      noise_(kNoiseEvery),
      timer_(io, [this] { wake(nullptr); }),
      start_(io,
             [this] {
               if (on_stopped_) return;
               started_ = true;
               handle(Startup{});
             }),
      patience_(io, [this] { handle(ShutdownNow{}); }),
      announce_again_(io, [this] { go_on(); }) {
  // The reflector belongs to the daemon and may outlive us: its callbacks ask first.
  const std::weak_ptr<Life> life = life_;
  reflector_.on_published(
      [this, life](const RouterKey& owner, const netlink::Publication& publication) {
        if (life.lock()) on_published(owner, publication);
      });
  reflector_.on_lost([this, life](const RouterKey& owner, const netlink::Publication& publication) {
    if (life.lock()) on_published(owner, publication);
  });
  reflector_.on_repaired([this, life](const RouterKey& owner, const std::vector<core::IpPrefix>&) {
    if (life.lock()) handle(AddressesRepaired{owner});
  });
  devices.on_up([this, life, &io](const std::string& device) {
    boost::asio::post(io, [this, life, device] {
      if (life.lock()) announce_on(device);
    });
  });
}

Runner::~Runner() = default;

// What was announced while it was down has reached nobody.
void Runner::announce_on(const std::string& device) {
  std::vector<RouterKey> owners;
  for (const Instance* each : router().instances()) {
    const AddressList all = each->settings().all_addresses();
    if (std::ranges::any_of(all, [&](const auto& one) { return one.interface.str() == device; }))
      owners.push_back(each->key());
  }
  for (const RouterKey& owner : owners) handle(AddressesRepaired{owner});
}

// ---- the wake-up: read the clock once, hear what waits at the sockets, then judge ----

// All sockets that are readable at one time wake us within one turn of the loop and share the time
// that it has for hearing: each is heard a little, what is left waits for the next turn.
void Runner::wake(const std::string* readable) {
  if (in_turn_)
    return;  // a callback of the reflector, never the loop itself; the timer fires again
  const core::Instant woke_at = runtime::now();
  const bool goes_on = hearing_.has_value();
  begin_hearing(readable, woke_at);
  if (!goes_on) hear(woke_at);
}

// Nothing may be judged before every socket was heard. One that began before the moment that is to
// be judged does not serve.
void Runner::begin_hearing(const std::string* readable, core::Instant now) {
  const bool everything = readable == nullptr || is_due(now);
  if (hearing_ && everything && hearing_->everything && is_due(hearing_->since)) return;
  if (!hearing_ || everything) hearing_ = Hearing{now, everything};
  ports_.begin_hearing(everything ? nullptr : readable);
}

void Runner::hear(core::Instant now) {
  in_turn_ = true;
  const runtime::PauseDetector::Pause pause = pauses_.observe(driver_.deadline(), now);
  if (hearing_->since == now) report_pause(pause);
  core::empty_for_reuse(actions_, kKeptActions);
  driver_.begin(now, pause.suspended, actions_);
  tell_clock();
  const auto heard = ports_.hear(sink_, runtime::turn_began() + kMaxHearing);
  if (heard == AdvertPorts::Heard::enough && noise_.admit("flood", now)) {
    logger_.log(kFlood, "more than {} packets were waiting on an interface", kMaxHeardPackets);
  }
  if (heard != AdvertPorts::Heard::not_yet)
    driver_.finish(std::exchange(hearing_, std::nullopt)->since, actions_);
  end_turn();
}

// Before anything is judged or sent by it.
void Runner::tell_clock() {
  if (!signs_) return;
  const core::Duration ahead = runtime::utc_ahead();
  if (std::chrono::abs(ahead - utc_ahead_) < kClockMoved) return;
  utc_ahead_ = ahead;
  driver_.answer(ClockTold{ahead}, actions_);
}

void Runner::handle(Event event) {
  pending_.push_back(std::move(event));
  if (in_turn_) return;  // the turn that runs will take it
  in_turn_ = true;
  core::empty_for_reuse(actions_, kKeptActions);
  end_turn();
}

void Runner::end_turn() {
  perform_actions();
  for (int count = 0; !pending_.empty() && count < kMaxEventsPerTurn; ++count) {
    const core::Instant now = runtime::now();
    if (count > 0 && is_due(now)) break;  // the next wake-up hears the sockets first
    const Event event = std::move(pending_.front());
    pending_.pop_front();
    core::empty_for_reuse(actions_, kKeptActions);
    driver_.handle(event, now, actions_);
    perform_actions();
  }
  core::empty_for_reuse(actions_, kKeptActions);  // what they carry is needed no more
  in_turn_ = false;
  timer_.arm(driver_.deadline());
  go_on();
}

void Runner::perform_actions() {
  turn_.begin(actions_, executor_,
              [this](const Event& answer, Actions& out) { driver_.answer(answer, out); });
  driver_.settle(actions_);
  executor_.forget_announcements(actions_);
  const bool any_gone = std::any_of(actions_.begin(), actions_.end(), [](const Action& action) {
    return std::holds_alternative<Removed>(action);
  });
  if (any_gone) refresh_ports();
}

// ---- what may wait until the adverts are out ----

bool Runner::is_due(core::Instant now) const {
  const auto deadline = driver_.deadline();
  return deadline && *deadline <= now;
}

bool Runner::has_work() const {
  const auto announces = executor_.announcer().due_at();
  return hearing_ || !pending_.empty() || turn_.has_work() || sweep_is_due_ ||
         (announces && *announces <= runtime::now());
}

void Runner::when_told(std::function<void()> then) {
  on_told_ = std::move(then);
  tell_end_of_turn();
}

void Runner::tell_end_of_turn() {
  if (on_told_ && !turn_.has_work() && pending_.empty()) std::exchange(on_told_, {})();
}

void Runner::go_on() {
  tell_end_of_turn();
  if (is_posted_) return;
  if (!has_work()) {
    worked_at_ = runtime::now();
    announce_again_.arm(executor_.announcer().due_at());
    return;
  }
  is_posted_ = true;
  boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
    if (life.lock()) work();
  });
}

// One thing at a time, and then the loop: sockets, timers, heartbeats. Whoever becomes due
// meanwhile goes first.
void Runner::work() {
  is_posted_ = false;
  if (in_turn_) return;  // its end goes on
  const core::Instant now = runtime::now();
  if ((hearing_ || is_due(now)) && now - worked_at_ < kMaxWait) {
    if (!hearing_) begin_hearing(nullptr, now);
    return hear(now);
  }
  worked_at_ = now;
  in_turn_ = true;
  core::empty_for_reuse(actions_, kKeptActions);
  if (turn_.has_work()) {
    turn_.work(executor_,
               [this](const Event& answer, Actions& out) { driver_.answer(answer, out); });
  } else if (sweep_is_due_) {
    sweep_is_due_ = false;
    reflector_.sweep_leftovers();  // resumed instances have said what they hold
    routing_.sweep_leftovers();
    firewall_.sweep_leftovers();
  }
  announce();
  end_turn();
  if (executor_.stopped() && on_stopped_) std::exchange(on_stopped_, {})();
}

void Runner::announce_again(const Announce& announcement) {
  executor_.announcer().add(announcement);
  go_on();
}

void Runner::announce() {
  Announcer& announcer = executor_.announcer();
  const core::Instant now = runtime::now();
  const auto due = announcer.due_at();
  if (!due || *due > now) return;
  std::vector<Event> refused;
  announcer.send(now, refused);
  for (Event& each : refused) pending_.push_back(std::move(each));
}

void Runner::report_pause(const runtime::PauseDetector::Pause& pause) {
  if (pause.late > core::Duration{} && on_late_) on_late_(pause.late);
  const auto threshold = router().shortest_interval();
  if (!threshold || pause.total() < *threshold) return;
  if (!noise_.admit("pause", runtime::now())) return;
  logger_.log(kPause, "woke up {} ms late, the machine was suspended for {} ms",
              pause.late.count() / 1000, pause.suspended.count() / 1000);
}

// ---- configuration ----

core::Result<void> Runner::prepare(const std::vector<InstanceSettings>& next) {
  for (const InstanceSettings& settings : next) {
    const netlink::Link* link = reflector_.link(settings.interface);
    if (link == nullptr && !settings.is_routed()) continue;
    // One interface that cannot be used is named and waits in FAULT, as everywhere else; without
    // the right to open any socket there is nothing to go on with.
    const auto opened =
        ports_.open({settings.interface, settings.family}, link == nullptr ? 0 : link->index);
    const int error = opened ? 0 : opened.error().system_errno;
    if (error != EPERM && error != EACCES) continue;
    abort();
    return opened;
  }
  return {};
}

void Runner::abort() {
  refresh_ports();
}

bool Runner::commit(std::vector<InstanceSettings> next, core::Instant start) {
  in_turn_ = true;  // what the reflector calls back now belongs to this turn
  for (const InstanceSettings& each : next)
    reflector_.claim(each.key(), desired_addresses(each.interface, each.all_addresses()));
  interfaces_.watch(next, router().instances());
  refresh_ports(next);  // whom nobody can hear is in FAULT from its first moment
  const core::Instant moment = runtime::now();
  core::empty_for_reuse(actions_, kKeptActions);
  signs_ = std::any_of(next.begin(), next.end(),
                       [](const InstanceSettings& each) { return each.signing.has_value(); });
  driver_.begin(moment, core::Duration::zero(), actions_);
  tell_clock();
  for (const std::string& name : interfaces_.names())
    driver_.handle(InterfaceChanged{name, interfaces_.read(name)}, moment, actions_);
  interfaces_.begun();
  driver_.handle(Reload{next}, moment, actions_);
  // Who goes on as master does not wait for anything.
  if (!std::exchange(configured_, true) && resume(next)) start = moment;
  const bool waits = !started_ && start > moment;
  if (waits) {
    start_.arm(start);
  } else if (!std::exchange(started_, true)) {
    start_.arm(std::nullopt);
    driver_.handle(Startup{}, moment, actions_);
  }
  refresh_ports();
  sweep_is_due_ = true;
  end_turn();
  return waits;
}

// What the page says about virtual routers that the configuration no longer has must not come back
// in a later life.
bool Runner::resume(const std::vector<InstanceSettings>& settings) {
  auto& page = executor_.page();
  if (!page) return false;
  bool resumes = false;
  std::set<std::uint64_t> configured;
  for (const InstanceSettings& each : settings) {
    const RouterKey key = each.key();
    configured.insert(page_key(key));
    if (const auto known = page->recall(page_key(key)); known && proofs_of(*known))
      driver_.handle(RecallProofs{key, *proofs_of(*known)}, runtime::now(), actions_);
    const auto record = page->load(page_key(key));
    if (!record || record->state != runtime::VrrpRecord::State::master) continue;
    driver_.handle(
        ResumeFromPage{key, record->since, record->last_advert_sent_at, record->silence_allowed,
                       form_of_number(record->checksum), record->priority},
        runtime::now(), actions_);
    resumes = true;
  }
  for (const std::uint64_t key : page->keys()) {
    if (!configured.contains(key)) page->erase(key);
  }
  return resumes;
}

void Runner::stop(bool keep_addresses, std::function<void()> on_stopped) {
  on_stopped_ = std::move(on_stopped);
  if (keep_addresses) executor_.keep_addresses();
  patience_.arm(runtime::now() + kMaxHandover);
  handle(Shutdown{});
}

// ---- the kernel's news ----

// The core hears of it before the socket goes: a master resigns through it, also from an interface
// that was renamed or from an address that was taken away.
void Runner::refresh_interface(const std::string& name) {
  handle(InterfaceChanged{name, interfaces_.read(name)});
  if (!name.empty() && reflector_.link(name) == nullptr) ports_.close(name);
  refresh_ports();
}

void Runner::refresh_ports(const std::vector<InstanceSettings>& coming) {
  std::vector<const InstanceSettings*> all;
  for (const Instance* instance : router().instances()) all.push_back(&instance->settings());
  for (const InstanceSettings& each : coming) all.push_back(&each);
  interfaces_.hear_for(all);
}

void Runner::on_published(const RouterKey& owner, const netlink::Publication& publication) {
  if (!publication.wanted) return;
  interfaces_
      .look_now();  // an interface that is gone or renamed is why its addresses are not there
  AddressesPlaced placed{.router = owner,
                         .wanted = publication.wished(),
                         .placed = publication.placed(),
                         .problem = std::string(publication.first_problem())};
  const Instance* instance = router().find(owner);
  const auto& before = instance == nullptr ? std::nullopt : instance->placement();
  if (instance != nullptr && instance->holds_addresses() && !placed.problem.empty() &&
      (!before || before->problem != placed.problem)) {
    logger_.log(kAddressTrouble, "{}: {} of {} addresses are in place: {}",
                instance->settings().name, placed.placed, placed.wanted, placed.problem);
  }
  handle(std::move(placed));
}

}  // namespace holdfast::vrrp
