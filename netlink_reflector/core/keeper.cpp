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

bool contains(const std::vector<DesiredAddress>& addresses, const DesiredAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// Not one of ours: we never give an address a peer.
bool is_listed(const Address& address, const Link& link, const OwnedList& listed) {
  const AddressKey key = address.key();
  return !address.peer &&
         listed.all().contains({key.interface, key.address, key.length, link.name});
}

}  // namespace

// ---- wishes ----

void Keeper::claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  enroll(owner, addresses);
  touch(addresses);
  owners_[owner].claimed = std::move(addresses);
}

void Keeper::hold(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  enroll(owner, addresses);
  Owner& state = owners_[owner];
  touch(state.desired);
  touch(addresses);
  forget_held(state.desired, addresses);
  state.desired = std::move(addresses);
  state.leaving.clear();
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
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  touch(found->second.desired);
  forget_held(found->second.desired, {});
  owners_.erase(found);
  unsettled_.erase(owner);
  for (auto& [name, owners] : enrolled_) std::erase(owners, owner);
}

void Keeper::sweep_leftovers() {
  if (sweep_ == Sweep::unasked) sweep_ = Sweep::due;
}

void Keeper::touch(const std::vector<DesiredAddress>& addresses) {
  for (const DesiredAddress& address : addresses) {
    dirty_names_.insert(address.interface);
    wished_.emplace(address.interface, address.prefix.address);
  }
}

void Keeper::enroll(const core::RouterKey& owner, const std::vector<DesiredAddress>& addresses) {
  for (const DesiredAddress& address : addresses) {
    std::vector<core::RouterKey>& owners = enrolled_[address.interface];
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
}

/// What we change ourselves is no repair afterwards.
void Keeper::forget_held(const std::vector<DesiredAddress>& before,
                         const std::vector<DesiredAddress>& after) {
  for (const DesiredAddress& address : before) {
    if (contains(after, address)) continue;
    const auto is_it = [&](const AddressKey& key) { return key.address == address.prefix.address; };
    for (auto& [index, device] : devices_) {
      if (device.name != address.interface) continue;
      std::erase_if(device.held, is_it);
      std::erase_if(device.repairing, is_it);
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
  if (device.ours.insert(key).second) note_change(Ownership::began, device.name, key);
}

void Keeper::disown(Device& device, const AddressKey& key) {
  if (device.ours.erase(key) != 0) note_change(Ownership::ended, device.name, key);
}

void Keeper::note_change(Ownership what, const std::string& interface, const AddressKey& key) {
  owned_changes_.push_back({what, {key.interface, key.address, key.length, interface}});
}

std::vector<OwnedChange> Keeper::take_owned_changes() {
  return std::exchange(owned_changes_, {});
}

std::size_t Keeper::owned_count() const {
  std::size_t count = 0;
  for (const auto& [index, device] : devices_)
    count += device.ours.size() + device.leftovers.size();
  return count;
}

// ---- leftovers ----

void Keeper::inherit(const OwnedList& listed, OtherKeepers others, const Mirror& mirror) {
  inherited_ = true;
  for (const Link& link : mirror.links.all()) {
    for (const Address& address : mirror.addresses.on(link.index)) {
      const bool marked = address.protocol == kProtocolHoldfast && others == OtherKeepers::none;
      if (marked || is_listed(address, link, listed)) {
        device_of(link).leftovers.insert(address.key());
      }
    }
  }
  // What is not there any more must not be taken for ours when somebody else adds it.
  for (const OwnedAddress& listed_address : listed.all()) {
    if (!is_left(listed_address)) owned_changes_.push_back({Ownership::ended, listed_address});
  }
}

bool Keeper::is_left(const OwnedAddress& listed) const {
  const auto device = devices_.find(listed.index);
  return device != devices_.end() &&
         std::any_of(device->second.leftovers.begin(), device->second.leftovers.end(),
                     [&](const AddressKey& key) {
                       return key.address == listed.address && key.length == listed.length;
                     });
}

/// Every owner has said what it claims and what it holds: leftovers are ours, so whatever nobody
/// holds goes.
void Keeper::adopt_leftovers(const Mirror& mirror) {
  if (sweep_ != Sweep::due || !inherited_) return;
  sweep_ = Sweep::done;
  for (auto& [index, device] : devices_) {
    for (const AddressKey& key : std::exchange(device.leftovers, {})) {
      adopt(device, key, mirror);
    }
  }
  for (const auto& [key, owner] : owners_) {
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
    if (key.address != claimed.prefix.address || address.peer || device.ours.contains(key)) {
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
  if (device.foreign.insert(key).second) notices_.emplace_back(Foreign{device.name, prefix});
}

// ---- what happened ----

/// The pause goes on growing: a carrier that flaps must not bring back the quick retries.
void Keeper::retry_now(Device& device, core::Instant now) {
  for (auto& [key, refusal] : device.refused) refusal.retry_at = std::min(refusal.retry_at, now);
}

void Keeper::on_link(const LinkEvent& event, core::Instant now) {
  const auto note = [&](const Link& link) {
    if (enrolled_.contains(link.name)) dirty_names_.insert(link.name);
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
    if (enrolled_.contains(vanished->link.name)) dirty_names_.insert(vanished->link.name);
    const auto device = devices_.find(vanished->link.index);
    if (device == devices_.end()) return;
    for (const auto* keys : {&device->second.ours, &device->second.leftovers}) {
      for (const AddressKey& key : *keys) {
        note_change(Ownership::ended, device->second.name, key);
      }
    }
    // What the owners held there is lost: say so also where the name lives on elsewhere.
    dirty_names_.insert(device->second.name);
    devices_.erase(device);
  }
}

void Keeper::on_address(const AddressEvent& event, const Mirror& mirror, core::Instant now) {
  const Address& address = address_of(event);
  const Link* link = mirror.links.find(address.interface);
  if (link != nullptr && enrolled_.contains(link->name)) dirty_.insert(link->index);
  const auto device = devices_.find(address.interface);
  if (device == devices_.end()) return;
  dirty_.insert(address.interface);
  // Somebody else's address came or went: what it was in the way of may succeed now.
  const bool came_or_went = !std::holds_alternative<AddressChanged>(event);
  if (came_or_went && !device->second.ours.contains(address.key())) {
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
