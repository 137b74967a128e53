// Lines of use_vmac, use_ipvlan and use_vmac_addr as interfaces that are to be made. Part of the
// wiring.
#pragma once

#include "config/model.hpp"
#include "netlink_reflector/core/devices.hpp"
#include "vrrp/core/settings.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace holdfast::vrrp {

/// Which devices a configuration has: those that instances live on, and those of single addresses,
/// which are on a device with the instance's MAC address above whatever interface they name.
class DevicePlan {
 public:
  /// Names are given to all instances, started or not, then to addresses in the order of the file.
  explicit DevicePlan(const config::Model& model);

  /// Empty: it lives on its own interface.
  [[nodiscard]] std::string of(const config::VrrpInstance& instance) const;
  /// Where one of its addresses is; empty: on the instance's own interface.
  [[nodiscard]] std::string place_of(const config::VrrpInstance& instance,
                                     const config::VirtualAddress& address) const;
  /// It is one of these devices, and not an ipvlan, which has the MAC address of its interface.
  [[nodiscard]] bool has_mac_of_its_own(const std::string& place) const {
    return macvlans_.contains(place);
  }
  /// Of these instances, each device once.
  [[nodiscard]] std::vector<netlink::DesiredDevice> devices(
      const std::vector<const config::VrrpInstance*>& instances) const;
  /// Those that no line has named.
  [[nodiscard]] const std::set<std::string>& made_up() const { return made_up_; }

 private:
  /// One MAC address can be above an interface once.
  using Place = std::tuple<std::string, core::MacAddress>;

  void name_instances(const config::Model& model);
  void add_addresses(const config::VrrpInstance& instance,
                     const std::vector<config::VirtualAddress>& addresses);
  [[nodiscard]] std::string free_name(const std::string& prefix, core::Family family,
                                      std::uint8_t vrid) const;

  std::string prefix_of_addresses_;
  std::map<const config::VrrpInstance*, netlink::DesiredDevice> own_;
  std::map<Place, netlink::DesiredDevice> of_addresses_;
  std::map<Place, const config::VrrpInstance*> of_instances_;  // that live on a macvlan
  std::map<const config::VirtualAddress*, std::string> places_;
  std::set<std::string> taken_;
  std::set<std::string> made_up_;
  std::set<std::string> macvlans_;
};

/// Adverts to peers leave from the interface below in any case.
[[nodiscard]] AdvertsFrom adverts_from(const config::VrrpInstance& written);

struct Wiring;

/// A device that no line has named keeps the name that it has: a reload that takes one away, or
/// changes their order, renames no other. `present`: those that we have made.
void keep_device_names(Wiring& wiring, const std::vector<netlink::DesiredDevice>& present);

}  // namespace holdfast::vrrp
