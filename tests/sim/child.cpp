#include "tests/sim/child.hpp"

#include "tests/sim/machine.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/dialect.hpp"
#include "vrrp/io/proof_page.hpp"

namespace holdfast::sim {

using namespace vrrp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSocketBufferPackets = 64;  // what does not fit is lost, as in a kernel
constexpr Duration kHeartbeat = 500ms;
constexpr Duration kMaxHandover = 3s;  // Engine::kMaxHandover
constexpr Duration kLatestWork = 20ms;
constexpr Duration kLatestWord = 100ms;  // of a tracker: its script runs, its file is read

}  // namespace

Child::Child(Machine& machine, Watcher& watcher, std::string name, Duration birth)
    : Process(machine.world(), machine.rng(), std::move(name)),
      machine_(machine),
      watcher_(watcher),
      driver_(Router{}),
      reflector_(machine.world(), *this, machine.kernel(), machine.record(), this) {
  later(birth, [this] { born(); });
}

std::uint64_t Child::adverts_sent(const core::RouterKey& key) const {
  const auto found = adverts_sent_.find(key);
  return found == adverts_sent_.end() ? 0 : found->second;
}

// ---- the watchdog's words ----

void Child::born() {
  reflector_.load();
  is_born_ = true;
  beat();
  while (!inbox_.empty()) {
    const Frame frame = std::move(inbox_.front());
    inbox_.pop_front();
    take(frame);
  }
}

void Child::beat() {
  machine_.to_watchdog({.type = Frame::Type::heartbeat});
  later(kHeartbeat, [this] { beat(); });
}

void Child::hear(Frame frame) {
  told_to_stop_ |= frame.type == Frame::Type::stop;
  later(machine_.latency(), [this, frame = std::move(frame)] {
    if (!is_born_) {
      inbox_.push_back(frame);
    } else {
      take(frame);
    }
  });
}

void Child::take(const Frame& frame) {
  switch (frame.type) {
    case Frame::Type::prepare:
      preparing_ = frame.generation;
      is_prepared_ = false;
      prepared_ = frame.snapshot;
      later(1ms + rng().below(Duration(20ms)), [this, generation = frame.generation] {
        if (preparing_ != generation) return;
        for (const InstanceSettings& each : *prepared_) open_sockets(each.interface);
        is_prepared_ = true;
        machine_.to_watchdog({.type = Frame::Type::prepared, .generation = generation});
      });
      return;
    case Frame::Type::commit: {
      if (!is_prepared_ || preparing_ != frame.generation) return;
      const Snapshot next = std::exchange(prepared_, nullptr);
      preparing_ = 0;
      is_prepared_ = false;
      commit(*next);
      machine_.to_watchdog({.type = Frame::Type::committed, .generation = frame.generation});
      return;
    }
    case Frame::Type::abort:
      preparing_ = 0;
      is_prepared_ = false;
      refresh_ports();
      return;
    case Frame::Type::stop:
      if (++stop_frames_ == 2) {
        handle(ShutdownNow{});
      } else if (!stopping_) {
        stop();
      }
      return;
    case Frame::Type::heartbeat:
    case Frame::Type::prepared:
    case Frame::Type::committed:
      return;
  }
}

void Child::watchdog_is_gone() {
  later(machine_.latency(), [this] {
    if (!stopping_) stop();
  });
}

void Child::stop() {
  stopping_ = true;
  later(kMaxHandover, [this] { handle(ShutdownNow{}); });
  handle(Shutdown{});
}

void Child::watch(const InstanceSettings& settings) {
  std::set<core::IpAddress>& named = watched_[settings.interface];
  for (const Tracker& each : settings.trackers)
    if (each.id.kind == TrackerKind::interface) watched_.try_emplace(each.id.name);
  if (settings.source_address) named.insert(*settings.source_address);
  if (!settings.unicast) return;
  for (const UnicastPeer& peer : settings.unicast->peers) named.insert(peer.address);
}

