// What an instance tracks, and what has to be looked at for that. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "vrrp/wiring.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp {

/// Adds the lines of a track block. A weight that a line does not give is that of what it names;
/// what is there already stays. `primary` is the instance's own interface, which it tracks anyhow;
/// empty: it does not.
void add_trackers(const config::Tracking& tracking, const std::string& primary,
                  const config::Model& model, std::vector<Tracker>& trackers);
/// keepalived: the interface of a route goes with it, unless the line says no_track.
void add_interfaces_of_routes(const config::VrrpInstance& written, std::vector<Tracker>& trackers);
/// keepalived: track_group. What its members need of the director's own: each static address, route
/// and rule of the group, and the interface that it is on. `routing`: that of the statics.
void add_statics(const config::VrrpInstance& written, const config::Model& model,
                 const RoutingList& routing, std::vector<Tracker>& trackers);
/// What a static address is called as a tracker. Routes and rules have a text of their own.
[[nodiscard]] std::string static_address_text(const core::IpPrefix& prefix,
                                              std::string_view interface);
/// The scripts, files and processes that instances track; what nobody tracks is not looked at.
void add_tracked(const config::Model& model, Wiring& wiring);
/// Of interfaces that instances use.
[[nodiscard]] std::map<std::string, LinkDelay> link_delays_of(
    const config::Model& model, const std::vector<InstanceSettings>& instances);

}  // namespace holdfast::vrrp
