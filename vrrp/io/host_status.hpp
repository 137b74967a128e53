// The host as a whole, as instances without an interface need it: which addresses it has, and what
// it would send from to their peers.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "vrrp/core/instance.hpp"

#include <map>
#include <set>

namespace holdfast::vrrp {

/// Those that an instance sends from or to.
[[nodiscard]] std::set<IpAddress> addresses_to_watch(const InstanceSettings& settings);

/// What instances without an interface ask of the host.
struct HostQuestion {
  std::set<IpAddress> addresses;  ///< that they send from or to
  std::set<IpAddress> peers;      ///< whose route gives them a source
  /// Virtual ones: what we placed of them would go with the mastership, and is no source.
  std::set<IpAddress> passing;
  std::map<IpAddress, IpAddress> known;  ///< the sources that the last answer gave

  void add(const InstanceSettings& settings);
};
[[nodiscard]] InterfaceStatus host_status(const netlink::Reflector& reflector,
                                          const HostQuestion& question);

}  // namespace holdfast::vrrp
