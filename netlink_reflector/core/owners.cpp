#include "netlink_reflector/core/owners.hpp"

#include <algorithm>

namespace holdfast::netlink {

Owners::Owners(const Owners& other) : all_(other.all_), by_interface_(other.by_interface_) {
  for (auto& [name, entries] : by_interface_) {
    for (Entry*& entry : entries) entry = &*all_.find(entry->first);
  }
}

Owners& Owners::operator=(const Owners& other) {
  if (this != &other) *this = Owners(other);
  return *this;
}

Owner* Owners::find(const core::RouterKey& key) {
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

const Owner* Owners::find(const core::RouterKey& key) const {
  const auto found = all_.find(key);
  return found == all_.end() ? nullptr : &found->second;
}

void Owners::remove(const core::RouterKey& key) {
  const auto found = all_.find(key);
  if (found == all_.end()) return;
  for (auto& [name, entries] : by_interface_) std::erase(entries, &*found);
  all_.erase(found);
}

void Owners::enroll(const core::RouterKey& key, const DesiredAddresses& addresses) {
  Entry* const entry = &*all_.try_emplace(key).first;
  for (const DesiredAddress& address : addresses) {
    std::vector<Entry*>& entries = by_interface_[address.interface];
    if (std::find(entries.begin(), entries.end(), entry) == entries.end()) entries.push_back(entry);
  }
}

const std::vector<Owners::Entry*>& Owners::on(std::string_view interface) const {
  static const std::vector<Entry*> kNone;
  const auto found = by_interface_.find(interface);
  return found == by_interface_.end() ? kNone : found->second;
}

}  // namespace holdfast::netlink
