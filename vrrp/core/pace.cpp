#include "vrrp/core/pace.hpp"

#include <algorithm>

namespace holdfast::vrrp {

const PaceGroup* Pace::group_of(const std::string& interface) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const PaceGroup& group) {
    return std::find(group.interfaces.begin(), group.interfaces.end(), interface) !=
           group.interfaces.end();
  });
  return found == groups.end() ? nullptr : &*found;
}

Duration Pace::interval_of(const std::string& interface, core::Family family) const {
  const PaceGroup* group = group_of(interface);
  if (family == core::Family::v4) return group == nullptr ? arp : group->arp;
  return group == nullptr ? na : group->na;
}

LaneName Pace::lane_of(const std::string& interface, core::Family family) const {
  if (interval_of(interface, family) == Duration::zero()) return {"", core::Family::v4};
  const PaceGroup* group = group_of(interface);
  return {group == nullptr ? interface : group->interfaces.front(), family};
}

}  // namespace holdfast::vrrp
