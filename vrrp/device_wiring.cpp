#include "vrrp/device_wiring.hpp"

#include "vrrp/routing_names.hpp"
#include "vrrp/wiring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace holdfast::vrrp {
namespace {

std::string numbered(const std::string& prefix, int number, std::uint8_t vrid) {
  return number == 0 ? fmt::format("{}.{}", prefix, vrid)
                     : fmt::format("{}{}.{}", prefix, number, vrid);
}

/// linux/if_link.h: IPVLAN_F_PRIVATE, IPVLAN_F_VEPA.
std::uint16_t flags_of(config::Vmac::IpvlanMode mode) {
  switch (mode) {
    case config::Vmac::IpvlanMode::private_:
      return 1;
    case config::Vmac::IpvlanMode::vepa:
      return 2;
    case config::Vmac::IpvlanMode::bridge:
      break;
  }
  return 0;
}

/// Some address of the family is on the device.
bool has_address(const std::vector<config::VirtualAddress>& addresses, const std::string& interface,
                 core::Family family) {
  return std::ranges::any_of(addresses, [&](const config::VirtualAddress& each) {
    return each.interface == interface && each.prefix.address.family() == family;
  });
}

bool needs(core::Family family, const config::VrrpInstance& written) {
  return written.family == family ||
         has_address(written.virtual_addresses, written.interface, family) ||
         has_address(written.virtual_addresses_excluded, written.interface, family) ||
         (written.vmac->source && written.vmac->source->address.family() == family);
}

netlink::DesiredDevice device_of(const config::VrrpInstance& written) {
  const config::Vmac& vmac = *written.vmac;
  netlink::DesiredDevice device{.name = vmac.name, .parent = written.interface};
  device.has_v4 = needs(core::Family::v4, written);
  device.has_v6 = needs(core::Family::v6, written);
  device.group = number_of(NameOf::group, vmac.group).value_or(0);
  if (vmac.kind == config::Vmac::Kind::macvlan) {
    device.mac = vmac.mac.value_or(netlink::virtual_mac(written.family, written.virtual_router_id));
  } else {
    device.kind = netlink::DeviceKind::ipvlan;
    device.mode = 0;  // IPVLAN_MODE_L2
    device.ipvlan_flags = flags_of(vmac.mode);
  }
  return device;
}

/// keepalived: `use_vmac` of the line, or use_vmac_addr where another interface is named.
bool has_device_of_its_own(const config::VrrpInstance& instance,
                           const config::VirtualAddress& address) {
  if (address.interface == instance.interface) return address.use_vmac && !instance.vmac;
  return address.use_vmac || instance.use_vmac_addr;
}

}  // namespace

DevicePlan::DevicePlan(const config::Model& model) {
  name_instances(model);
  for (const config::VrrpInstance& each : model.instances) {
    add_addresses(each, each.virtual_addresses);
    add_addresses(each, each.virtual_addresses_excluded);
  }
  for (const auto& [instance, device] : own_)
    if (device.mac) macvlans_.insert(device.name);
  for (const auto& [place, device] : of_addresses_) macvlans_.insert(device.name);
}

void DevicePlan::name_instances(const config::Model& model) {
  const auto or_else = [](const std::string& wanted, const std::string& other) {
    return wanted.empty() ? other : wanted;
  };
  const std::string prefix = or_else(model.globals.vmac_prefix, "vrrp");
  prefix_of_addresses_ = or_else(model.globals.vmac_addr_prefix, prefix);
  for (const config::VrrpInstance& each : model.instances) {
    if (!each.vmac) continue;
    own_[&each] = device_of(each);
    if (!each.vmac->name.empty()) taken_.insert(each.vmac->name);
  }
  for (const config::VrrpInstance& each : model.instances) {
    if (!each.vmac) continue;
    netlink::DesiredDevice& device = own_.at(&each);
    if (device.name.empty()) {
      device.name = free_name(prefix, each.family, each.virtual_router_id);
      taken_.insert(device.name);
      made_up_.insert(device.name);
    }
    if (device.mac) of_instances_.emplace(Place{device.parent, *device.mac}, &each);
  }
}

void DevicePlan::add_addresses(const config::VrrpInstance& instance,
                               const std::vector<config::VirtualAddress>& addresses) {
  for (const config::VirtualAddress& each : addresses) {
    if (!has_device_of_its_own(instance, each)) continue;
    const core::Family family = each.prefix.address.family();
    const bool has_mac = instance.vmac && instance.vmac->mac;
    const core::MacAddress mac =
        has_mac ? *instance.vmac->mac : netlink::virtual_mac(family, instance.virtual_router_id);
    const Place place{each.interface, mac};
    const auto shared = of_instances_.find(place);
    netlink::DesiredDevice& device =
        shared != of_instances_.end() ? own_.at(shared->second) : of_addresses_[place];
    if (device.name.empty()) {
      device.name = free_name(prefix_of_addresses_, family, instance.virtual_router_id);
      device.parent = each.interface;
      device.mac = mac;
      device.has_v4 = device.has_v6 = false;
      taken_.insert(device.name);
      made_up_.insert(device.name);
    }
    (family == core::Family::v4 ? device.has_v4 : device.has_v6) = true;
    places_[&each] = device.name;
  }
}

std::string DevicePlan::free_name(const std::string& prefix, core::Family family,
                                  std::uint8_t vrid) const {
  std::string name = numbered(prefix, 0, vrid);
  if (!taken_.contains(name)) return name;
  name = numbered(prefix, 6, vrid);
  if (family == core::Family::v6 && !taken_.contains(name)) return name;
  for (int number = 1;; ++number) {
    name = numbered(prefix, number, vrid);
    if (number != 6 && !taken_.contains(name)) return name;  // 6 is that of IPv6
  }
}

std::string DevicePlan::of(const config::VrrpInstance& instance) const {
  const auto own = own_.find(&instance);
  return own == own_.end() ? std::string{} : own->second.name;
}

std::string DevicePlan::place_of(const config::VrrpInstance& instance,
                                 const config::VirtualAddress& address) const {
  if (const auto place = places_.find(&address); place != places_.end()) return place->second;
  return address.interface == instance.interface ? of(instance) : address.interface;
}

std::vector<netlink::DesiredDevice> DevicePlan::devices(
    const std::vector<const config::VrrpInstance*>& instances) const {
  std::vector<netlink::DesiredDevice> all;
  std::set<std::string> names;  // of addresses
  for (const config::VrrpInstance* each : instances) {
    if (const auto own = own_.find(each); own != own_.end()) all.push_back(own->second);
    for (const auto* list : {&each->virtual_addresses, &each->virtual_addresses_excluded})
      for (const config::VirtualAddress& address : *list)
        if (const auto place = places_.find(&address); place != places_.end())
          names.insert(place->second);
  }
  for (const netlink::DesiredDevice& each : all) names.erase(each.name);
  for (const auto& [place, device] : of_addresses_)
    if (names.contains(device.name)) all.push_back(device);
  for (const auto& [instance, device] : own_)  // of one that is not started
    if (names.contains(device.name)) all.push_back(device);
  return all;
}

AdvertsFrom adverts_from(const config::VrrpInstance& written) {
  const bool has_mac = written.vmac->kind == config::Vmac::Kind::macvlan;
  return has_mac && !written.vmac_xmit_base && !written.unicast ? AdvertsFrom::device
                                                                : AdvertsFrom::interface;
}

}  // namespace holdfast::vrrp
