#include "vrrp/core/router.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

bool tracks(const InstanceSettings& settings, const TrackerId& tracker) {
  return std::any_of(settings.trackers.begin(), settings.trackers.end(),
                     [&](const Tracker& each) { return each.id == tracker; });
}

}  // namespace

Router::Router(std::vector<InstanceSettings> instances) {
  for (InstanceSettings& settings : instances) order_.push_back(add_instance(std::move(settings)));
  find_groups();
  update_shortest_interval();
}

void Router::step(const Event& event, Instant now, Actions& out) {
  std::visit([&](const auto& known) { on(known, now, out); }, event);
  if (!unsettled_.empty()) settle_groups(now, out);
  if (shortest_is_stale_) update_shortest_interval();
  if (!stopping_ || stopped_) return;
  stopped_ = std::all_of(slots_.begin(), slots_.end(),
                         [](const auto& instance) { return !instance || instance->has_stopped(); });
  if (stopped_) out.emplace_back(Stopped{});
}

void Router::on(const Startup& event, Instant now, Actions& out) {
  running_ = true;
  judge_pages(now, out);
  step_all(event, now, out);
  for (const auto& [name, group] : groups_) unsettled_.insert(name);
}

// Touches only what is due, the longest overdue first. What is beyond the bound stays due: the next
// wake-up follows at once, and meanwhile the adverts of these are on the wire.
void Router::on(const Tick& event, Instant now, Actions& out) {
  for (std::size_t count = 0; count < kMaxDueAtOnce; ++count) {
    if (!deadlines_.earliest() || *deadlines_.earliest() > now) return;
    const std::size_t slot = deadlines_.earliest_slot();
    step_slot(slot, event, now, out);
    HOLDFAST_ASSERT(!slots_[slot] || !slots_[slot]->deadline() || *slots_[slot]->deadline() > now,
                    "a tick does everything that is due");
  }
}

void Router::on(const InterfaceChanged& event, Instant now, Actions& out) {
  Interface& interface = interfaces_[event.interface];
  if (interface.status && **interface.status == event.status) return;
  interface.status = event.status;
  const InterfaceReport news{*interface.status};
  for (const Listener& listener : std::vector(interface.listeners))
    step_slot(listener.slot, news, now, out);
  report({TrackerKind::interface, event.interface}, event.status.up ? Verdict::good : Verdict::bad,
         now, out);
}

void Router::on(const TrackerReported& event, Instant now, Actions& out) {
  if (!is_tracked(event.tracker)) return;
  const auto known = verdicts_.find(event.tracker);
  if (known != verdicts_.end() && known->second == event.verdict) return;
  verdicts_.insert_or_assign(event.tracker, event.verdict);
  report(event.tracker, event.verdict, now, out);
}

// To those that track it and have not heard it yet.
void Router::report(const TrackerId& tracker, Verdict verdict, Instant now, Actions& out) {
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (!slots_[slot] || !tracks(slots_[slot]->settings(), tracker)) continue;
    const Verdicts& known = slots_[slot]->verdicts();
    const auto said = known.find(tracker);
    if (said != known.end() && said->second == verdict) continue;
    step_slot(slot, TrackerReport{tracker, verdict}, now, out);
  }
}

bool Router::is_tracked(const TrackerId& tracker) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const auto& instance) {
    return instance && tracks(instance->settings(), tracker);
  });
}

Verdicts Router::verdicts_for(const std::vector<Tracker>& trackers) const {
  Verdicts known;
  for (const Tracker& each : trackers) {
    if (each.id.kind != TrackerKind::interface) {
      const auto said = verdicts_.find(each.id);
      if (said != verdicts_.end()) known.insert(*said);
      continue;
    }
    const auto interface = interfaces_.find(each.id.name);
    if (interface == interfaces_.end() || !interface->second.status) continue;
    const bool is_up = (*interface->second.status)->up;
    known.emplace(each.id, is_up ? Verdict::good : Verdict::bad);
  }
  return known;
}

// Names that no configuration uses any more would otherwise stay for the life of the process.
void Router::forget_unused() {
  std::erase_if(interfaces_, [this](const auto& each) {
    return each.second.listeners.empty() && !is_tracked({TrackerKind::interface, each.first});
  });
  std::erase_if(verdicts_, [this](const auto& each) { return !is_tracked(each.first); });
}

void Router::on(const Shutdown& event, Instant now, Actions& out) {
  stopping_ = true;
  step_all(event, now, out);
  hand_over_together(now, out);
}

void Router::on(const ShutdownNow& event, Instant now, Actions& out) {
  stopping_ = true;
  step_all(event, now, out);
}

void Router::on(const ProcessPaused& event, Instant now, Actions& out) {
  step_all(event, now, out);
}

