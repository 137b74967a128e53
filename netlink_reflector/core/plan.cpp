#include "netlink_reflector/core/plan.hpp"

#include "netlink_reflector/core/desired.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace holdfast::netlink {
namespace {

/// The addresses among which the kernel picks a primary; for IPv6 every address is alone.
using Group = std::tuple<core::IpAddress, std::uint8_t>;

Group group_of(const AddressKey& key) {
  return key.address.is_v4() ? Group(key.network, key.length) : Group(key.address, 0);
}

/// What happens inside one group.
struct Changes {
  std::vector<Address> removals;
  std::vector<Address> additions;
};

std::map<AddressKey, Address> index_by_key(std::span<const Address> addresses) {
  std::map<AddressKey, Address> index;
  for (const Address& address : addresses) index.emplace(address.key(), address);  // first wins
  return index;
}

std::map<Group, Changes> find_changes(const std::map<AddressKey, Address>& present,
                                      const std::set<AddressKey>& absent,
                                      std::span<const Address> actual) {
  std::map<Group, Changes> groups;
  std::set<AddressKey> right_already;
  for (const Address& address : actual) {
    const AddressKey key = address.key();
    const auto wanted = present.find(key);
    if (wanted != present.end()) {
      if (satisfies(address, wanted->second)) {
        right_already.insert(key);
      } else {
        groups[group_of(key)].removals.push_back(address);
      }
    } else if (absent.contains(key)) {
      groups[group_of(key)].removals.push_back(address);
    }
  }
  for (const auto& [key, address] : present) {
    if (!right_already.contains(key)) groups[group_of(key)].additions.push_back(address);
  }
  return groups;
}

/// Removes secondaries first, so that none of them is promoted on its way out; then the primary,
/// then puts back what went with it.
void append_removals(const Changes& changes, std::span<const Address> actual,
                     std::vector<Step>& steps) {
  std::set<AddressKey> removed;
  for (const Address& address : changes.removals) removed.insert(address.key());

  std::vector<Address> survivors;
  for (const bool secondary : {true, false}) {
    for (const Address& leaving : changes.removals) {
      if (leaving.is_secondary() != secondary) continue;
      steps.push_back({StepKind::remove, leaving});
      if (secondary) continue;
      for (const Address& other : actual) {
        if (other.is_secondary() && share_subnet(other.key(), leaving.key()) &&
            !removed.contains(other.key())) {
          survivors.push_back(other);
        }
      }
    }
  }
  for (const Address& survivor : survivors) steps.push_back({StepKind::restore, survivor});
}

enum class Pass : std::uint8_t { only_additions, both, only_removals };

Pass pass_of(const Changes& changes) {
  if (changes.removals.empty()) return Pass::only_additions;
  return changes.additions.empty() ? Pass::only_removals : Pass::both;
}

}  // namespace

std::vector<Step> plan(const Wanted& wanted, std::span<const Address> actual) {
  const std::map<AddressKey, Address> present = index_by_key(wanted.present);
  std::set<AddressKey> absent(wanted.absent.begin(), wanted.absent.end());
  const std::map<Group, Changes> groups = find_changes(present, absent, actual);

  // An address that moves from one network to another (a new prefix length) is added in an early
  // pass and removed in a later one.
  std::vector<Step> steps;
  for (const Pass pass : {Pass::only_additions, Pass::both, Pass::only_removals}) {
    for (const auto& [group, changes] : groups) {
      if (pass_of(changes) != pass) continue;
      append_removals(changes, actual, steps);
      for (const Address& address : changes.additions) steps.push_back({StepKind::add, address});
    }
  }
  return steps;
}

}  // namespace holdfast::netlink
