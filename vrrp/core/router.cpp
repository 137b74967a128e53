#include "vrrp/core/router.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::vrrp {

Router::Router(std::vector<InstanceSettings> instances) {
  for (InstanceSettings& settings : instances) order_.push_back(add_instance(std::move(settings)));
  update_shortest_interval();
}

void Router::step(const Event& event, Instant now, Actions& out) {
  forget_removed();
  std::visit([&](const auto& known) { on(known, now, out); }, event);
  if (!stopping_ || stopped_) return;
  stopped_ = std::all_of(slots_.begin(), slots_.end(),
                         [](const auto& instance) { return !instance || instance->has_stopped(); });
  if (stopped_) out.emplace_back(Stopped{});
}

void Router::on(const Startup& event, Instant now, Actions& out) {
  running_ = true;
  step_all(event, now, out);
}

// Touches only what is due. Each slot's tick moves its deadline past `now`, so this ends.
void Router::on(const Tick& event, Instant now, Actions& out) {
  while (deadlines_.earliest() && *deadlines_.earliest() <= now) {
    const std::size_t slot = deadlines_.earliest_slot();
    step_slot(slot, event, now, out);
    HOLDFAST_ASSERT(!slots_[slot]->deadline() || *slots_[slot]->deadline() > now,
                    "a tick does everything that is due");
  }
}

void Router::on(const AdvertReceived& event, Instant now, Actions& out) {
  step_slot(slot_of(event.instance), event, now, out);
}

void Router::on(const AdvertRejected& event, Instant now, Actions& out) {
  step_slot(slot_of(event.instance), event, now, out);
}

void Router::on(const InterfaceChanged& event, Instant now, Actions& out) {
  Interface& interface = interface_named(event.interface);
  if (interface.status == event.status) return;
  interface.status = event.status;
  for (const std::size_t slot : std::array(interface.slot_by_vrid)) {
    if (slot != kNoSlot) step_slot(slot, InterfaceReport{event.status}, now, out);
  }
}

// The shell's answers may be about an instance that a reload removed meanwhile.
void Router::on(const AddressesFailed& event, Instant now, Actions& out) {
  if (contains(event.instance)) step_slot(slot_of(event.instance), event, now, out);
}

void Router::on(const AddressesRepaired& event, Instant now, Actions& out) {
  if (contains(event.instance)) step_slot(slot_of(event.instance), event, now, out);
}

void Router::on(const Shutdown& event, Instant now, Actions& out) {
  stopping_ = true;
  step_all(event, now, out);
}

void Router::on(const ShutdownNow& event, Instant now, Actions& out) {
  stopping_ = true;
  step_all(event, now, out);
}

void Router::on(const ProcessPaused& event, Instant now, Actions& out) {
  step_all(event, now, out);
}

void Router::on(const ResumeFromPage& event, Instant now, Actions& out) {
  if (const auto id = find(event.key.interface, event.key.vrid))
    step_slot(slot_of(*id), event, now, out);
}

void Router::on(const Reload& event, Instant now, Actions& out) {
  if (stopping_) return;  // too late to begin something
  std::vector<std::size_t> next_order(event.instances.size(), kNoSlot);
  for (std::size_t i = 0; i < event.instances.size(); ++i) {
    const InstanceSettings& settings = event.instances[i];
    const auto id = find(settings.interface, settings.vrid);
    if (!id) continue;
    next_order[i] = slot_of(*id);
    if (slots_[next_order[i]]->settings() == settings) continue;  // not touched in any way
    step_slot(next_order[i], Reconfigure{settings}, now, out);
  }
  // Those that leave come before those that begin: an address may move from one to the other.
  const std::vector<std::size_t> old_order = std::exchange(order_, {});
  for (const std::size_t slot : old_order) {
    if (std::find(next_order.begin(), next_order.end(), slot) != next_order.end()) continue;
    leaving_.push_back(slot);
    step_slot(slot, Remove{}, now, out);
  }
  for (std::size_t i = 0; i < event.instances.size(); ++i) {
    if (next_order[i] == kNoSlot) next_order[i] = replace_instance(event.instances[i], now, out);
  }
  order_ = std::move(next_order);
  update_shortest_interval();
}

// A new instance whose predecessor with the same key may still be in its handover: that one ends
// first.
std::size_t Router::replace_instance(const InstanceSettings& settings, Instant now, Actions& out) {
  const std::size_t old = interface_named(settings.interface).slot_by_vrid[settings.vrid];
  if (old != kNoSlot) step_slot(old, ShutdownNow{}, now, out);
  const std::size_t slot = add_instance(settings);
  if (running_) step_slot(slot, Startup{}, now, out);
  return slot;
}

