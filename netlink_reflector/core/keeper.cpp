#include "netlink_reflector/core/keeper.hpp"

#include "core/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kDoesNotStay = "somebody removes it as fast as it is put back";

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

}  // namespace

// ---- wishes ----

void Keeper::claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  enroll(owner, addresses);
  for (const DesiredAddress& address : addresses) {
    interfaces_[address.interface].to_adopt.push_back(address.prefix.address);
  }
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
  for (auto& [name, interface] : interfaces_) std::erase(interface.owners, owner);
}

/// New work does not wait for an old failure's retry.
void Keeper::touch(const std::vector<DesiredAddress>& addresses) {
  for (const DesiredAddress& address : addresses) {
    Interface& interface = interfaces_[address.interface];
    interface.retry_at.reset();
    interface.refused = false;
    interface.rounds = 0;
    dirty_.insert(address.interface);
  }
}

void Keeper::enroll(const core::RouterKey& owner, const std::vector<DesiredAddress>& addresses) {
  for (const DesiredAddress& address : addresses) {
    std::vector<core::RouterKey>& owners = interfaces_[address.interface].owners;
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
}

/// What we change ourselves is no repair afterwards.
void Keeper::forget_held(const std::vector<DesiredAddress>& before,
                         const std::vector<DesiredAddress>& after) {
  for (const DesiredAddress& address : before) {
    if (contains(after, address)) continue;
    Interface& interface = interfaces_[address.interface];
    const auto is_it = [&](const AddressKey& key) { return key.address == address.prefix.address; };
    std::erase_if(interface.held, is_it);
    std::erase_if(interface.repairing, is_it);
  }
}

// ---- what happened ----

void Keeper::on_link(const LinkEvent& event, core::Instant now) {
  const auto note = [&](const std::string& name) {
    const auto found = interfaces_.find(name);
    if (found == interfaces_.end()) return;
    // A carrier that flaps must not turn every retry into an immediate one.
    if (found->second.retry_at) found->second.retry_at = now;
    dirty_.insert(name);
  };
  if (const auto* appeared = std::get_if<LinkAppeared>(&event)) {
    note(appeared->link.name);
  } else if (const auto* vanished = std::get_if<LinkVanished>(&event)) {
    note(vanished->link.name);
  } else if (const auto* changed = std::get_if<LinkChanged>(&event)) {
    if (changed->before.name != changed->after.name) note(changed->before.name);
    note(changed->after.name);
  }
}

void Keeper::on_address(const AddressEvent& event, const Mirror& mirror) {
  const Address& address = std::visit(
      [](const auto& change) -> const Address& {
        if constexpr (requires { change.after; }) {
          return change.after;
        } else {
          return change.address;
        }
      },
      event);
  const Link* link = mirror.links.find(address.interface);
  if (link != nullptr && interfaces_.contains(link->name)) dirty_.insert(link->name);
}

void Keeper::on_results(const Batch& batch, const std::vector<StepResult>& results) {
  HOLDFAST_ASSERT(batch.steps.size() == results.size(), "every step has one answer");
  Interface& interface = interfaces_[batch.interface];
  interface.in_flight = false;
  for (std::size_t at = 0; at < results.size(); ++at) {
    const Step& step = batch.steps[at];
    const StepResult& result = results[at];
    if (result.system_errno == 0 || is_harmless(step, result.system_errno)) continue;
    ++counters_.failures;
    interface.refused = true;
    const AddressKey key = step.address.key();
    std::string sentence = explain(step, batch.interface, result.system_errno, result.text);
    if (interface.former_problems[key] != sentence) notices_.emplace_back(Refused{sentence});
    interface.problems[key] = std::move(sentence);
  }
  dirty_.insert(batch.interface);
}

// ---- work ----

void Keeper::work(const Mirror& mirror, core::Instant now, std::vector<Batch>& batches,
                  std::vector<Notice>& notices) {
  for (const auto& [name, interface] : interfaces_) {
    if (interface.retry_at && *interface.retry_at <= now) dirty_.insert(name);
  }
  for (const std::string& name : std::exchange(dirty_, {})) {
    Interface& interface = interfaces_[name];
    if (interface.in_flight) continue;  // its results make it dirty again
    if (interface.retry_at && *interface.retry_at > now) continue;
    interface.retry_at.reset();
    work_on(name, interface, mirror, now, batches);
  }
  // Whoever has a batch out is looked at again when its results make the interface dirty.
  std::erase_if(unsettled_, [&](const core::RouterKey& key) {
    Owner& owner = owners_.at(key);
    if (!is_settled(owner)) return false;
    report(key, owner, mirror);
    return true;
  });
  recheck_ = false;
  std::move(notices_.begin(), notices_.end(), std::back_inserter(notices));
  notices_.clear();
}

void Keeper::work_on(const std::string& name, Interface& interface, const Mirror& mirror,
                     core::Instant now, std::vector<Batch>& batches) {
  const Link* link = mirror.links.find(std::string_view(name));
  if (link == nullptr || link->index != interface.index) {
    start_over(interface, link == nullptr ? 0 : link->index);
  }
  if (link == nullptr) {
    unsettle_owners(name, interface, {});
    return;
  }
  const std::vector<Address> actual = mirror.addresses.on(link->index);
  for (const Address& address : actual) {
    const auto& adopt = interface.to_adopt;
    if (!address.peer &&
        std::find(adopt.begin(), adopt.end(), address.prefix.address) != adopt.end()) {
      interface.ours.insert(address.key());
    }
  }
  interface.to_adopt.clear();

  const Wanted wanted = wanted_on(name, interface, *link);
  std::vector<Step> steps = plan(wanted, actual);
  for (const Step& step : steps) {
    const AddressKey key = step.address.key();
    if (step.kind == StepKind::add && interface.held.contains(key)) interface.repairing.insert(key);
  }
  if (steps.empty()) {
    interface.problems.clear();
    interface.refused = false;
    interface.rounds = 0;
  } else if (interface.refused) {
    put_off(interface, steps, "", now);
  } else if (interface.rounds >= kMaxRounds || is_fought_over(interface, now)) {
    put_off(interface, steps, kDoesNotStay, now);
  } else {
    launch(name, interface, std::move(steps), batches);
    return;
  }
  read_back(name, interface, wanted, actual, now);
}

void Keeper::start_over(Interface& interface, InterfaceIndex index) {
  interface.index = index;
  interface.ours.clear();
  interface.held.clear();
  interface.repairing.clear();
  interface.problems.clear();
  interface.former_problems.clear();
  interface.refused = false;
  interface.rounds = 0;
}

bool Keeper::is_fought_over(Interface& interface, core::Instant now) const {
  if (interface.repairing.empty()) return false;
  auto& times = interface.repaired_at;
  while (!times.empty() && times.front() + kRepairWindow <= now) times.pop_front();
  return times.size() >= kMaxRepairs;
}

void Keeper::launch(const std::string& name, Interface& interface, std::vector<Step> steps,
                    std::vector<Batch>& batches) {
  for (const Step& step : steps) {
    if (step.kind == StepKind::add) interface.ours.insert(step.address.key());
  }
  interface.former_problems = std::exchange(interface.problems, {});
  interface.in_flight = true;
  ++interface.rounds;
  batches.push_back({name, std::move(steps)});
}

void Keeper::put_off(Interface& interface, const std::vector<Step>& steps, std::string_view why,
                     core::Instant now) {
  interface.retry_at = now + retry_after_;
  interface.refused = false;
  interface.rounds = 0;
  if (why.empty()) return;
  for (const Step& step : steps) {
    interface.problems.emplace(step.address.key(),
                               fmt::format("{}: {}", step.address.prefix.to_string(), why));
  }
}

void Keeper::read_back(const std::string& name, Interface& interface, const Wanted& wanted,
                       const std::vector<Address>& actual, core::Instant now) {
  std::map<AddressKey, const Address*> there;
  for (const Address& address : actual) there.emplace(address.key(), &address);

  std::set<AddressKey> held;
  std::set<AddressKey> seen;
  for (const Address& address : wanted.present) {
    const AddressKey key = address.key();
    if (!seen.insert(key).second) continue;  // an earlier owner decides
    const auto found = there.find(key);
    if (found != there.end() && satisfies(*found->second, address)) held.insert(key);
  }

  bool repaired = false;
  std::erase_if(interface.repairing, [&](const AddressKey& key) {
    if (!held.contains(key)) return !seen.contains(key);
    ++counters_.repairs;
    repaired = true;
    notices_.emplace_back(Repaired{name, {key.address, key.length}});
    return true;
  });
  if (repaired) interface.repaired_at.push_back(now);

  std::set<core::IpAddress> changed;
  std::vector<AddressKey> difference;
  std::set_symmetric_difference(held.begin(), held.end(), interface.held.begin(),
                                interface.held.end(), std::back_inserter(difference));
  for (const AddressKey& key : difference) changed.insert(key.address);
  for (const auto& [key, problem] : interface.problems) changed.insert(key.address);
  for (const auto& [key, problem] : interface.former_problems) changed.insert(key.address);
  if (!changed.empty()) unsettle_owners(name, interface, changed);

  interface.former_problems = interface.problems;
  std::erase_if(interface.ours, [&](const AddressKey& key) { return !there.contains(key); });
  interface.ours.insert(held.begin(), held.end());
  interface.held = std::move(held);
}

/// `changed` empty: everything on the interface.
void Keeper::unsettle_owners(const std::string& name, const Interface& interface,
                             const std::set<core::IpAddress>& changed) {
  for (const core::RouterKey& owner : interface.owners) {
    const Owner& state = owners_.at(owner);
    for (const auto* addresses : {&state.desired, &state.leaving}) {
      for (const DesiredAddress& address : *addresses) {
        if (address.interface == name &&
            (changed.empty() || changed.contains(address.prefix.address))) {
          unsettled_.insert(owner);
        }
      }
    }
  }
}

Wanted Keeper::wanted_on(const std::string& name, const Interface& interface,
                         const Link& link) const {
  Wanted wanted;
  for (const core::RouterKey& owner : interface.owners) {
    for (const DesiredAddress& address : owners_.at(owner).desired) {
      if (address.interface == name) wanted.present.push_back(resolve(address, link));
    }
  }
  wanted.absent.assign(interface.ours.begin(), interface.ours.end());
  return wanted;
}

std::optional<core::Instant> Keeper::deadline() const {
  std::optional<core::Instant> earliest;
  for (const auto& [name, interface] : interfaces_) {
    if (interface.retry_at && (!earliest || *interface.retry_at < *earliest)) {
      earliest = interface.retry_at;
    }
  }
  return earliest;
}

// ---- reports ----

bool Keeper::is_settled(const Owner& owner) const {
  for (const auto* addresses : {&owner.desired, &owner.leaving}) {
    for (const DesiredAddress& address : *addresses) {
      if (interfaces_.at(address.interface).in_flight) return false;
    }
  }
  return true;
}

void Keeper::report(const core::RouterKey& key, Owner& owner, const Mirror& mirror) {
  Publication now = publication(key, mirror);
  if (!owner.report_due && (!owner.last || *owner.last == now)) return;
  const bool was_holding = owner.last && owner.last->wanted && owner.last->complete;
  if (!owner.report_due && was_holding && !now.complete) {
    const auto broken = std::find_if(now.addresses.begin(), now.addresses.end(),
                                     [](const HeldAddress& address) { return !address.held; });
    notices_.emplace_back(Lost{key, broken == now.addresses.end() ? "" : broken->problem});
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
    HeldAddress& entry = result.addresses.emplace_back(HeldAddress{desired, false, {}});
    const Link* link = mirror.links.find(std::string_view(desired.interface));
    if (link == nullptr) {
      if (state.wanted) entry.problem = fmt::format("there is no interface {}", desired.interface);
      result.complete = result.complete && !state.wanted;
      continue;
    }
    const AddressKey key = resolve(desired, *link).key();
    const Interface& interface = interfaces_.at(desired.interface);
    entry.held = mirror.addresses.find(key) != nullptr;
    const auto problem = interface.problems.find(key);
    if (problem != interface.problems.end()) entry.problem = problem->second;
    if (state.wanted) {
      if (!entry.held && entry.problem.empty()) {
        entry.problem = fmt::format("{} is not there", describe(desired));
      }
      result.complete = result.complete && entry.held && entry.problem.empty();
    } else {
      result.complete = result.complete && !(entry.held && interface.ours.contains(key) &&
                                             !is_wanted(key, desired.interface, *link));
    }
  }
  return result;
}

bool Keeper::is_wanted(const AddressKey& key, const std::string& name, const Link& link) const {
  const std::vector<Address> present = wanted_on(name, interfaces_.at(name), link).present;
  return std::any_of(present.begin(), present.end(),
                     [&](const Address& address) { return address.key() == key; });
}

std::vector<core::IpAddress> Keeper::movable_addresses(const std::string& interface) const {
  std::vector<core::IpAddress> addresses;
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return addresses;
  for (const core::RouterKey& owner : found->second.owners) {
    const Owner& state = owners_.at(owner);
    for (const auto* list : {&state.claimed, &state.desired}) {
      for (const DesiredAddress& address : *list) {
        if (address.interface == interface) addresses.push_back(address.prefix.address);
      }
    }
  }
  return addresses;
}

}  // namespace holdfast::netlink
