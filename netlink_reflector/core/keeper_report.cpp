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

/// No batch is out that has to do with its addresses, by the interface's name or under a new one.
bool Keeper::is_settled(const Owner& owner) const {
  for (const auto& [index, device] : devices_) {
    if (!device.in_flight) continue;
    for (const auto* addresses : {&owner.desired, &owner.leaving}) {
      for (const DesiredAddress& address : *addresses) {
        if (device.name == address.interface) return false;
      }
    }
    const auto is_still_ours = [&on = device, link = index](const DesiredAddress& address) {
      const auto at = on.ours.lower_bound({link, address.prefix.address, 0, {}});
      return at != on.ours.end() && at->address == address.prefix.address;
    };
    if (std::any_of(owner.leaving.begin(), owner.leaving.end(), is_still_ours)) return false;
  }
  return true;
}

void Keeper::report(const core::RouterKey& key, Owner& owner, const Mirror& mirror) {
  Publication now = publication(key, mirror);
  if (!owner.report_due && (!owner.last || *owner.last == now)) return;
  // Without a new wish both lists are of the same addresses.
  bool is_loss = false;
  if (!owner.report_due && now.wanted) {
    for (std::size_t at = 0; at < now.addresses.size(); ++at) {
      is_loss = is_loss || (owner.last->addresses[at].held && !now.addresses[at].held);
    }
  }
  if (is_loss) {
    notices_.emplace_back(Lost{key, now});
  } else {
    notices_.emplace_back(Published{key, now});
  }
  owner.report_due = false;
  owner.last = std::move(now);
}

Publication Keeper::publication(const core::RouterKey& owner, const Mirror& mirror) const {
  Publication result;
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return result;
  const Owner& state = found->second;
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
  entry.foreign =
      entry.held && !device->second.ours.contains(key) && !device->second.leftovers.contains(key);
  entry.let_go = !entry.held && device->second.let_go.contains(key);
  const auto refusal = device->second.refused.find(key);
  if (refusal != device->second.refused.end()) entry.problem = refusal->second.sentence;
}

/// Something of ours under this address is on an interface although nobody wants it there.
bool Keeper::lingers(const DesiredAddress& address) const {
  for (const auto& [index, device] : devices_) {
    for (auto at = device.ours.lower_bound({index, address.prefix.address, 0, {}});
         at != device.ours.end() && at->address == address.prefix.address; ++at) {
      if (!is_wanted(device.name, *at)) return true;
    }
  }
  return false;
}

bool Keeper::is_wanted(const std::string& name, const AddressKey& key) const {
  return !owners_of(name, key).empty();
}

std::optional<core::IpAddress> Keeper::source(const Mirror& mirror, InterfaceIndex index,
                                              core::Family family) const {
  const Link* link = mirror.links.find(index);
  if (link == nullptr) return std::nullopt;
  std::vector<Address> own = mirror.addresses.on(index);
  if (const auto device = devices_.find(index); device != devices_.end()) {
    std::erase_if(own, [&](const Address& address) {
      return device->second.ours.contains(address.key()) ||
             device->second.leftovers.contains(address.key());
    });
  }
  std::vector<core::IpAddress> movable;
  if (const auto enrolled = enrolled_.find(link->name); enrolled != enrolled_.end()) {
    for (const core::RouterKey& owner : enrolled->second) {
      const Owner& state = owners_.at(owner);
      for (const auto* addresses : {&state.claimed, &state.desired}) {
        for (const DesiredAddress& address : *addresses) {
          if (address.interface == link->name) movable.push_back(address.prefix.address);
        }
      }
    }
  }
  if (const auto first = choose_source(own, family, movable)) return first;
  // The address owner's: what the host has from before is claimed, and there is nothing else.
  return choose_source(own, family, {});
}

}  // namespace holdfast::netlink
