// From wishes to batches, and from what was read back to what is held.
#include "netlink_reflector/core/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kDoesNotStay = "somebody removes it as fast as it is put back";

}  // namespace

bool Keeper::has_work() const {
  return !dirty_.empty() || !dirty_names_.empty() || !notices_.empty() || recheck_ ||
         (sweep_ == Sweep::due && inherited_);
}

void Keeper::work(const Mirror& mirror, core::Instant now, std::vector<Batch>& batches,
                  std::vector<Notice>& notices) {
  adopt_leftovers(mirror);
  answer_wishes(mirror, now);
  for (const InterfaceIndex index : std::exchange(dirty_, {})) {
    work_on(index, mirror, now, batches);
  }
  // Whoever has a batch out is looked at again when its results make the interface dirty.
  std::erase_if(unsettled_, [&](const core::RouterKey& key) {
    Owner& owner = owners_[key];
    if (!is_settled(owner)) return false;
    report(key, owner, mirror);
    return true;
  });
  recheck_ = false;
  for (Notice& notice : std::exchange(notices_, {})) notices.push_back(std::move(notice));
}

/// Which interfaces have to be looked at: those that wishes name, and those with a retry that is
/// due.
void Keeper::answer_wishes(const Mirror& mirror, core::Instant now) {
  for (const auto& [name, address] : std::exchange(wished_, {})) {
    const Link* link = mirror.links.find(std::string_view(name));
    const auto device = link == nullptr ? devices_.end() : devices_.find(link->index);
    if (device == devices_.end()) continue;
    for (const AddressKey& key :
         device->second.standings.all_at(link->index, address, Trait::let_go))
      device->second.standings.remove(key, Trait::let_go);
    auto& refused = device->second.refused;
    for (auto at = refused.lower_bound({link->index, address, 0, {}});
         at != refused.end() && at->first.address == address; ++at) {
      at->second.retry_at = now;
      at->second.pause = {};
    }
  }
  for (const std::string& name : std::exchange(dirty_names_, {})) {
    const Link* link = mirror.links.find(std::string_view(name));
    if (link == nullptr) {
      unsettle_all(name);
    } else {
      dirty_.insert(link->index);
    }
  }
  for (const auto& [index, device] : devices_) {
    for (const auto& [key, refusal] : device.refused) {
      if (refusal.retry_at <= now) dirty_.insert(index);
    }
  }
}

std::optional<core::Instant> Keeper::deadline() const {
  std::optional<core::Instant> earliest;
  for (const auto& [index, device] : devices_) {
    if (device.in_flight) continue;  // its results make it dirty
    for (const auto& [key, refusal] : device.refused) {
      if (!earliest || refusal.retry_at < *earliest) earliest = refusal.retry_at;
    }
  }
  return earliest;
}

/// The list on record says under which name a successor finds the interface.
void Keeper::rename(Device& device, const std::string& name) {
  unsettle_all(device.name);
  device.name = name;
  for (const Trait trait : {Trait::ours, Trait::left}) {
    for (const AddressKey& key : device.standings.all(trait))
      note_change(Ownership::began, name, key);
  }
}

void Keeper::work_on(InterfaceIndex index, const Mirror& mirror, core::Instant now,
                     std::vector<Batch>& batches) {
  const Link* link = mirror.links.find(index);
  if (link == nullptr) return;  // on_link has forgotten it
  Device& device = device_of(*link);
  if (device.name != link->name) rename(device, link->name);
  if (device.in_flight) return;  // its results make it dirty again

  const std::vector<Address> actual = mirror.addresses.on(index);
  adopt_marked(device, actual);
  Wish wish = wish_on(*link, device, mirror.addresses, now);
  if (let_go(device, wish, mirror.addresses)) wish = wish_on(*link, device, mirror.addresses, now);
  note_lasting(device, wish);
  adopt_wanted(device, wish);
  std::vector<Step> steps = plan(wish.wanted, actual);
  note_repairs(device, steps);
  if (give_up(device, steps, now)) {
    wish = wish_on(*link, device, mirror.addresses, now);
    steps = plan(wish.wanted, actual);
  }
  if (!steps.empty()) {
    launch(*link, device, std::move(steps), batches);
    return;
  }
  device.rounds = 0;
  read_back(*link, device, wish, actual, now);
}

