#include "vrrp/io/runner.hpp"

#include "core/buffer.hpp"
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

/// A router of version 2 hears who speaks behind an authentication header, too, be it only to say
/// so.
std::vector<PortKey> ports_of(const InstanceSettings& settings) {
  std::vector<PortKey> ports{{settings.interface, settings.family, Carrier::ip}};
  if (settings.version == 2) ports.push_back({settings.interface, settings.family, Carrier::ah});
  return ports;
}

}  // namespace

std::set<IpAddress> addresses_to_watch(const InstanceSettings& settings) {
  std::set<IpAddress> all;
  if (settings.source_address) all.insert(*settings.source_address);
  if (settings.unicast) {
    for (const UnicastPeer& peer : settings.unicast->peers) all.insert(peer.address);
  }
  return all;
}

InterfaceStatus interface_status(const netlink::Reflector& reflector, const netlink::Link& link,
                                 const std::set<IpAddress>& addresses) {
  InterfaceStatus status{.exists = true, .up = link.is_usable(), .primary_address = {}};
  status.primary_address = reflector.primary_v4(link.index);
  status.link_local = reflector.link_local(link.index);
  for (const IpAddress& address : addresses) {
    if (reflector.is_usable(address, link.index)) status.own_addresses.push_back(address);
  }
  return status;
}

Runner::Runner(boost::asio::io_context& io, runtime::Logger& logger, netlink::Reflector& reflector,
               AnnounceSocket announcements, std::optional<HandoverPage> page,
               Executor::OnNotify on_notify, Executor::OnRemoved on_removed)
    : io_(io),
      logger_(logger),
      reflector_(reflector),
      driver_(Router{}),
      ports_(io, [this](const std::string& interface) { wake(&interface); }),
      sink_{.packet = [this](const Received& packet) { driver_.receive(packet, actions_); },
            .stray = [this](const std::string& interface,
                            DecodeError error) { driver_.count_stray(interface, error); }},
      executor_(ports_, std::move(announcements), reflector, logger, std::move(page),
                std::move(on_notify), std::move(on_removed)),
      noise_(kNoiseEvery),
      timer_(io, [this] { wake(nullptr); }),
      start_(io,
             [this] {
               if (on_stopped_) return;
               started_ = true;
               handle(Startup{});
             }),
      patience_(io, [this] { handle(ShutdownNow{}); }),
      socket_retry_(io,
                    [this] {
                      for (const std::string& name : std::set(without_socket_)) mark_dirty(name);
                    }),
      announce_again_(io, [this] { go_on(); }) {
  // The reflector belongs to the daemon and may outlive us: its callbacks ask first.
  const std::weak_ptr<Life> life = life_;
  reflector_.on_link([this, life](const netlink::LinkEvent& event) {
    if (life.lock()) on_link(event);
  });
  reflector_.on_address([this, life](const netlink::AddressEvent& event) {
    if (life.lock()) on_address(event);
  });
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
}

Runner::~Runner() = default;

// ---- the wake-up: read the clock once, drain the sockets, then judge ----

void Runner::wake(const std::string* readable) {
  if (in_turn_)
    return;  // a callback of the reflector, never the loop itself; the timer fires again
  in_turn_ = true;
  const core::Instant woke_at = runtime::now();
  const runtime::PauseDetector::Pause pause = pauses_.observe(driver_.deadline(), woke_at);
  report_pause(pause);
  core::empty_for_reuse(actions_, kKeptActions);
  driver_.begin(woke_at, pause.suspended, actions_);
  tell_clock();
  // Nothing may be judged before every socket was heard; while nothing is due one socket is enough.
  const bool is_due = driver_.deadline() && *driver_.deadline() <= woke_at;
  const bool complete =
      is_due || readable == nullptr ? ports_.drain_all(sink_) : ports_.drain(*readable, sink_);
  if (!complete && noise_.admit("flood", woke_at)) {
    logger_.log(kFlood, "more than {} packets were waiting on an interface", kMaxDrainPackets);
  }
  driver_.finish(actions_);
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
  forget_announcements();
  const bool any_gone = std::any_of(actions_.begin(), actions_.end(), [](const Action& action) {
    return std::holds_alternative<Removed>(action);
  });
  if (any_gone) refresh_ports();
}

// What was announced before must not follow the new master's own announcements.
void Runner::forget_announcements() {
  if (!executor_.announcer().has_work()) return;
  std::unordered_set<RouterKey> gone;
  for (const Action& action : actions_) {
    if (const auto* page = std::get_if<Remember>(&action)) {
      if (page->state != StateName::master) gone.insert(page->router->key);
    } else if (const auto* withdraw = std::get_if<WithdrawAddresses>(&action)) {
      gone.insert(withdraw->router->key);
    }
  }
  executor_.announcer().forget(gone);
}