void Child::commit(const File& next) {
  begin_wake(started_ ? Wake::Cause::commit : Wake::Cause::first_commit);
  watched_.clear();
  for (const InstanceSettings& each : next) {
    reflector_.claim(each.key(), desired_addresses(each.interface, each.all_addresses()));
    watch(each);
  }
  for (const Instance* each : router().instances())
    if (watched_.contains(each->settings().interface)) watch(each->settings());
  driver_.begin(world().now(), 0s, wake_.actions);
  for (const auto& [name, addresses] : watched_)
    driver_.handle(InterfaceChanged{name, read_interface(name)}, world().now(), wake_.actions);
  driver_.handle(Reload{next}, world().now(), wake_.actions);
  if (!std::exchange(started_, true)) {
    resume(next);
    driver_.handle(Startup{}, world().now(), wake_.actions);
  }
  refresh_ports();
  sweep_is_due_ = true;
  end_wake();
  if (is_alive()) follow_trackers();
}

// As the shells do: who is new says something soon, and what was said is not said again.
void Child::follow_trackers() {
  std::set<TrackerId> tracked;
  for (const Instance* each : router().instances())  // those that leave among them
    for (const Tracker& tracker : each->settings().trackers)
      if (tracker.id.kind != TrackerKind::interface) tracked.insert(tracker.id);
  std::erase_if(told_, [&](const auto& each) {
    return each.first.kind != TrackerKind::interface && !tracked.contains(each.first);
  });
  for (const TrackerId& each : tracked)
    if (!told_.contains(each)) tracked_changed(each);
}

void Child::tracked_changed(const TrackerId& tracker) {
  later(rng().below(kLatestWord), [this, tracker] {
    const auto tracks = [&](const Instance* each) {
      return std::ranges::find(each->settings().trackers, tracker, &Tracker::id) !=
             each->settings().trackers.end();
    };
    if (!std::ranges::any_of(router().instances(), tracks)) return;
    const Verdict verdict = machine_.truth_of(tracker);
    told_[tracker] = verdict;
    handle(TrackerReported{tracker, verdict});
  });
}

std::optional<Verdict> Child::told(const TrackerId& tracker) const {
  const auto found = told_.find(tracker);
  return found == told_.end() ? std::nullopt : std::optional(found->second);
}

void Child::resume(const File& next) {
  std::set<core::RouterKey> configured;
  for (const InstanceSettings& each : next) {
    configured.insert(each.key());
    const auto all = machine_.page().records.find(each.key());
    if (all != machine_.page().records.end()) {
      if (const auto proofs = proofs_of(all->second))
        driver_.handle(RecallProofs{each.key(), *proofs}, world().now(), wake_.actions);
    }
    const auto record = machine_.page().load(each.key());
    if (!record || record->state != Page::Record::State::master) continue;
    wake_.resumed.push_back({each.key(), record->last_advert_sent_at, record->silence_allowed,
                             form_of_number(record->checksum), record->priority});
    driver_.handle(
        ResumeFromPage{each.key(), record->since, record->last_advert_sent_at,
                       record->silence_allowed, form_of_number(record->checksum), record->priority},
        world().now(), wake_.actions);
  }
  std::erase_if(machine_.page().records,
                [&](const auto& entry) { return !configured.contains(entry.first); });
}

// ---- wake-ups ----

void Child::begin_wake(Wake::Cause cause) {
  step();
  wake_.cause = cause;
  wake_.is_shutdown = false;
  wake_.before.clear();
  wake_.resumed.clear();
  wake_.heard.clear();
  wake_.actions.clear();
  const auto pause = take_pause();
  wake_.first_after_pause = pause.has_value();
  wake_.paused_for = pause.value_or(0s);
  wake_.awake_for = pause ? awake_for() : 0s;
  for (const Instance* instance : router().instances()) {
    wake_.before.push_back({instance->key(), instance->state(), instance->effective_priority(),
                            instance->setback().has_value(), instance->is_being_removed(),
                            std::nullopt});
    if (cause == Wake::Cause::commit) wake_.before.back().settings = instance->settings();
  }
}

