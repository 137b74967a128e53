#include "tests/sim/situation.hpp"

#include <algorithm>

namespace holdfast::sim {

using namespace vrrp;

namespace {

bool can_place_something(const Machine& machine, const InstanceSettings& settings) {
  const AddressList all = settings.all_addresses();
  return std::any_of(all.begin(), all.end(), [&](const VirtualAddress& address) {
    return !machine.kernel().refuses(address.prefix.address);
  });
}

bool has_peers(const Instance& one) {
  if (!one.settings().unicast) return true;
  const auto source = one.source_address();
  const auto& peers = one.settings().unicast->peers;
  return std::any_of(peers.begin(), peers.end(),
                     [&](const UnicastPeer& peer) { return peer.address != source; });
}

/// Multicast needs no list.
bool lists(const Instance& one, const Instance& other) {
  const auto source = other.source_address();
  if (!one.settings().unicast || !source) return true;
  const auto& peers = one.settings().unicast->peers;
  return std::any_of(peers.begin(), peers.end(),
                     [&](const UnicastPeer& peer) { return peer.address == *source; });
}

}  // namespace

void Situation::trouble_begins(bool on_the_wire) {
  ++troubles_;
  if (on_the_wire) ++wire_troubles_;
  changed();
}

void Situation::trouble_ends(bool on_the_wire) {
  --troubles_;
  if (on_the_wire) --wire_troubles_;
  changed();
}

void Situation::changed() {
  last_change_ = world_.now();
  leaver_ = nullptr;
}

void Situation::stops(const Machine& machine) {
  const bool in_peace = is_calm();
  changed();
  if (in_peace) leaver_ = &machine;
}

void Situation::note_the_unable() {
  for (const auto& machine : machines) {
    if (unable_.contains(machine.get())) continue;
    bool is_unable = machine->sending_fails();
    for (std::size_t number = 0; machine->kernel().refuses_any() && number < routers.size();
         ++number) {
      const Instance* one = instance(*machine, number);
      is_unable |= one != nullptr && !can_place_something(*machine, one->settings());
    }
    if (is_unable) unable_.insert(machine.get());
  }
}

std::optional<std::size_t> Situation::number_of(const core::IpAddress& address) const {
  for (std::size_t number = 0; number < routers.size(); ++number) {
    const auto& pool = routers[number].pool;
    if (std::find(pool.begin(), pool.end(), address) != pool.end()) return number;
  }
  return std::nullopt;
}

const Instance* Situation::instance(const Machine& machine, std::size_t number) const {
  const Child* child = machine.child();
  if (child == nullptr || !child->runs() || !child->is_committed()) return nullptr;
  for (const Instance* instance : child->router().instances()) {
    if (!instance->is_being_removed() && number_of(instance->settings()) == number) return instance;
  }
  return nullptr;
}

bool Situation::is_eligible(const Machine& machine, std::size_t number) const {
  if (!is_grouped(number)) return could_serve(machine, number);
  for (std::size_t other = 0; other < routers.size(); ++other)
    if (!could_serve(machine, other)) return false;
  return true;
}

bool Situation::is_grouped(std::size_t number) const {
  return std::any_of(machines.begin(), machines.end(), [&](const auto& machine) {
    const Instance* one = instance(*machine, number);
    return one != nullptr && !one->settings().sync_group.empty();
  });
}

bool Situation::has_crossed_priorities() const {
  std::set<std::uint8_t> of_all;
  for (const auto& machine : machines) {
    std::set<std::uint8_t> of_one;
    for (std::size_t number = 0; number < routers.size(); ++number) {
      const Instance* one = instance(*machine, number);
      if (one != nullptr && !one->settings().sync_group.empty())
        of_one.insert(one->effective_priority());
    }
    // Where they are equal the addresses decide, on each network for itself.
    if (of_one.size() > 1 || (!of_one.empty() && !of_all.insert(*of_one.begin()).second))
      return true;
  }
  return false;
}

bool Situation::could_serve(const Machine& machine, std::size_t number) const {
  const Instance* one = instance(machine, number);
  if (one == nullptr || !machine.is_settled() || machine.sending_fails()) return false;
  for (const Tracker& each : one->settings().trackers)
    if (!fault_of(each, {{each.id, machine.truth_of(each.id)}}).empty()) return false;
  const Kernel::Card* card = machine.kernel().card_on(routers[number].wire);
  if (card == nullptr || !card->link.is_usable() || card->link.name != one->key().interface)
    return false;
  const bool has_setback = one->setback() && now() < one->setback()->until + settle_bound;
  if (has_setback && was_unable(machine)) return false;
  return has_source(machine, routers[number].wire, one->settings()) && has_peers(*one) &&
         can_place_something(machine, one->settings());
}

bool Situation::has_source(const Machine& machine, std::size_t wire,
                           const InstanceSettings& settings) {
  const Kernel& kernel = machine.kernel();
  const bool is_v4 = settings.family == core::Family::v4;
  const auto& wanted = settings.source_address;
  if (wanted && is_v4 && !settings.unicast && settings.source_tracking == SourceTracking::no)
    return true;
  const Kernel::Card* card = kernel.card_on(wire);
  if (card == nullptr) return false;
  return std::any_of(card->addresses.begin(), card->addresses.end(),
                     [&](const netlink::Address& one) {
                       const core::IpAddress& address = one.prefix.address;
                       if (one.flags & netlink::kFlagTentative) return false;
                       if (wanted) return address == *wanted;
                       return address.is_v4() == is_v4 && (is_v4 || address.is_link_local()) &&
                              !kernel.ours().contains(address);
                     });
}

bool Situation::agree_about(std::size_t number) const {
  if (!is_grouped(number)) return agree_about_one(number);
  for (std::size_t other = 0; other < routers.size(); ++other) {
    if (!agree_about_one(other)) return false;
    for (const auto& machine : machines)  // all have the whole group
      if (machine->has_committed_child() && instance(*machine, other) == nullptr) return false;
  }
  return true;
}

bool Situation::agree_about_one(std::size_t number) const {
  std::vector<const Instance*> all;
  for (const auto& machine : machines) {
    const Child* child = machine->child();
    if (child == nullptr || !child->is_committed()) continue;
    for (const Instance* instance : child->router().instances()) {
      if (number_of(instance->settings()) == number) all.push_back(instance);
    }
  }
  return std::all_of(all.begin(), all.end(), [&](const Instance* one) {
    return std::all_of(all.begin(), all.end(), [&](const Instance* other) {
      return one->key().vrid == other->key().vrid &&
             one->key().interface == other->key().interface &&
             (one == other || lists(*one, *other));
    });
  });
}

void Situation::violated(std::string oracle, const std::string& who,
                         const std::string& sentence) const {
  throw Violation{std::move(oracle), now(), who + " " + sentence};
}

}  // namespace holdfast::sim
