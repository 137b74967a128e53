// What owners are told about their addresses, and which address adverts come from.
#include "netlink_reflector/core/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::netlink {

std::size_t Publication::placed() const {
  return static_cast<std::size_t>(std::count_if(addresses.begin(), addresses.end(),
                                                [](const HeldAddress& one) { return one.held; }));
}

std::size_t Publication::wished() const {
  return static_cast<std::size_t>(std::count_if(
      addresses.begin(), addresses.end(), [](const HeldAddress& one) { return !one.let_go; }));
}

std::string_view Publication::first_problem() const {
  const auto found = std::find_if(addresses.begin(), addresses.end(),
                                  [](const HeldAddress& one) { return !one.problem.empty(); });
  return found == addresses.end() ? std::string_view{} : found->problem;
}

namespace {

/// Nothing to say about any address: held, and by us, or not there any more.
bool is_well(const Publication& publication) {
  return publication.complete &&
         std::all_of(publication.addresses.begin(), publication.addresses.end(),
                     [&](const HeldAddress& one) {
                       return one.held == publication.wanted && !one.foreign && !one.let_go &&
                              one.problem.empty();
                     });
}

}  // namespace

/// No batch is out that has to do with its addresses, by the interface's name or under a new one.
bool Keeper::is_settled(const Owner& owner) const {
  for (const auto& [index, device] : devices_) {
    if (!device.in_flight) continue;
    for (const auto* addresses : {&owner.desired, &owner.leaving}) {
      for (const DesiredAddress& address : *addresses) {
        if (device.name == address.interface) return false;
      }
    }
    const auto is_still_ours = [&on = device, at = index](const DesiredAddress& address) {
      return !on.standings.all_at(at, address.prefix.address, Trait::ours).empty();
    };
    if (std::any_of(owner.leaving.begin(), owner.leaving.end(), is_still_ours)) return false;
  }
  return true;
}

void Keeper::report(const core::RouterKey& key, Owner& owner, const Mirror& mirror) {
  Publication now = publication(key, mirror);
  const Told told = is_well(now) ? Told::all_is_well : Told::other;
  // Without a new wish both lists are of the same addresses.
  if (!owner.report_due) {
    const bool is_known =
        owner.told == Told::nothing ||
        (owner.told == told && (told == Told::all_is_well || *owner.told_other == now));
    if (is_known) return;
  }
  bool is_loss = false;
  if (!owner.report_due && now.wanted) {
    for (std::size_t at = 0; at < now.addresses.size(); ++at) {
      const bool was_held = owner.told == Told::all_is_well || owner.told_other->addresses[at].held;
      is_loss = is_loss || (was_held && !now.addresses[at].held);
    }
  }
  owner.report_due = false;
  owner.told = told;
  owner.told_other.reset();
  if (told == Told::other) owner.told_other = now;
  if (is_loss) {
    notices_.emplace_back(Lost{key, std::move(now)});
  } else {
    notices_.emplace_back(Published{key, std::move(now)});
  }
}

Publication Keeper::publication(const core::RouterKey& owner, const Mirror& mirror) const {
  Publication result;
  const Owner* const found = owners_.find(owner);
  if (found == nullptr) return result;
  const Owner& state = *found;
  result.wanted = state.wanted;
  result.complete = true;
  const auto& addresses = state.wanted            ? state.desired
                          : state.leaving.empty() ? state.claimed
                                                  : state.leaving;
  for (const DesiredAddress& desired : addresses) {
    HeldAddress& entry =
        result.addresses.emplace_back(HeldAddress{desired, false, false, false, {}});
    const Link* link = mirror.links.find(std::string_view(desired.interface));
    if (link != nullptr) {
      describe_wanted(entry, *link, mirror.addresses);
    } else if (state.wanted) {
      entry.problem = fmt::format("there is no interface {}", desired.interface);
    }
    if (!state.wanted) {
      result.complete = result.complete && !lingers(desired);
      continue;
    }
    if (!entry.held && !entry.let_go && entry.problem.empty()) {
      entry.problem = fmt::format("{} is not there", describe(desired));
    }
    result.complete = result.complete && (entry.held || entry.let_go) && entry.problem.empty();
  }
  return result;
}