void Child::end_wake() {
  turn_.begin(wake_.actions, *this,
              [this](const Event& answer, Actions& out) { driver_.answer(answer, out); });
  watcher_.woke(*this, wake_);
  for (const Action& action : wake_.actions) {
    if (std::holds_alternative<Removed>(action)) refresh_ports();
  }
  arm();
  work_on();
}

/// Most wake-ups have time for all that they ask for; in others some waits, as when thousands are
/// taken over.
void Child::work_on() {
  while (turn_.has_work() && rng().chance(90)) work();
  if (!turn_.has_work()) return settled();
  if (std::exchange(work_is_planned_, true)) return;
  later(rng().below(kLatestWork), [this] {
    work_is_planned_ = false;
    work();
    work_on();
  });
}

void Child::work() {
  turn_.work(*this, [this](const Event& answer, Actions& out) { driver_.answer(answer, out); });
}

/// Nothing waits any more.
void Child::settled() {
  watcher_.settled(*this);
  if (std::exchange(sweep_is_due_, false)) reflector_.sweep_leftovers();
  if (stopping_ && router().has_stopped()) exit({ExitStatus::Kind::exited, 0});
}

void Child::wake(Wake::Cause cause, const std::string* readable) {
  if (!is_alive()) return;
  begin_wake(cause);
  driver_.begin(world().now(), 0s, wake_.actions);
  const bool is_due = driver_.deadline() && *driver_.deadline() <= world().now();
  for (auto& [key, socket] : sockets_) {
    if (is_due || readable == nullptr || key.first == *readable) drain(key.first, socket);
  }
  driver_.finish(wake_.actions);
  end_wake();
}

void Child::handle(const Event& event) {
  if (!is_alive()) return;
  begin_wake(Wake::Cause::event);
  wake_.is_shutdown = std::holds_alternative<Shutdown>(event);
  driver_.handle(event, world().now(), wake_.actions);
  end_wake();
}

void Child::drain(const std::string& name, Socket& socket) {
  while (!socket.waiting.empty()) {
    const Bytes bytes = std::move(socket.waiting.front());
    socket.waiting.pop_front();
    auto packet = decode_packet(bytes);
    if (packet.has_error()) continue;
    packet->interface = name;
    note_heard(*packet);
    driver_.receive(*packet, wake_.actions);
  }
}

// What the model judges by itself; but whether an origin is proven only the core can say.
void Child::note_heard(const Received& packet) {
  const auto inner = advert_in(packet);
  const auto vrid = inner ? peek_vrid(*inner) : std::nullopt;
  const Instance* instance = vrid ? router().receiver(packet, *vrid) : nullptr;
  if (instance == nullptr) return;
  const InstanceSettings& settings = instance->settings();
  if (settings.has_header() || settings.signs()) {
    const auto checked = check_advert(packet, settings, instance->source_address(),
                                      instance->proof_context(world().now()));
    if (!std::holds_alternative<Accepted>(checked)) return;
  }
  auto advert = decode_advert(*inner, {settings.version, packet.source, packet.destination});
  if (advert.has_error()) return;
  wake_.heard.push_back(
      {instance->key(), packet.source, packet.destination, packet.hop_limit, std::move(*advert)});
}

void Child::arm() {
  const auto deadline = driver_.deadline();
  if (deadline == planned_for_ && deadline && wakes_at_ > world().now()) return;
  planned_for_ = deadline;
  ++plan_;
  if (!deadline) return;
  const Duration wait =
      std::max(*deadline - world().now(), Duration::zero()) + rng().below(kLatestWake);
  wakes_at_ = world().now() + wait;
  later(wait, [this, plan = plan_] {
    if (plan == plan_) wake(Wake::Cause::timer, nullptr);
  });
}

