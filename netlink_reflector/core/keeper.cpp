// Wishes, leftovers and what happened; what is done about it stands in keeper_work.cpp, what is
// told in keeper_report.cpp.
#include "netlink_reflector/core/keeper.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <cerrno>

namespace holdfast::netlink {
namespace {

/// The step came too late, but what it wanted is so; or the next plan will see what is left to do.
bool is_harmless(const Step& step, int system_errno) {
  switch (step.kind) {
    case StepKind::add:
    case StepKind::restore:
      return system_errno == EEXIST;
    case StepKind::remove:
      return system_errno == EADDRNOTAVAIL || system_errno == ENODEV;
  }
  return false;
}

bool contains(const DesiredAddresses& addresses, const DesiredAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// Kernels from 5.18 on keep IFA_PROTO, and mark some addresses themselves: the loopback's, and
/// IPv6's link-local ones.
bool are_marks_kept(const Mirror& mirror) {
  for (const Link& link : mirror.links.all()) {
    const std::vector<Address> addresses = mirror.addresses.on(link.index);
    if (std::any_of(addresses.begin(), addresses.end(),
                    [](const Address& address) { return address.protocol != 0; }))
      return true;
  }
  return false;
}

/// Not one of ours: we never give an address a peer.
/// nullptr: it is not on record.
const OwnedAddress* find_listed(const Address& address, const Link& link, const OwnedList& listed) {
  if (address.peer) return nullptr;
  const AddressKey key = address.key();
  const OwnedAddress place{key.interface, key.address, key.length, link.name};
  const auto found = listed.all().lower_bound(place);
  const bool is_it =
      found != listed.all().end() && found->is_same_place(place) && found->interface == link.name;
  return is_it ? &*found : nullptr;
}

}  // namespace

// ---- wishes ----

void Keeper::claim(const core::RouterKey& owner, DesiredAddresses addresses) {
  owners_.enroll(owner, addresses);
  touch(addresses);
  Owner& state = owners_[owner];
  state.claimed = addresses == state.desired ? state.desired : std::move(addresses);
}

void Keeper::hold(const core::RouterKey& owner, DesiredAddresses addresses) {
  owners_.enroll(owner, addresses);
  Owner& state = owners_[owner];
  if (addresses == state.claimed) addresses = state.claimed;  // once in memory is enough
  touch(state.desired);
  touch(addresses);
  forget_held(state.desired, addresses);
  state.desired = std::move(addresses);
  state.leaving = {};
  state.wanted = true;
  state.report_due = true;
  unsettled_.insert(owner);
  recheck_ = true;
}

void Keeper::release(const core::RouterKey& owner) {
  Owner& state = owners_[owner];
  touch(state.desired);
  forget_held(state.desired, {});
  state.leaving = std::exchange(state.desired, {});
  state.wanted = false;
  state.report_due = true;
  unsettled_.insert(owner);
  recheck_ = true;
}

void Keeper::forget(const core::RouterKey& owner) {
  const Owner* found = owners_.find(owner);
  if (found == nullptr) return;
  touch(found->desired);
  forget_held(found->desired, {});
  owners_.remove(owner);
  unsettled_.erase(owner);
}

void Keeper::sweep_leftovers(Statics statics) {
  if (sweep_ != Sweep::unasked) return;
  sweep_ = Sweep::due;
  statics_ = statics;
}

void Keeper::touch(const DesiredAddresses& addresses) {
  for (const DesiredAddress& address : addresses) {
    dirty_names_.insert(address.interface);
    wished_.emplace(address.interface, address.prefix.address);
  }
}

/// What we change ourselves is no repair afterwards.
void Keeper::forget_held(const DesiredAddresses& before, const DesiredAddresses& after) {
  for (const DesiredAddress& address : before) {
    if (contains(after, address)) continue;
    for (auto& [index, device] : devices_) {
      if (device.name != address.interface) continue;
      for (const Trait trait : {Trait::held, Trait::repairing}) {
        for (const AddressKey& key : device.standings.all_at(index, address.prefix.address, trait))
          device.standings.remove(key, trait);
      }
    }
  }
}

// ---- what is ours ----

Keeper::Device& Keeper::device_of(const Link& link) {
  Device& device = devices_[link.index];
  if (device.name.empty()) device.name = link.name;
  return device;
}

void Keeper::own(Device& device, const AddressKey& key) {
  if (device.standings.add(key, Trait::ours)) note_change(Ownership::began, device.name, key);
}

void Keeper::disown(Device& device, const AddressKey& key) {
  if (device.standings.remove(key, Trait::ours)) note_change(Ownership::ended, device.name, key);
}

void Keeper::note_change(Ownership what, const std::string& interface, const AddressKey& key) {
  const auto device = devices_.find(key.interface);
  const bool lasts = device != devices_.end() && device->second.standings.has(key, Trait::lasting);
  owned_changes_.push_back({what, {key.interface, key.address, key.length, interface, lasts}});
}

std::vector<OwnedChange> Keeper::take_owned_changes() {
  return std::exchange(owned_changes_, {});
}

bool Keeper::is_wanted(std::string_view interface) const {
  const std::vector<Owners::Entry*>& entries = owners_.on(interface);
  return std::any_of(entries.begin(), entries.end(), [&](const Owners::Entry* entry) {
    const Owner& owner = entry->second;
    return owner.wanted &&
           std::any_of(owner.desired.begin(), owner.desired.end(),
                       [&](const DesiredAddress& each) { return each.interface == interface; });
  });
}

std::size_t Keeper::owned_count() const {
  std::size_t count = 0;
  for (const auto& [index, device] : devices_)
    count += device.standings.count(Trait::ours) + device.standings.count(Trait::left);
  return count;
}

std::size_t Keeper::staying_count() const {
  if (statics_ == Statics::go) return 0;
  std::size_t count = 0;
  for (const auto& [index, device] : devices_)
    for (const AddressKey& key : device.standings.all(Trait::left))
      if (device.standings.has(key, Trait::lasting)) ++count;
  return count;
}

OwnedList Keeper::owned() const {
  OwnedList list;
  for (const auto& [index, device] : devices_) {
    for (const Trait trait : {Trait::ours, Trait::left}) {
      for (const AddressKey& key : device.standings.all(trait))
        list.apply({Ownership::began,
                    {key.interface, key.address, key.length, device.name,
                     device.standings.has(key, Trait::lasting)}});
    }
  }
  return list;
}

// ---- leftovers ----

void Keeper::inherit(const OwnedList& listed, OtherKeepers others, const Mirror& mirror) {
  inherited_ = true;
  marks_are_ours_ = others == OtherKeepers::none;
  const bool keeps_marks = are_marks_kept(mirror);
  for (const Link& link : mirror.links.all()) {
    for (const Address& address : mirror.addresses.on(link.index)) {
      const bool is_marked = address.protocol == kProtocolHoldfast;
      // One that was taken over from keepalived has its mark still.
      const bool may_be_ours = is_marked || !keeps_marks || address.protocol == kProtocolKeepalived;
      const OwnedAddress* record = may_be_ours ? find_listed(address, link, listed) : nullptr;
      if (record == nullptr && !(is_marked && marks_are_ours_)) continue;
      Standings& standings = device_of(link).standings;
      standings.add(address.key(), Trait::left);
      if (record != nullptr && record->lasting) standings.add(address.key(), Trait::lasting);
    }
  }
  // What is not there any more must not be taken for ours when somebody else adds it.
  for (const OwnedAddress& listed_address : listed.all()) {
    if (!is_left(listed_address)) owned_changes_.push_back({Ownership::ended, listed_address});
  }
}

bool Keeper::is_left(const OwnedAddress& listed) const {
  const auto device = devices_.find(listed.index);
  if (device == devices_.end()) return false;
  const auto keys = device->second.standings.all_at(listed.index, listed.address, Trait::left);
  return std::any_of(keys.begin(), keys.end(),
                     [&](const AddressKey& key) { return key.length == listed.length; });
}

/// Every owner has said what it claims and what it holds: leftovers are ours, so whatever nobody
/// holds goes.
void Keeper::adopt_leftovers(const Mirror& mirror) {
  if (sweep_ != Sweep::due || !inherited_) return;
  sweep_ = Sweep::done;
  for (auto& [index, device] : devices_) {
    for (const AddressKey& key : device.standings.all(Trait::left)) {
      if (statics_ == Statics::stay && device.standings.has(key, Trait::lasting)) continue;
      device.standings.remove(key, Trait::left);
      adopt(device, key, mirror);
    }
  }
  for (const auto& [key, owner] : owners_.all()) {
    for (const DesiredAddress& claimed : owner.claimed) {
      const Link* link = mirror.links.find(std::string_view(claimed.interface));
      if (link != nullptr) adopt_claimed(*link, device_of(*link), claimed, mirror);
    }
  }
}

void Keeper::adopt(Device& device, const AddressKey& key, const Mirror& mirror) {
  const Address* address = mirror.addresses.find(key);
  if (address == nullptr) {  // it went meanwhile
    note_change(Ownership::ended, device.name, key);
    return;
  }
  own(device, key);
  dirty_.insert(key.interface);
  if (!is_wanted(device.name, key)) {
    notices_.emplace_back(LeftOver{device.name, address->prefix});
  }
}

/// A claimed address that keepalived left behind is ours to take off; any other is not.
void Keeper::adopt_claimed(const Link& link, Device& device, const DesiredAddress& claimed,
                           const Mirror& mirror) {
  if (!mirror.addresses.has(link.index, claimed.prefix.address)) return;
  for (const Address& address : mirror.addresses.on(link.index)) {
    const AddressKey key = address.key();
    if (key.address != claimed.prefix.address || address.peer ||
        device.standings.has(key, Trait::ours)) {
      continue;
    }
    if (address.protocol == kProtocolKeepalived) {
      adopt(device, key, mirror);
    } else {
      note_foreign(device, key, address.prefix);
    }
  }
}

void Keeper::note_foreign(Device& device, const AddressKey& key, const core::IpPrefix& prefix) {
  if (device.standings.add(key, Trait::foreign))
    notices_.emplace_back(Foreign{device.name, prefix});
}

// ---- what happened ----

/// The pause goes on growing: a carrier that flaps must not bring back the quick retries.
void Keeper::retry_now(Device& device, core::Instant now) {
  for (auto& [key, refusal] : device.refused) refusal.retry_at = std::min(refusal.retry_at, now);
}

void Keeper::on_link(const LinkEvent& event, core::Instant now) {
  const auto note = [&](const Link& link) {
    if (owners_.any_on(link.name)) dirty_names_.insert(link.name);
    const auto device = devices_.find(link.index);
    if (device == devices_.end()) return;
    retry_now(device->second, now);
    dirty_.insert(link.index);
  };
  if (const auto* appeared = std::get_if<LinkAppeared>(&event)) {
    note(appeared->link);
  } else if (const auto* changed = std::get_if<LinkChanged>(&event)) {
    note(changed->before);
    note(changed->after);
  } else if (const auto* vanished = std::get_if<LinkVanished>(&event)) {
    if (owners_.any_on(vanished->link.name)) dirty_names_.insert(vanished->link.name);
    const auto device = devices_.find(vanished->link.index);
    if (device == devices_.end()) return;
    for (const Trait trait : {Trait::ours, Trait::left}) {
      for (const AddressKey& key : device->second.standings.all(trait))
        note_change(Ownership::ended, device->second.name, key);
    }
    // What the owners held there is lost: say so also where the name lives on elsewhere.
    dirty_names_.insert(device->second.name);
    devices_.erase(device);
  }
}

void Keeper::on_address(const AddressEvent& event, const Mirror& mirror, core::Instant now) {
  const Address& address = address_of(event);
  const Link* link = mirror.links.find(address.interface);
  if (link != nullptr && owners_.any_on(link->name)) dirty_.insert(link->index);
  const auto device = devices_.find(address.interface);
  if (device == devices_.end()) return;
  dirty_.insert(address.interface);
  // Somebody else's address came or went: what it was in the way of may succeed now.
  const bool came_or_went = !std::holds_alternative<AddressChanged>(event);
  if (came_or_went && !device->second.standings.has(address.key(), Trait::ours)) {
    retry_now(device->second, now);
  }
}

void Keeper::on_results(const Batch& batch, const std::vector<StepResult>& results,
                        const Mirror& mirror, core::Instant now) {
  HOLDFAST_ASSERT(batch.steps.size() == results.size(), "every step has one answer");
  const auto found = devices_.find(batch.index);
  if (found == devices_.end()) return;  // the interface is gone, and everything on it
  Device& device = found->second;
  device.in_flight = false;
  for (std::size_t at = 0; at < results.size(); ++at) {
    const Step& step = batch.steps[at];
    const StepResult& result = results[at];
    const AddressKey key = step.address.key();
    if (result.system_errno == 0) continue;
    if (is_harmless(step, result.system_errno)) {
      // Somebody was a moment quicker, and it is his.
      const Address* there = mirror.addresses.find(key);
      const bool is_ours = there == nullptr || there->protocol == kProtocolHoldfast;
      if (step.kind == StepKind::add && !is_ours) disown(device, key);
      continue;
    }
    ++counters_.failures;
    std::string sentence = explain(step, batch.interface, result.system_errno, result.text);
    if (pause(device, key, sentence, now)) notices_.emplace_back(Refused{std::move(sentence)});
  }
  dirty_.insert(batch.index);
}

}  // namespace holdfast::netlink
