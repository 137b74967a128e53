#include "vrrp/device_wiring.hpp"

#include "vrrp/routing_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace holdfast::vrrp {
namespace {

std::string numbered(const std::string& prefix, int number, std::uint8_t vrid) {
  return number == 0 ? fmt::format("{}.{}", prefix, vrid)
                     : fmt::format("{}{}.{}", prefix, number, vrid);
}

std::string free_name(const std::string& prefix, const config::VrrpInstance& instance,
                      const std::set<std::string>& taken) {
  std::string name = numbered(prefix, 0, instance.virtual_router_id);
  if (!taken.contains(name)) return name;
  name = numbered(prefix, 6, instance.virtual_router_id);
  if (instance.family == core::Family::v6 && !taken.contains(name)) return name;
  for (int number = 1;; ++number) {
    name = numbered(prefix, number, instance.virtual_router_id);
    if (number != 6 && !taken.contains(name)) return name;  // 6 is that of IPv6
  }
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

}  // namespace

DeviceNames::DeviceNames(const config::Model& model) {
  const std::string& wanted = model.globals.vmac_prefix;
  const std::string prefix = wanted.empty() ? "vrrp" : wanted;
  std::set<std::string> taken;
  for (const config::VrrpInstance& each : model.instances)
    if (each.vmac && !each.vmac->name.empty()) taken.insert(given_[&each] = each.vmac->name);
  for (const config::VrrpInstance& each : model.instances)
    if (each.vmac && each.vmac->name.empty())
      taken.insert(given_[&each] = free_name(prefix, each, taken));
}

std::string DeviceNames::of(const config::VrrpInstance& instance) const {
  const auto given = given_.find(&instance);
  return given == given_.end() ? std::string{} : given->second;
}

netlink::DesiredDevice device_of(const config::VrrpInstance& written, const std::string& name) {
  const config::Vmac& vmac = *written.vmac;
  netlink::DesiredDevice device{.name = name, .parent = written.interface};
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

AdvertsFrom adverts_from(const config::VrrpInstance& written) {
  const bool has_mac = written.vmac->kind == config::Vmac::Kind::macvlan;
  return has_mac && !written.vmac_xmit_base && !written.unicast ? AdvertsFrom::device
                                                                : AdvertsFrom::interface;
}

}  // namespace holdfast::vrrp
