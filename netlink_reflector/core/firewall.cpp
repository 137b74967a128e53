#include "netlink_reflector/core/firewall.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::netlink {

void FirewallWishes::claim(const core::RouterKey& owner, std::vector<ClosedAddress> addresses) {
  if (addresses.empty()) return forget(owner);
  for (ClosedAddress& each : addresses) {
    if (each.address.is_v4() || !each.address.is_link_local()) each.interface.clear();
  }
  Owner& entry = owners_[owner];
  const auto before = std::exchange(entry.claimed, std::move(addresses));
  if (!entry.holds) return;
  count_up(entry.claimed);  // first: what is in both does not change
  count_down(before);
}

void FirewallWishes::hold(const core::RouterKey& owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end() || std::exchange(found->second.holds, true)) return;
  count_up(found->second.claimed);
}

void FirewallWishes::release(const core::RouterKey& owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end() || !std::exchange(found->second.holds, false)) return;
  count_down(found->second.claimed);
}

void FirewallWishes::forget(const core::RouterKey& owner) {
  release(owner);
  owners_.erase(owner);
}

std::vector<ClosedAddress> FirewallWishes::wanted() const {
  std::vector<ClosedAddress> all;
  all.reserve(wanted_.size());
  for (const auto& [address, owners] : wanted_) all.push_back(address);
  return all;
}

std::vector<ClosedAddress> FirewallWishes::wanted_or_leaving() const {
  std::vector<ClosedAddress> all = wanted();
  const std::vector<ClosedAddress> leaving = surplus();
  all.insert(all.end(), leaving.begin(), leaving.end());
  return all;
}

std::size_t FirewallWishes::claimed(const core::RouterKey& owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? 0 : found->second.claimed.size();
}

std::vector<ClosedAddress> FirewallWishes::missing() const {
  std::vector<ClosedAddress> result;
  for (const ClosedAddress& each : changed_)
    if (wanted_.contains(each) && !actual_.contains(each)) result.push_back(each);
  return result;
}

std::vector<ClosedAddress> FirewallWishes::surplus() const {
  std::vector<ClosedAddress> result;
  for (const ClosedAddress& each : changed_)
    if (!wanted_.contains(each) && actual_.contains(each)) result.push_back(each);
  return result;
}

void FirewallWishes::done(const std::vector<ClosedAddress>& added,
                          const std::vector<ClosedAddress>& removed) {
  actual_.insert(added.begin(), added.end());
  for (const ClosedAddress& each : removed) actual_.erase(each);
  std::erase_if(changed_, [this](const ClosedAddress& each) {
    return wanted_.contains(each) == actual_.contains(each);
  });
}

void FirewallWishes::done_all(const std::vector<ClosedAddress>& content) {
  actual_ = {content.begin(), content.end()};
  changed_ = actual_;
  for (const auto& [address, owners] : wanted_) changed_.insert(address);
  done({}, {});
}

void FirewallWishes::count_up(const std::vector<ClosedAddress>& addresses) {
  for (const ClosedAddress& each : addresses)
    if (++wanted_[each] == 1) changed_.insert(each);
}

void FirewallWishes::count_down(const std::vector<ClosedAddress>& addresses) {
  for (const ClosedAddress& each : addresses) {
    const auto found = wanted_.find(each);
    if (--found->second > 0) continue;
    wanted_.erase(found);
    changed_.insert(each);
  }
}

}  // namespace holdfast::netlink
