// keep_device_names, see device_wiring.hpp.
#include "vrrp/device_wiring.hpp"
#include "vrrp/wiring.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace holdfast::vrrp {
namespace {

using netlink::DesiredDevice;

/// Of "vrrp1.51": "vrrp" and "51". Names that only differ in the number between these are as good
/// as each other.
std::pair<std::string_view, std::string_view> shape_of(std::string_view name) {
  const std::size_t point = name.rfind('.');
  if (point == std::string_view::npos) return {name, {}};
  std::string_view prefix = name.substr(0, point);
  while (!prefix.empty() && prefix.back() >= '0' && prefix.back() <= '9') prefix.remove_suffix(1);
  return {prefix, name.substr(point + 1)};
}

/// Only one device above an interface can be up with a MAC address, whatever it is called.
bool is_same(const DesiredDevice& wanted, const DesiredDevice& present) {
  return wanted.parent == present.parent && wanted.kind == present.kind &&
         wanted.mac == present.mac &&
         (wanted.mac || shape_of(wanted.name) == shape_of(present.name));
}

using Names = std::map<std::string, std::string>;  // old → new

/// Who is there already keeps its name, the others share what is left.
Names names_for(const Wiring& wiring, const std::vector<DesiredDevice>& present) {
  Names names;
  std::set<std::string> taken;
  const auto is_made_up = [&](const DesiredDevice& each) {
    return wiring.made_up_devices.contains(each.name);
  };
  for (const DesiredDevice& each : wiring.devices)
    if (!is_made_up(each)) taken.insert(each.name);
  const auto give = [&](const DesiredDevice& device, const std::string& name) {
    if (names.contains(device.name) || !taken.insert(name).second) return;
    names.emplace(device.name, name);
  };
  for (const DesiredDevice& each : wiring.devices)
    for (const DesiredDevice& known : present)
      if (is_made_up(each) && is_same(each, known)) give(each, known.name);
  for (const DesiredDevice& each : wiring.devices)
    if (is_made_up(each)) give(each, each.name);
  for (const DesiredDevice& each : wiring.devices)
    for (const std::string& name : wiring.made_up_devices)
      if (is_made_up(each) && shape_of(name) == shape_of(each.name)) give(each, name);
  std::erase_if(names, [](const auto& pair) { return pair.first == pair.second; });
  return names;
}

const std::string& renamed(const Names& names, const std::string& name) {
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

void rename(const Names& names, std::set<std::string>& all) {
  std::set<std::string> now;
  for (const std::string& each : all) now.insert(renamed(names, each));
  all = std::move(now);
}

void rename(const Names& names, AddressList& list) {
  const auto is_meant = [&](const VirtualAddress& each) {
    return names.contains(each.interface.str());
  };
  if (std::none_of(list.begin(), list.end(), is_meant)) return;
  std::vector<VirtualAddress> addresses(list.begin(), list.end());
  for (VirtualAddress& each : addresses) each.interface = renamed(names, each.interface.str());
  list = std::move(addresses);
}

}  // namespace

void keep_device_names(Wiring& wiring, const std::vector<DesiredDevice>& present) {
  const Names names = names_for(wiring, present);
  if (names.empty()) return;
  rename(names, wiring.made_up_devices);
  rename(names, wiring.promoting);
  for (auto& [router, addresses] : wiring.closed)
    for (netlink::ClosedAddress& each : addresses) each.interface = renamed(names, each.interface);
  for (DesiredDevice& each : wiring.devices) each.name = std::string(renamed(names, each.name));
  rename(names, wiring.static_addresses);
  for (InstanceSettings& each : wiring.instances) {
    if (each.device) {
      OwnDevice device = *each.device;
      device.name = std::string(renamed(names, device.name));
      each.device = std::move(device);
    }
    rename(names, each.addresses);
    rename(names, each.excluded_addresses);
    if (each.extra_announcements) {
      ExtraAnnouncements extra = *each.extra_announcements;
      rename(names, extra.addresses);
      each.extra_announcements = std::move(extra);
    }
  }
}

}  // namespace holdfast::vrrp
