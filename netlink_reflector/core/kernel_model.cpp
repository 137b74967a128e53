// apply(): the kernel's rules for interface addresses, as far as the planner has to know them.
#include "netlink_reflector/core/plan.hpp"

#include <algorithm>
#include <cerrno>

namespace holdfast::netlink {
namespace {

using Addresses = std::vector<Address>;

Addresses::iterator find_key(Addresses& addresses, const AddressKey& key) {
  return std::find_if(addresses.begin(), addresses.end(),
                      [&](const Address& address) { return address.key() == key; });
}

// net/ipv4/devinet.c: __inet_insert_ifa; net/ipv6/addrconf.c: ipv6_add_addr.
int insert(Addresses& addresses, Address address) {
  const AddressKey key = address.key();
  if (find_key(addresses, key) != addresses.end()) return EEXIST;
  address.flags &= ~kFlagSecondary;
  for (const Address& other : addresses) {
    if (!share_subnet(other.key(), key)) continue;
    if (other.scope != address.scope) return EINVAL;
    address.flags |= kFlagSecondary;
  }
  if (address.valid_lifetime == kLifetimeForever) address.flags |= kFlagPermanent;
  if (address.preferred_lifetime == 0) address.flags |= kFlagDeprecated;
  addresses.push_back(std::move(address));
  return 0;
}

// net/ipv4/devinet.c: __inet_del_ifa.
int erase(Addresses& addresses, const AddressKey& key, PromoteSecondaries promote) {
  const auto found = find_key(addresses, key);
  if (found == addresses.end()) return EADDRNOTAVAIL;
  const bool was_primary = !found->is_secondary();
  addresses.erase(found);
  if (!was_primary) return 0;
  if (promote == PromoteSecondaries::no) {
    std::erase_if(addresses, [&](const Address& other) {
      return other.is_secondary() && share_subnet(other.key(), key);
    });
    return 0;
  }
  for (Address& other : addresses) {
    if (!other.is_secondary() || !share_subnet(other.key(), key)) continue;
    other.flags &= ~kFlagSecondary;
    break;
  }
  return 0;
}

}  // namespace

Applied apply(std::span<const Step> steps, std::span<const Address> actual,
              PromoteSecondaries promote) {
  Applied applied{{actual.begin(), actual.end()}, {}};
  for (const Step& step : steps) {
    switch (step.kind) {
      case StepKind::add:
        applied.results.push_back(insert(applied.addresses, step.address));
        break;
      case StepKind::restore: {
        const int error = insert(applied.addresses, step.address);
        applied.results.push_back(error == EEXIST ? 0 : error);
        break;
      }
      case StepKind::remove:
        applied.results.push_back(erase(applied.addresses, step.address.key(), promote));
        break;
    }
  }
  return applied;
}

}  // namespace holdfast::netlink