void Keeper::describe_wanted(HeldAddress& entry, const Link& link,
                             const AddressTable& addresses) const {
  const AddressKey key = resolve(entry.desired, link).key();
  entry.held = addresses.find(key) != nullptr;
  const auto device = devices_.find(link.index);
  if (device == devices_.end()) {
    entry.foreign = entry.held;
    return;
  }
  entry.foreign = entry.held && !device->second.standings.is_owned(key);
  entry.let_go = !entry.held && device->second.standings.has(key, Trait::let_go);
  const auto refusal = device->second.refused.find(key);
  if (refusal != device->second.refused.end()) entry.problem = refusal->second.sentence;
}

/// Something of ours under this address is on an interface although nobody wants it there.
bool Keeper::lingers(const DesiredAddress& address) const {
  for (const auto& [index, device] : devices_) {
    for (const AddressKey& key :
         device.standings.all_at(index, address.prefix.address, Trait::ours)) {
      if (!is_wanted(device.name, key)) return true;
    }
  }
  return false;
}

bool Keeper::is_wanted(const std::string& name, const AddressKey& key) const {
  return !owners_of(name, key).empty();
}

bool Keeper::is_held_or_leaving(const std::string& name, const AddressKey& key) const {
  const auto is_it = [&](const DesiredAddress& address) {
    return address.interface == name && is_at(address, key);
  };
  const auto& there = owners_.on(name);
  return std::any_of(there.begin(), there.end(), [&](const Owners::Entry* entry) {
    const Owner& owner = entry->second;
    return std::any_of(owner.desired.begin(), owner.desired.end(), is_it) ||
           std::any_of(owner.leaving.begin(), owner.leaving.end(), is_it);
  });
}

/// The director's own, and no instance's: it stays, whoever is master.
bool Keeper::is_fixed(const std::string& name, const AddressKey& key) const {
  const auto is_it = [&](const DesiredAddress& address) {
    return address.interface == name && is_at(address, key);
  };
  bool is_the_directors = false;
  for (const Owners::Entry* entry : owners_.on(name)) {
    const Owner& owner = entry->second;
    const bool is_claimed = std::any_of(owner.claimed.begin(), owner.claimed.end(), is_it) ||
                            std::any_of(owner.desired.begin(), owner.desired.end(), is_it);
    if (is_claimed && entry->first != kDirector) return false;
    is_the_directors = is_the_directors || is_claimed;
  }
  return is_the_directors;
}

std::optional<core::IpAddress> Keeper::source(const Mirror& mirror, InterfaceIndex index,
                                              core::Family family) const {
  const Link* link = mirror.links.find(index);
  if (link == nullptr) return std::nullopt;
  std::vector<Address> own = mirror.addresses.on(index);
  if (const auto device = devices_.find(index); device != devices_.end()) {
    std::erase_if(own, [&](const Address& address) {
      return device->second.standings.is_owned(address.key()) &&
             !is_fixed(link->name, address.key());
    });
  }
  std::vector<core::IpAddress> movable;
  for (const Owners::Entry* entry : owners_.on(link->name)) {
    if (entry->first == kDirector) continue;
    for (const auto* addresses : {&entry->second.claimed, &entry->second.desired}) {
      for (const DesiredAddress& address : *addresses) {
        if (address.interface == link->name) movable.push_back(address.prefix.address);
      }
    }
  }
  if (const auto first = choose_source(own, family, movable)) return first;
  // The address owner's: what the host has from before is claimed, and there is nothing else.
  return choose_source(own, family, {});
}

bool Keeper::is_ours(const core::IpAddress& address) const {
  return std::ranges::any_of(devices_, [&](const auto& each) {
    const auto& [index, device] = each;
    return !device.standings.all_at(index, address, Trait::ours).empty() ||
           !device.standings.all_at(index, address, Trait::left).empty();
  });
}

}  // namespace holdfast::netlink
