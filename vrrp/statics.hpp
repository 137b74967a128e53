// What the director has while it runs, whoever is master: static addresses, routes and rules. Made
// by the daemon; tells the log once of each that cannot be had, the status all of them, and the
// core of those that instances track.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/routing.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/routing_wiring.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::vrrp {

class Statics {
 public:
  /// `on_event`: TrackerReported, of what is tracked. All outlive this.
  Statics(runtime::Logger& logger, netlink::Reflector& reflector, netlink::Routing& routing,
          std::function<void(Event)> on_event);

  /// These from now on, and no others.
  void follow(const AddressList& addresses, const RoutingList& routing);
  /// Those are tracked from now on, by TrackerId::name: how each is is told now, as far as it is
  /// known, and whenever it changes.
  void track(std::set<std::string> names);
  /// At the end of the director: takes them off before it returns.
  void release();

 private:
  void tell(const netlink::Publication& publication);
  void report();
  void report(const std::string& name, bool is_held, bool is_missing);

  runtime::Logger& logger_;
  netlink::Reflector& reflector_;
  netlink::Routing& routing_;
  std::function<void(Event)> on_event_;
  bool has_addresses_ = false;
  std::set<std::string> told_;
  std::vector<netlink::HeldAddress> placed_;  // what was told last, when all had been tried
  std::set<std::string> tracked_;
  std::map<std::string, Verdict> said_;  // of those that are tracked
};

/// {"addresses": […], "routes": […], "troubles": [sentences]}; empty: nothing is static.
[[nodiscard]] boost::json::object statics_json(const netlink::Reflector& reflector,
                                               const netlink::Routing& routing);

}  // namespace holdfast::vrrp
