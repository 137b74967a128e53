#include "netlink_reflector/core/standings.hpp"

namespace holdfast::netlink {

bool Standings::has(const AddressKey& key, Trait trait) const {
  const auto found = known_.find(key);
  return found != known_.end() && (found->second & bit_of(trait)) != 0;
}

bool Standings::add(const AddressKey& key, Trait trait) {
  std::uint8_t& traits = known_[key];
  if ((traits & bit_of(trait)) != 0) return false;
  traits = static_cast<std::uint8_t>(traits | bit_of(trait));
  ++counts_[index_of(trait)];
  return true;
}

bool Standings::remove(const AddressKey& key, Trait trait) {
  const auto found = known_.find(key);
  if (found == known_.end() || (found->second & bit_of(trait)) == 0) return false;
  found->second = static_cast<std::uint8_t>(found->second & ~bit_of(trait));
  if (found->second == 0) known_.erase(found);
  --counts_[index_of(trait)];
  return true;
}

void Standings::remove_if(Trait trait, const std::function<bool(const AddressKey&)>& condition) {
  if (count(trait) == 0) return;
  for (const AddressKey& key : all(trait)) {
    if (condition(key)) remove(key, trait);
  }
}

std::vector<AddressKey> Standings::all(Trait trait) const {
  std::vector<AddressKey> keys;
  if (count(trait) == 0) return keys;
  keys.reserve(count(trait));
  for (const auto& [key, traits] : known_) {
    if ((traits & bit_of(trait)) != 0) keys.push_back(key);
  }
  return keys;
}

std::vector<AddressKey> Standings::all_at(InterfaceIndex interface, const core::IpAddress& address,
                                          Trait trait) const {
  std::vector<AddressKey> keys;
  for (auto at = known_.lower_bound({interface, address, 0, {}});
       at != known_.end() && at->first.interface == interface && at->first.address == address;
       ++at) {
    if ((at->second & bit_of(trait)) != 0) keys.push_back(at->first);
  }
  return keys;
}

}  // namespace holdfast::netlink