std::size_t Router::add_instance(InstanceSettings settings) {
  const auto free = std::find(slots_.begin(), slots_.end(), nullptr);
  const auto slot = static_cast<std::size_t>(free - slots_.begin());
  if (free == slots_.end()) slots_.emplace_back();

  Interface& interface = interface_named(settings.interface);
  HOLDFAST_ASSERT(interface.slot_by_vrid[settings.vrid] == kNoSlot,
                  "the configuration refuses two instances with one VRID on one interface");
  interface.slot_by_vrid[settings.vrid] = slot;
  const std::uint32_t id = next_id_++;
  slot_by_id_.emplace(id, slot);
  slots_[slot] = std::make_unique<Instance>(InstanceId{id}, std::move(settings));
  if (interface.status) {
    Actions none;
    slots_[slot]->step(InterfaceReport{*interface.status}, Instant{}, none);
    HOLDFAST_ASSERT(none.empty(), "an instance that was not started only remembers");
  }
  return slot;
}

Router::Interface& Router::interface_named(std::string_view name) {
  const auto [known, is_new] =
      interface_by_name_.try_emplace(std::string(name), interfaces_.size());
  if (is_new) {
    interfaces_.push_back(
        {.name = std::string(name), .status = {}, .slot_by_vrid = {}, .strays = {}});
    interfaces_.back().slot_by_vrid.fill(kNoSlot);
  }
  return interfaces_[known->second];
}

void Router::step_slot(std::size_t slot, const InstanceEvent& event, Instant now, Actions& out) {
  Instance& instance = *slots_[slot];
  instance.step(event, now, out);
  deadlines_.set(slot, instance.deadline());

  const bool is_gone = instance.is_being_removed() && instance.has_stopped();
  if (!is_gone || std::find(removed_.begin(), removed_.end(), slot) != removed_.end()) return;
  interface_named(instance.settings().interface).slot_by_vrid[instance.settings().vrid] = kNoSlot;
  std::erase(leaving_, slot);
  removed_.push_back(slot);
  out.emplace_back(Removed{instance.id()});
}

void Router::step_all(const InstanceEvent& event, Instant now, Actions& out) {
  for (const std::size_t slot : order_) step_slot(slot, event, now, out);
  for (const std::size_t slot : std::vector(leaving_)) step_slot(slot, event, now, out);
}

void Router::forget_removed() {
  for (const std::size_t slot : removed_) {
    slot_by_id_.erase(static_cast<std::uint32_t>(slots_[slot]->id()));
    slots_[slot].reset();
  }
  removed_.clear();
}

void Router::update_shortest_interval() {
  shortest_interval_.reset();
  for (const std::size_t slot : order_) {
    const Duration interval = slots_[slot]->settings().advert_interval;
    shortest_interval_ = std::min(shortest_interval_.value_or(interval), interval);
  }
}

std::size_t Router::slot_of(InstanceId id) const {
  const auto found = slot_by_id_.find(static_cast<std::uint32_t>(id));
  HOLDFAST_ASSERT(found != slot_by_id_.end(), "ids come from this router and end with Removed");
  return found->second;
}

std::vector<InstanceId> Router::ids() const {
  std::vector<InstanceId> all;
  all.reserve(order_.size() + leaving_.size());
  for (const std::size_t slot : order_) all.push_back(slots_[slot]->id());
  for (const std::size_t slot : leaving_) all.push_back(slots_[slot]->id());
  return all;
}

const Instance& Router::view(InstanceId id) const {
  return *slots_[slot_of(id)];
}

bool Router::contains(InstanceId id) const {
  return slot_by_id_.contains(static_cast<std::uint32_t>(id));
}

std::optional<InstanceId> Router::find(std::string_view interface, std::uint8_t vrid) const {
  const auto id = interface_id(interface);
  const Instance* instance = id ? receiver(*id, vrid) : nullptr;
  if (instance == nullptr || instance->is_being_removed()) return std::nullopt;
  return instance->id();
}

std::optional<InterfaceId> Router::interface_id(std::string_view name) const {
  const auto known = interface_by_name_.find(std::string(name));
  if (known == interface_by_name_.end()) return std::nullopt;
  return InterfaceId{static_cast<std::uint32_t>(known->second)};
}

const std::string& Router::interface_name(InterfaceId id) const {
  return interfaces_.at(static_cast<std::size_t>(id)).name;
}

const Instance* Router::receiver(InterfaceId interface, std::uint8_t vrid) const {
  const std::size_t slot = interfaces_.at(static_cast<std::size_t>(interface)).slot_by_vrid[vrid];
  return slot == kNoSlot ? nullptr : slots_[slot].get();
}

std::vector<std::string> Router::interfaces_in_use() const {
  std::vector<std::string> names;
  for (const Interface& interface : interfaces_) {
    const bool in_use = std::any_of(interface.slot_by_vrid.begin(), interface.slot_by_vrid.end(),
                                    [](std::size_t slot) { return slot != kNoSlot; });
    if (in_use) names.push_back(interface.name);
  }
  return names;
}

void Router::count_stray(InterfaceId interface, RejectReason reason) {
  interfaces_.at(static_cast<std::size_t>(interface)).strays.add(reason);
}

const RejectCounters& Router::strays(InterfaceId interface) const {
  return interfaces_.at(static_cast<std::size_t>(interface)).strays;
}

}  // namespace holdfast::vrrp
