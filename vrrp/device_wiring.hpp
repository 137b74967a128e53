// Lines of use_vmac and use_ipvlan as interfaces that are to be made. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "netlink_reflector/core/devices.hpp"
#include "vrrp/core/settings.hpp"

#include <map>
#include <string>

namespace holdfast::vrrp {

/// What they are called: as the line says, or vrrp.VRID. A name that another instance has is
/// vrrp6.VRID for IPv6, then vrrp1.VRID, vrrp2.VRID … keepalived: vmac_prefix for `vrrp`.
class DeviceNames {
 public:
  explicit DeviceNames(const config::Model& model);
  /// Empty: it lives on its own interface.
  [[nodiscard]] std::string of(const config::VrrpInstance& instance) const;

 private:
  std::map<const config::VrrpInstance*, std::string> given_;
};

/// Of an instance that has use_vmac or use_ipvlan.
[[nodiscard]] netlink::DesiredDevice device_of(const config::VrrpInstance& written,
                                               const std::string& name);
/// Adverts to peers leave from the interface below in any case.
[[nodiscard]] AdvertsFrom adverts_from(const config::VrrpInstance& written);

}  // namespace holdfast::vrrp