void Child::packet(netlink::InterfaceIndex index, const Bytes& bytes) {
  const auto packet = decode_packet(bytes);
  const auto inner = advert_in(*packet);
  const std::uint8_t vrid = inner ? peek_vrid(*inner).value_or(0) : 0;
  for (auto& [key, socket] : sockets_) {
    if (socket.index != index || packet->family != key.second) continue;
    if (!socket.vrids.test(vrid)) continue;
    if (socket.waiting.size() >= kSocketBufferPackets) continue;
    socket.waiting.push_back(bytes);
    if (socket.waiting.size() > 1) continue;
    later(rng().below(Duration(200us)), [this, key = key] {
      const auto found = sockets_.find(key);
      if (found != sockets_.end() && !found->second.waiting.empty())
        wake(Wake::Cause::packets, &key.first);
    });
  }
}

// ---- what the core asks for ----

void Child::send(std::span<const SendAdvert* const> adverts, std::vector<Event>& answers) {
  for (const SendAdvert* advert : adverts) {
    const std::string refused = put_on_wire(*advert);
    if (advert->priority == kResignPriority || !refused.empty())
      world().note("{} {} advert {} {}", name(), advert->router->name, advert->priority,
                   refused.empty() ? "sent" : refused);
    if (refused.empty()) {
      answers.emplace_back(AdvertSent{advert->router->key, advert->priority});
    } else {
      answers.emplace_back(AdvertRefused{advert->router->key, advert->priority, refused});
    }
    step();
  }
}

/// What the system said; empty: it has left.
std::string Child::put_on_wire(const SendAdvert& advert) {
  const core::RouterKey& key = advert.router->key;
  const auto socket = sockets_.find({key.interface, key.family});
  if (socket == sockets_.end()) return "there is no socket";
  if (machine_.sending_fails()) return "Operation not permitted";
  const Kernel::Card* card = machine_.kernel().card(socket->second.index);
  if (card == nullptr) return "No such device";
  if (!card->link.up) return "Network is down";
  ++adverts_sent_[key];
  machine_.note_advert(key);
  for (const Letter& letter : advert.departure->letters)
    machine_.sends(socket->second.index,
                   encode_packet(*advert.departure, letter, advert.identification));
  return {};
}

Moved Child::move(std::span<const AddressMove> moves) {
  for (const AddressMove& move : moves) {
    if (const auto* publish = std::get_if<const PublishAddresses*>(&move)) {
      const core::RouterKey& key = (*publish)->router->key;
      wished_.insert(key);
      reflector_.hold(key, desired_addresses(key.interface, (*publish)->addresses));
    } else if (const auto* withdraw = std::get_if<const WithdrawAddresses*>(&move)) {
      wished_.erase((*withdraw)->router->key);
      reflector_.release((*withdraw)->router->key);
    } else {
      const core::RouterKey& key = std::get<const Removed*>(move)->router->key;
      wished_.erase(key);
      reflector_.forget(key);
    }
  }
  return keep_moving();
}

Moved Child::keep_moving() {
  if (rng().chance(10)) return Moved::not_yet;
  reflector_.flush();
  return Moved::all;
}

void Child::announce(std::span<const Announce* const> announcements, std::vector<Event>&) {
  step();
  for (const Announce* action : announcements) {
    for (const VirtualAddress& address : action->addresses) {
      const std::string& name =
          address.interface.empty() ? action->router->key.interface : address.interface.str();
      const netlink::Link* link = reflector_.link(name);
      const core::IpAddress& ip = address.prefix.address;
      if (link == nullptr || !reflector_.mirror().addresses.has(link->index, ip)) continue;
      watcher_.announced(*this, action->router->key, ip);
    }
  }
}

void Child::tell(const Action& action) {
  step();
  if (world().is_traced()) {
    std::visit(
        [&](const auto& each) {
          if constexpr (requires { each.router; }) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(each)>, Remember>)
              world().note("{} {} vrid {}: {}", name(), each.router->name, each.router->key.vrid,
                           to_string(action));
          }
        },
        action);
  }
  if (const auto* remember = std::get_if<Remember>(&action)) {
    Page::Record record;
    record.since = remember->since;
    record.last_advert_sent_at = remember->last_advert_at;
    record.silence_allowed = remember->silence_allowed;
    record.vrid = remember->router->key.vrid;
    record.priority = remember->priority;
    record.checksum = number_of(remember->checksum);
    if (remember->proofs) put_proofs(*remember->proofs, record);
    record.state = remember->state == StateName::master ? Page::Record::State::master
                   : remember->hands_over               ? Page::Record::State::handing_over
                                                        : Page::Record::State::other;
    machine_.page().records[remember->router->key] = record;
  } else if (const auto* removed = std::get_if<Removed>(&action)) {
    machine_.page().records.erase(removed->router->key);
  }
}

