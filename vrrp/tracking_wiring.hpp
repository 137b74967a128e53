// What an instance tracks, and what has to be looked at for that. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "vrrp/wiring.hpp"

#include <map>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// Adds the lines of a track block. A weight that a line does not give is that of what it names;
/// what is there already stays. `primary` is the instance's own interface, which it tracks anyhow;
/// empty: it does not.
void add_trackers(const config::Tracking& tracking, const std::string& primary,
                  const config::Model& model, std::vector<Tracker>& trackers);
/// keepalived: the interface of a route goes with it, unless the line says no_track.
void add_interfaces_of_routes(const config::VrrpInstance& written, std::vector<Tracker>& trackers);
/// The scripts, files and processes that instances track; what nobody tracks is not looked at.
void add_tracked(const config::Model& model, Wiring& wiring);
/// Of interfaces that instances use.
[[nodiscard]] std::map<std::string, LinkDelay> link_delays_of(
    const config::Model& model, const std::vector<InstanceSettings>& instances);

}  // namespace holdfast::vrrp
