// How fast announcements may follow one another on an interface. keepalived: vrrp_garp_interval,
// vrrp_gna_interval, garp_group.
#pragma once

#include "vrrp/core/settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::vrrp {

/// Interfaces that share one pace. keepalived: garp_group.
struct PaceGroup {
  std::vector<std::string> interfaces;
  Duration arp{};  ///< Least time between two gratuitous ARPs; 0: no limit.
  Duration na{};   ///< Between two neighbour advertisements.
  bool operator==(const PaceGroup&) const = default;
};

/// Whose announcements follow one another: the interfaces and the family. The one without
/// interfaces has no limit.
using LaneName = std::pair<std::string, core::Family>;

struct Pace {
  Duration arp{};  ///< Of each interface that is in no group; 0: no limit.
  Duration na{};
  std::vector<PaceGroup> groups = {};

  [[nodiscard]] LaneName lane_of(const std::string& interface, core::Family family) const;
  [[nodiscard]] Duration interval_of(const std::string& interface, core::Family family) const;
  bool operator==(const Pace&) const = default;

 private:
  [[nodiscard]] const PaceGroup* group_of(const std::string& interface) const;
};

}  // namespace holdfast::vrrp