// ---- what the kernel says ----

void Child::on_link(const netlink::LinkEvent& event) {
  if (const auto* changed = std::get_if<netlink::LinkChanged>(&event)) {
    mark_dirty(changed->before.name);
    mark_dirty(changed->after.name);
  } else if (const auto* appeared = std::get_if<netlink::LinkAppeared>(&event)) {
    mark_dirty(appeared->link.name);
  } else {
    mark_dirty(std::get<netlink::LinkVanished>(event).link.name);
  }
}

void Child::on_address(const netlink::AddressEvent& event) {
  const auto index = netlink::address_of(event).interface;
  if (const netlink::Link* link = reflector_.mirror().links.find(index)) mark_dirty(link->name);
}

void Child::on_published(const core::RouterKey& owner, const netlink::Publication& publication) {
  if (!publication.wanted) return;
  // Unlike the daemon, which looks at its interfaces first: the core has to stand both orders.
  handle(AddressesPlaced{.router = owner,
                         .wanted = publication.wished(),
                         .placed = publication.placed(),
                         .problem = std::string(publication.first_problem())});
}

void Child::on_repaired(const core::RouterKey& owner) {
  handle(AddressesRepaired{owner});
}

void Child::mark_dirty(const std::string& interface) {
  if (!watched_.contains(interface)) return;
  const bool is_first = dirty_.empty();
  dirty_.insert(interface);
  if (!is_first) return;
  later(0us, [this] {
    for (const std::string& name : std::exchange(dirty_, {})) {
      handle(InterfaceChanged{name, read_interface(name)});
      if (!is_alive()) return;
      if (reflector_.link(name) == nullptr)
        std::erase_if(sockets_, [&](const auto& each) { return each.first.first == name; });
      refresh_ports();
    }
  });
}

void Child::refresh_ports() {
  std::map<SocketKey, std::bitset<256>> vrids;
  for (const Instance* instance : router().instances())
    vrids[{instance->key().interface, instance->key().family}].set(instance->key().vrid);
  std::erase_if(sockets_, [&](const auto& entry) { return !vrids.contains(entry.first); });
  for (auto& [key, socket] : sockets_) socket.vrids = vrids.at(key);
}

void Child::open_sockets(const std::string& name) {
  const netlink::Link* link = reflector_.link(name);
  if (link == nullptr) return;
  for (const core::Family family : {core::Family::v4, core::Family::v6}) {
    const auto socket = sockets_.find({name, family});
    if (socket == sockets_.end() || socket->second.index != link->index)
      sockets_[{name, family}] = {.index = link->index, .vrids = {}, .waiting = {}};
  }
}

InterfaceStatus Child::read_interface(const std::string& name) {
  const netlink::Link* link = reflector_.link(name);
  const bool is_up = link != nullptr && link->is_usable();
  told_[{TrackerKind::interface, name}] = is_up ? Verdict::good : Verdict::bad;
  if (link == nullptr) return {};
  open_sockets(name);
  InterfaceStatus status{.exists = true,
                         .up = link->is_usable(),
                         .primary_address = reflector_.source(link->index, core::Family::v4)};
  status.link_local = reflector_.source(link->index, core::Family::v6);
  for (const core::IpAddress& address : watched_[name]) {
    if (reflector_.mirror().addresses.is_usable(link->index, address))
      status.own_addresses.push_back(address);
  }
  status.silent = machine_.is_silent(machine_.kernel().wire_of(link->index));
  return status;
}

}  // namespace holdfast::sim