void Router::on(const Reload& event, Instant now, Actions& out) {
  if (stopping_) return;  // too late to begin something
  std::vector<std::size_t> next_order(event.instances.size(), kNoSlot);
  std::vector<bool> stays(slots_.size(), false);
  for (std::size_t i = 0; i < event.instances.size(); ++i) {
    const InstanceSettings& settings = event.instances[i];
    const std::size_t slot = slot_of(settings.key());
    if (slot == kNoSlot || is_leaving(slot)) continue;
    next_order[i] = slot;
    stays[slot] = true;
    // Not touched in any way when nothing is different; but who failed to serve tries again: the
    // operator reloads because he has mended something.
    if (slots_[slot]->settings() == settings && !slots_[slot]->setback()) continue;
    step_slot(slot, Reconfigure{settings, verdicts_for(settings.trackers)}, now, out);
  }
  // Those that leave come before those that begin: an address may move from one to the other.
  for (const std::size_t slot : std::exchange(order_, {})) {
    if (stays[slot]) continue;
    leaving_.push_back(slot);
    for (auto& [name, group] : groups_) std::erase(group.in_step, slot);
    step_slot(slot, Remove{}, now, out);
  }
  hand_over_together(now, out);
  for (std::size_t i = 0; i < event.instances.size(); ++i) {
    if (next_order[i] == kNoSlot) next_order[i] = replace_instance(event.instances[i], now, out);
  }
  order_ = std::move(next_order);
  find_groups();
  update_shortest_interval();
  forget_unused();
}

void Router::on(const ScriptStarted& event, Instant, Actions&) {
  if (slot_of(event.router) != kNoSlot) scripts_[event.router].on_started();
}

void Router::on(const ScriptEnded& event, Instant now, Actions&) {
  if (slot_of(event.router) == kNoSlot) return;
  scripts_[event.router].on_ended({event.what, event.state, event.outcome, now});
}

void Router::on(const ClockTold& event, Instant now, Actions& out) {
  utc_ahead_ = event.utc_ahead;
  step_all(event, now, out);
}

// A new instance whose predecessor with the same key may still be in its handover: that one ends
// first.
std::size_t Router::replace_instance(const InstanceSettings& settings, Instant now, Actions& out) {
  const std::size_t old = slot_of(settings.key());
  if (old != kNoSlot) step_slot(old, ShutdownNow{}, now, out);
  const std::size_t slot = add_instance(settings);
  if (running_) step_slot(slot, Startup{}, now, out);
  return slot;
}