/// A leftover that somebody wants is taken over before the others are judged.
void Keeper::adopt_wanted(Device& device, const Wish& wish) {
  for (const AddressKey& key : device.standings.all(Trait::left)) {
    if (!wish.all.contains(key)) continue;
    own(device, key);
    device.standings.remove(key, Trait::left);
  }
}

/// The record says which addresses outlive whoever serves: a release leaves them.
void Keeper::note_lasting(Device& device, const Wish& wish) {
  const auto tell_again = [&](const AddressKey& key) {
    if (device.standings.is_owned(key)) note_change(Ownership::began, device.name, key);
  };
  for (const AddressKey& key : wish.lasting)
    if (device.standings.add(key, Trait::lasting)) tell_again(key);
  for (const AddressKey& key : device.standings.all(Trait::lasting)) {
    if (wish.lasting.contains(key) || device.standings.has(key, Trait::left)) continue;
    device.standings.remove(key, Trait::lasting);
    tell_again(key);
  }
}

/// Nobody but us gives an address our mark. One that an owner wants, or has let go, and that we
/// believed gone, as after lost events, is no stranger's.
void Keeper::adopt_marked(Device& device, const std::vector<Address>& actual) {
  if (!marks_are_ours_) return;
  for (const Address& address : actual) {
    if (address.protocol != kProtocolHoldfast) continue;
    const AddressKey key = address.key();
    if (!device.standings.is_owned(key) && is_held_or_leaving(device.name, key)) own(device, key);
  }
}

/// Leaves out what is there without us, which is used as it is, and what waits for its retry.
Keeper::Wish Keeper::wish_on(const Link& link, const Device& device, const AddressTable& addresses,
                             core::Instant now) const {
  const auto waits = [&](const AddressKey& key) {
    const auto refusal = device.refused.find(key);
    return refusal != device.refused.end() && refusal->second.retry_at > now;
  };
  Wish wish;
  for (const Owners::Entry* owner : owners_.on(link.name)) {
    for (const DesiredAddress& desired : owner->second.desired) {
      if (desired.interface != link.name) continue;
      Address address = resolve(desired, link);
      const AddressKey key = address.key();
      const auto [placed, is_first] = wish.all.emplace(key, std::move(address));
      const bool is_foreign = addresses.find(key) != nullptr && !device.standings.is_owned(key);
      if (desired.when_taken == WhenTaken::stay_away) wish.may_go.insert(key);
      if (owner->first == kDirector) wish.lasting.insert(key);
      if (is_first && !is_foreign && !waits(key) && !device.standings.has(key, Trait::let_go))
        wish.wanted.present.push_back(placed->second);
    }
  }
  for (const AddressKey& key : device.standings.all(Trait::ours)) {
    if (!waits(key)) wish.wanted.absent.push_back(key);
  }
  return wish;
}

/// Notes what was held and may stay away, and is gone. True when there is something new.
bool Keeper::let_go(Device& device, const Wish& wish, const AddressTable& addresses) {
  bool any = false;
  for (const AddressKey& key : wish.may_go) {
    if (!device.standings.has(key, Trait::held) || addresses.find(key) != nullptr) continue;
    any = device.standings.add(key, Trait::let_go) || any;
  }
  return any;
}

void Keeper::note_repairs(Device& device, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const AddressKey key = step.address.key();
    if (step.kind == StepKind::add && device.standings.has(key, Trait::held))
      device.standings.add(key, Trait::repairing);
  }
}

/// True when some of the steps were put off: the rest goes on without them.
bool Keeper::give_up(Device& device, const std::vector<Step>& steps, core::Instant now) {
  const bool is_endless = device.rounds >= kMaxRounds;
  if (steps.empty() || (!is_endless && !is_fought_over(device, now))) return false;
  for (const Step& step : steps) {
    const AddressKey key = step.address.key();
    if (!is_endless && !device.standings.has(key, Trait::repairing)) continue;
    pause(device, key, fmt::format("{}: {}", step.address.prefix.to_string(), kDoesNotStay), now);
  }
  device.rounds = 0;
  return true;
}

bool Keeper::is_fought_over(Device& device, core::Instant now) const {
  if (device.standings.count(Trait::repairing) == 0) return false;
  auto& times = device.repaired_at;
  while (!times.empty() && times.front() + kRepairWindow <= now) times.pop_front();
  return times.size() >= kMaxRepairs;
}