// ---- what may wait until the adverts are out ----

bool Runner::is_due(core::Instant now) const {
  const auto deadline = driver_.deadline();
  return deadline && *deadline <= now;
}

bool Runner::has_work() const {
  const bool announces = executor_.announcer().has_work() && !announce_again_.armed();
  return !pending_.empty() || turn_.has_work() || announces || sweep_is_due_;
}

void Runner::go_on() {
  if (is_posted_) return;
  if (!has_work()) {
    worked_at_ = runtime::now();
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
  if (is_due(now) && now - worked_at_ < kMaxWait) return wake(nullptr);
  worked_at_ = now;
  in_turn_ = true;
  core::empty_for_reuse(actions_, kKeptActions);
  if (turn_.has_work()) {
    turn_.work(executor_,
               [this](const Event& answer, Actions& out) { driver_.answer(answer, out); });
  } else if (sweep_is_due_) {
    sweep_is_due_ = false;
    reflector_.sweep_leftovers();  // resumed instances have said what they hold
  }
  announce();
  end_turn();
  if (executor_.stopped() && on_stopped_) std::exchange(on_stopped_, {})();
}

void Runner::announce() {
  Announcer& announcer = executor_.announcer();
  if (!announcer.has_work() || announce_again_.armed()) return;
  std::vector<Event> refused;
  announcer.send(runtime::now(), refused);
  for (Event& each : refused) pending_.push_back(std::move(each));
  announce_again_.arm(announcer.paused_until());
}

void Runner::report_pause(const runtime::PauseDetector::Pause& pause) {
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
    if (link == nullptr) continue;
    // One interface that cannot be used is named and waits in FAULT, as everywhere else; without
    // the right to open any socket there is nothing to go on with.
    const auto opened = ports_.open({settings.interface, settings.family}, link->index);
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
  watch(next);
  refresh_ports(next);  // whom nobody can hear is in FAULT from its first moment
  const core::Instant moment = runtime::now();
  core::empty_for_reuse(actions_, kKeptActions);
  signs_ = std::any_of(next.begin(), next.end(),
                       [](const InstanceSettings& each) { return each.signing.has_value(); });
  driver_.begin(moment, core::Duration::zero(), actions_);
  tell_clock();
  for (const auto& [name, wanted] : watched_) {
    driver_.handle(InterfaceChanged{name, read_interface(name)}, moment, actions_);
  }
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

void Runner::watch(const std::vector<InstanceSettings>& settings) {
  watched_.clear();
  for (const InstanceSettings& each : settings) {
    const auto [watched, is_new] = watched_.try_emplace(each.interface);
    for (const PortKey& port : ports_of(each)) watched->second.ports.insert(port);
    watched->second.addresses.merge(addresses_to_watch(each));
    if (!is_new || reflector_.link(each.interface) != nullptr) continue;
    logger_.log(kNoInterface, "interface {} of vrrp_instance {} does not exist on this host",
                each.interface, each.name);
  }
  watchers_.clear();
  for (const auto& [name, watched] : watched_) {
    for (const IpAddress& address : watched.addresses) watchers_.emplace(address, name);
  }
  std::erase_if(without_socket_, [&](const auto& name) { return !watched_.contains(name); });
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
    driver_.handle(ResumeFromPage{key, record->since, record->last_advert_sent_at,
                                  record->silence_allowed, form_of_number(record->checksum)},
                   runtime::now(), actions_);
    resumes = true;
  }
  for (const std::uint64_t key : page->keys()) {
    if (!configured.contains(key)) page->erase(key);
  }
  return resumes;
}

void Runner::refresh_ports(const std::vector<InstanceSettings>& coming) {
  std::map<PortKey, Ears> wanted;
  const auto want = [&](const InstanceSettings& settings) {
    const RouterKey key = settings.key();
    for (const PortKey& port : ports_of(settings)) {
      Ears& ears = wanted[port];
      ears.vrids.insert(key.vrid);
      if (key.channel.is_multicast()) ears.groups.insert(key.channel);
    }
  };
  for (const Instance* instance : router().instances()) want(instance->settings());
  for (const InstanceSettings& each : coming) want(each);
  std::set<PortKey> in_use;
  std::map<PortKey, Deafness> deaf;
  for (const auto& [port, ears] : wanted) {
    in_use.insert(port);
    Deafness found = ports_.listen_to(port, ears);
    if (!found.sentence.empty()) deaf.emplace(port, std::move(found));
  }
  ports_.retain(in_use);
  note_deafness(std::move(deaf));
}

// What is new is told to the core at the next look at the interface.
void Runner::note_deafness(std::map<PortKey, Deafness> found) {
  for (const auto& [port, deaf] : found) {
    if (noise_.admit(port.interface, runtime::now()))
      logger_.log(kNoSocket, "{}: {}", port.interface, deaf.sentence);
    look_again_later(port.interface);
    const auto known = deaf_.find(port);
    if (known == deaf_.end() || known->second != deaf) mark_dirty(port.interface);
  }
  for (const auto& [port, deaf] : std::exchange(deaf_, std::move(found))) {
    if (!deaf_.contains(port)) mark_dirty(port.interface);
  }
}

void Runner::stop(bool keep_addresses, std::function<void()> on_stopped) {
  on_stopped_ = std::move(on_stopped);
  if (keep_addresses) executor_.keep_addresses();
  patience_.arm(runtime::now() + kMaxHandover);
  handle(Shutdown{});
}

// ---- the kernel's news ----

void Runner::on_link(const netlink::LinkEvent& event) {
  if (const auto* changed = std::get_if<netlink::LinkChanged>(&event)) {
    mark_dirty(changed->before.name);
    mark_dirty(changed->after.name);
  } else if (const auto* appeared = std::get_if<netlink::LinkAppeared>(&event)) {
    mark_dirty(appeared->link.name);
  } else if (const auto* vanished = std::get_if<netlink::LinkVanished>(&event)) {
    mark_dirty(vanished->link.name);
  }
}

void Runner::on_address(const netlink::AddressEvent& event) {
  const netlink::Address& address = netlink::address_of(event);
  const netlink::Link* link = reflector_.link(address.interface);
  if (link != nullptr) mark_dirty(link->name);
  const auto [first, last] = watchers_.equal_range(address.prefix.address);
  for (auto at = first; at != last; ++at) mark_dirty(at->second);  // on whatever interface it is
}

void Runner::on_published(const RouterKey& owner, const netlink::Publication& publication) {
  if (!publication.wanted) return;
  look_at_dirty();  // an interface that is gone or renamed is why its addresses are not there
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

// A burst of events (twenty addresses put in place) becomes one look at the interface.
void Runner::mark_dirty(const std::string& interface) {
  if (!watched_.contains(interface)) return;
  const bool is_first = dirty_.empty();
  dirty_.insert(interface);
  if (!is_first) return;
  boost::asio::post(io_, [this, life = std::weak_ptr<Life>(life_)] {
    if (life.lock()) look_at_dirty();
  });
}

void Runner::look_at_dirty() {
  for (const std::string& name : std::exchange(dirty_, {})) refresh_interface(name);
}

// The core hears of it before the socket goes: a master resigns through it, also from an interface
// that was renamed or from an address that was taken away.
void Runner::refresh_interface(const std::string& name) {
  handle(InterfaceChanged{name, read_interface(name)});
  if (reflector_.link(name) == nullptr) ports_.close(name);
  refresh_ports();
}

/// Opens the interface's sockets on the way: an instance without a socket must not take part.
InterfaceStatus Runner::read_interface(const std::string& name) {
  const netlink::Link* link = reflector_.link(name);
  if (link == nullptr) {
    without_socket_.erase(name);
    return {};
  }
  const auto watched = watched_.find(name);
  if (watched == watched_.end()) return interface_status(reflector_, *link, {});
  InterfaceStatus status = interface_status(reflector_, *link, watched->second.addresses);
  bool complete = true;
  for (const PortKey& port : watched->second.ports) {
    const auto opened = ports_.open(port, link->index);
    const auto deaf = deaf_.find(port);
    if (opened && deaf == deaf_.end()) continue;
    complete = false;
    if (!opened && noise_.admit(name, runtime::now()))
      logger_.log(kNoSocket, "{}", opened.error().message);
    if (opened && !deaf->second.groups.empty()) {
      status.deaf_groups.insert(status.deaf_groups.end(), deaf->second.groups.begin(),
                                deaf->second.groups.end());
      continue;
    }
    (port.family == core::Family::v4 ? status.trouble : status.trouble_v6) =
        opened ? deaf->second.sentence : opened.error().message;
  }
  if (!complete) {
    look_again_later(name);
  } else if (without_socket_.erase(name) != 0 && without_socket_.empty()) {
    socket_pause_ = kSocketPause;
  }
  return status;
}

void Runner::look_again_later(const std::string& interface) {
  const bool waits = !without_socket_.empty();
  without_socket_.insert(interface);
  if (waits && socket_retry_.armed()) return;
  socket_retry_.arm(runtime::now() + socket_pause_);
  socket_pause_ = std::min(2 * socket_pause_, kLongestSocketPause);
}

}  // namespace holdfast::vrrp
