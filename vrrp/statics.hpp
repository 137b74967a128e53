// What the director has while it runs, whoever is master: static addresses, routes and rules. Made
// by the daemon; tells the log once of each that cannot be had, and the status all of them.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/routing.hpp"
#include "vrrp/core/settings.hpp"
#include "vrrp/routing_wiring.hpp"

#include <boost/json/object.hpp>

#include <set>
#include <string>

namespace holdfast::vrrp {

class Statics {
 public:
  /// Both outlive this.
  Statics(runtime::Logger& logger, netlink::Reflector& reflector, netlink::Routing& routing);

  /// These from now on, and no others.
  void follow(const AddressList& addresses, const RoutingList& routing);
  /// At the end of the director: takes them off before it returns.
  void release();

 private:
  void tell(const netlink::Publication& publication);

  runtime::Logger& logger_;
  netlink::Reflector& reflector_;
  netlink::Routing& routing_;
  bool has_addresses_ = false;
  std::set<std::string> told_;
};

/// {"addresses": […], "routes": […], "troubles": [sentences]}; empty: nothing is static.
[[nodiscard]] boost::json::object statics_json(const netlink::Reflector& reflector,
                                               const netlink::Routing& routing);

}  // namespace holdfast::vrrp