std::size_t Router::add_instance(InstanceSettings settings) {
  if (free_.empty()) {
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const std::size_t slot = free_.back();
  free_.pop_back();
  slots_[slot].emplace(std::move(settings));

  const RouterKey& key = slots_[slot]->key();
  HOLDFAST_ASSERT(slot_of(key) == kNoSlot, "the configuration refuses two instances with one key");
  Interface& interface = interfaces_[key.interface];
  const Listener listener{key.family, key.vrid, key.channel, slot};
  const auto place = std::upper_bound(
      interface.listeners.begin(), interface.listeners.end(), listener,
      [](const Listener& one, const Listener& other) { return one.number() < other.number(); });
  interface.listeners.insert(place, listener);
  Actions unheard;
  slots_[slot]->step(ClockTold{utc_ahead_}, Instant{}, unheard);
  Actions none;
  if (interface.status) slots_[slot]->step(InterfaceReport{*interface.status}, Instant{}, none);
  for (const auto& [tracker, verdict] : verdicts_for(slots_[slot]->settings().trackers))
    slots_[slot]->step(TrackerReport{tracker, verdict}, Instant{}, none);
  HOLDFAST_ASSERT(none.empty(), "an instance that was not started only remembers");
  return slot;
}

void Router::step_slot(std::size_t slot, const InstanceEvent& event, Instant now, Actions& out) {
  Instance& instance = *slots_[slot];
  const Duration before = interval_of(slot);
  const bool is_member = !instance.settings().sync_group.empty();
  const GroupMember stood = is_member ? instance.as_member(now) : GroupMember{};
  instance.step(event, now, out);
  if (is_member && (stopping_ || instance.as_member(now) != stood))
    unsettled_.insert(instance.settings().sync_group);
  const Duration after = interval_of(slot);
  if (shortest_interval_ && after < before)
    shortest_interval_ = std::min(*shortest_interval_, after);
  if (after > before && before == shortest_interval_) shortest_is_stale_ = true;
  deadlines_.set(slot, instance.deadline());
  if (!instance.is_being_removed() || !instance.has_stopped()) return;
  out.emplace_back(Removed{Subject{instance.key(), instance.settings().name}});
  forget(slot);
}

void Router::forget(std::size_t slot) {
  const std::string interface = slots_[slot]->key().interface;
  std::erase_if(interfaces_[interface].listeners,
                [slot](const Listener& listener) { return listener.slot == slot; });
  scripts_.erase(slots_[slot]->key());
  std::erase(leaving_, slot);
  std::erase(order_, slot);
  deadlines_.set(slot, std::nullopt);
  slots_[slot].reset();
  free_.push_back(slot);
}

void Router::step_all(const InstanceEvent& event, Instant now, Actions& out) {
  for (const std::size_t slot : std::vector(order_)) step_slot(slot, event, now, out);
  for (const std::size_t slot : std::vector(leaving_)) step_slot(slot, event, now, out);
}

/// What it lives by. Version 3: a backup by its master's interval, if that is the shorter one.
Duration Router::interval_of(std::size_t slot) const {
  const Duration own = slots_[slot]->settings().advert_interval;
  const auto* backup = std::get_if<Backup>(&slots_[slot]->state());
  return backup == nullptr ? own : std::min(own, backup->master_adver_interval);
}

void Router::update_shortest_interval() {
  shortest_is_stale_ = false;
  shortest_interval_.reset();
  for (const std::size_t slot : order_) {
    const Duration interval = interval_of(slot);
    shortest_interval_ = std::min(shortest_interval_.value_or(interval), interval);
  }
}

std::size_t Router::slot_of(const RouterKey& key) const {
  const auto interface = interfaces_.find(key.interface);
  if (interface == interfaces_.end()) return kNoSlot;
  const auto& listeners = interface->second.listeners;
  auto at = std::lower_bound(listeners.begin(), listeners.end(), std::pair(key.family, key.vrid),
                             [](const Listener& one, const auto& n) { return one.number() < n; });
  for (; at != listeners.end() && at->number() == std::pair(key.family, key.vrid); ++at) {
    if (at->channel == key.channel) return at->slot;
  }
  return kNoSlot;
}

bool Router::is_leaving(std::size_t slot) const {
  return slots_[slot]->is_being_removed();
}

std::vector<const Instance*> Router::instances() const {
  std::vector<const Instance*> all;
  all.reserve(order_.size() + leaving_.size());
  for (const std::size_t slot : order_) all.push_back(&*slots_[slot]);
  for (const std::size_t slot : leaving_) all.push_back(&*slots_[slot]);
  return all;
}

const Instance* Router::find(const RouterKey& key) const {
  const std::size_t slot = slot_of(key);
  return slot == kNoSlot ? nullptr : &*slots_[slot];
}

const core::ScriptRecord* Router::scripts(const RouterKey& key) const {
  const auto found = scripts_.find(key);
  return found == scripts_.end() ? nullptr : &found->second;
}

bool Router::is_addressed(const Listener& listener, const IpAddress& destination) const {
  if (listener.channel == destination) return true;
  return listener.channel.is_unspecified() &&
         slots_[listener.slot]->source_address() == destination;
}

std::span<const Router::Listener> Router::listeners(std::string_view interface, core::Family family,
                                                    std::uint8_t vrid) const {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return {};
  const auto& all = found->second.listeners;
  const std::pair number(family, vrid);
  const auto first =
      std::lower_bound(all.begin(), all.end(), number,
                       [](const Listener& one, const auto& n) { return one.number() < n; });
  const auto last =
      std::find_if(first, all.end(), [&](const Listener& one) { return one.number() != number; });
  return {first, last};
}

// What is for nobody is for the first one all the same: it can say what is odd about it.
const Instance* Router::receiver(const Received& packet, std::uint8_t vrid) const {
  const auto here = listeners(packet.interface, packet.family, vrid);
  for (const Listener& each : here)
    if (is_addressed(each, packet.destination)) return &*slots_[each.slot];
  if (packet.interface.empty()) return routed_receiver(packet, here);
  // Those without an interface have heard it themselves.
  for (const Listener& each : listeners({}, packet.family, vrid))
    if (is_addressed(each, packet.destination) ||
        hears_at_any_address(slots_[each.slot]->settings(), packet))
      return nullptr;
  return here.empty() ? nullptr : &*slots_[here.front().slot];
}

// Their socket hears what is for the sockets of interfaces, too. Only a peer of theirs can have
// meant them.
const Instance* Router::routed_receiver(const Received& packet,
                                        std::span<const Listener> here) const {
  if (here.empty()) return nullptr;
  for (const auto& [name, interface] : interfaces_)
    for (const Listener& each : listeners(name, packet.family, here.front().vrid))
      if (is_addressed(each, packet.destination)) return nullptr;
  for (const Listener& each : here) {
    const auto& unicast = slots_[each.slot]->settings().unicast;
    const bool is_peer = unicast && std::ranges::any_of(unicast->peers, [&](const auto& peer) {
                           return peer.address == packet.source;
                         });
    if (is_peer) return &*slots_[each.slot];
  }
  return nullptr;
}

std::vector<std::string> Router::interfaces_in_use() const {
  std::vector<std::string> names;
  for (const auto& [name, interface] : interfaces_) {
    if (!interface.listeners.empty()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Router::clear_counters() {
  for (std::optional<Instance>& slot : slots_)
    if (slot) slot->clear_counters();
}

void Router::count_stray(std::string_view interface, RejectReason reason) {
  const auto found = interfaces_.find(interface);
  if (found != interfaces_.end()) found->second.strays.add(reason);
}

RejectCounters Router::strays(std::string_view interface) const {
  const auto found = interfaces_.find(interface);
  return found == interfaces_.end() ? RejectCounters{} : found->second.strays;
}

}  // namespace holdfast::vrrp