/// True when the reason is new.
bool Keeper::pause(Device& device, const AddressKey& key, std::string sentence, core::Instant now) {
  Refusal& refusal = device.refused[key];
  refusal.pause = refusal.pause == core::Duration{} ? retry_after_
                                                    : std::min(refusal.pause * 2, kMaxRetryAfter);
  refusal.retry_at = now + refusal.pause;
  if (refusal.sentence == sentence) return false;
  refusal.sentence = std::move(sentence);
  device.changed.insert(key.address);
  return true;
}

void Keeper::launch(const Link& link, Device& device, std::vector<Step> steps,
                    std::vector<Batch>& batches) {
  for (const Step& step : steps) {
    if (step.kind == StepKind::add) own(device, step.address.key());
  }
  device.in_flight = true;
  ++device.rounds;
  batches.push_back({link.index, link.name, std::move(steps)});
}

void Keeper::read_back(const Link& link, Device& device, const Wish& wish,
                       const std::vector<Address>& actual, core::Instant now) {
  std::map<AddressKey, const Address*> there;
  for (const Address& address : actual) there.emplace(address.key(), &address);

  std::set<AddressKey> held;
  for (const auto& [key, address] : wish.all) {
    const auto found = there.find(key);
    if (found == there.end()) continue;
    const bool is_foreign = !device.standings.has(key, Trait::ours);
    if (is_foreign) note_foreign(device, key, found->second->prefix);
    if (is_foreign || satisfies(*found->second, address)) held.insert(key);
  }
  count_repairs(device, wish, held, now);

  const auto is_gone = [&](const AddressKey& key) { return !there.contains(key); };
  device.standings.remove_if(Trait::foreign, is_gone);
  for (const AddressKey& key : device.standings.all(Trait::ours)) {
    if (is_gone(key)) disown(device, key);
  }
  std::erase_if(device.refused, [&](const auto& entry) {
    const AddressKey& key = entry.first;
    const bool is_open = wish.all.contains(key)
                             ? !held.contains(key) && !device.standings.has(key, Trait::let_go)
                             : device.standings.has(key, Trait::ours);
    if (!is_open) device.changed.insert(key.address);
    return !is_open;
  });

  std::set<core::IpAddress> changed = std::exchange(device.changed, {});
  for (const AddressKey& key : device.standings.all(Trait::held)) {
    if (held.contains(key)) continue;
    device.standings.remove(key, Trait::held);
    changed.insert(key.address);
  }
  for (const AddressKey& key : held) {
    if (device.standings.add(key, Trait::held)) changed.insert(key.address);
  }
  if (!changed.empty()) unsettle_owners(link.name, changed);
}

void Keeper::count_repairs(Device& device, const Wish& wish, const std::set<AddressKey>& held,
                           core::Instant now) {
  bool repaired = false;
  device.standings.remove_if(Trait::repairing, [&](const AddressKey& key) {
    const auto wanted = wish.all.find(key);
    if (wanted == wish.all.end()) return true;
    if (!held.contains(key)) return false;
    ++counters_.repairs;
    repaired = true;
    notices_.emplace_back(
        Repaired{device.name, wanted->second.prefix, owners_of(device.name, key)});
    return true;
  });
  if (repaired) device.repaired_at.push_back(now);
}

void Keeper::unsettle_owners(const std::string& name, const std::set<core::IpAddress>& changed) {
  for (const Owners::Entry* owner : owners_.on(name)) {
    for (const auto* addresses : {&owner->second.desired, &owner->second.leaving}) {
      for (const DesiredAddress& address : *addresses) {
        if (address.interface == name && changed.contains(address.prefix.address)) {
          unsettled_.insert(owner->first);
        }
      }
    }
  }
}

/// The interface of this name is another one, or none: everything on it may be different.
void Keeper::unsettle_all(const std::string& name) {
  for (const Owners::Entry* owner : owners_.on(name)) unsettled_.insert(owner->first);
}

std::vector<core::RouterKey> Keeper::owners_of(const std::string& name,
                                               const AddressKey& key) const {
  std::vector<core::RouterKey> found;
  for (const Owners::Entry* owner : owners_.on(name)) {
    const DesiredAddresses& desired = owner->second.desired;
    if (std::any_of(desired.begin(), desired.end(), [&](const DesiredAddress& address) {
          return address.interface == name && is_at(address, key);
        })) {
      found.push_back(owner->first);
    }
  }
  return found;
}

}  // namespace holdfast::netlink
