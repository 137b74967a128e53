#include "netlink_reflector/core/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kTitle = "holdfast settings 1";

std::string path_of(const std::string& family, const std::string& interface,
                    std::string_view name) {
  return fmt::format("{}/conf/{}/{}", family, interface, name);
}

/// Empty: it is of the kind, below the right interface and has the right address.
std::string why_other(const DesiredDevice& wanted, const Link& device, const Link& parent) {
  if (device.kind != to_string(wanted.kind))
    return fmt::format("it is {}, not {}",
                       device.kind.empty() ? "a real interface" : "of the kind " + device.kind,
                       to_string(wanted.kind));
  if (device.lower != parent.index) return fmt::format("it is not above {}", parent.name);
  if (wanted.mac && device.mac != wanted.mac)
    return fmt::format("its MAC address is {}, not {}",
                       device.mac ? device.mac->to_string() : "of another kind",
                       wanted.mac->to_string());
  return {};
}

bool is_path_of_ours(std::string_view path) {
  const bool in_family = path.starts_with("ipv4/conf/") || path.starts_with("ipv6/conf/");
  return in_family && path.find("..") == std::string_view::npos &&
         std::count(path.begin(), path.end(), '/') == 3;
}

}  // namespace

core::MacAddress virtual_mac(core::Family family, std::uint8_t vrid) {
  const std::uint8_t which = family == core::Family::v4 ? 1 : 2;
  return {{0x00, 0x00, 0x5e, 0x00, which, vrid}};
}

std::string_view to_string(DeviceKind kind) {
  return kind == DeviceKind::macvlan ? "macvlan" : "ipvlan";
}

Judgement judge(const DesiredDevice& wanted, const Link* device, const Link* parent,
                std::string_view mark) {
  if (parent == nullptr)
    return {DeviceStep::none, fmt::format("{} cannot be made: interface {} does not exist",
                                          wanted.name, wanted.parent)};
  if (device == nullptr) return {DeviceStep::create, {}};
  const std::string other = why_other(wanted, *device, *parent);
  const bool is_ours = device->alias == mark;
  if (!other.empty() && !is_ours)
    return {DeviceStep::none,
            fmt::format("an interface {} is there already and is not ours: {}; remove it, or "
                        "write another name behind use_vmac",
                        wanted.name, other)};
  if (!other.empty()) return {DeviceStep::remove, {}};
  if (!device->up || device->mode != wanted.mode) return {DeviceStep::set_up, {}};
  return {};
}

// keepalived sets most of these; accept_ra, autoconf and accept_dad it leaves alone, and a backup
// then shows the shared MAC address to switches.
KernelSettings settings_of_device(const DesiredDevice& device, int rp_filter_of_all) {
  KernelSettings settings;
  const auto set = [&](const char* family, const char* name, const char* value) {
    settings[path_of(family, device.name, name)] = value;
  };
  set("ipv4", "arp_ignore", "1");
  set("ipv4", "accept_local", "1");
  set("ipv4", "promote_secondaries", "1");
  // Loose is more than strict, so it wins where strict is set for all.
  set("ipv4", "rp_filter", rp_filter_of_all == 1 ? "2" : "0");
  set("ipv6", "addr_gen_mode", "1");  // IN6_ADDR_GEN_MODE_NONE
  set("ipv6", "accept_ra", "0");
  set("ipv6", "autoconf", "0");
  set("ipv6", "accept_dad", "0");
  set("ipv6", "disable_ipv6", device.has_v6 ? "0" : "1");
  return settings;
}

KernelSettings settings_of_parents(const std::vector<DesiredDevice>& devices) {
  KernelSettings settings;
  for (const DesiredDevice& each : devices) {
    if (!each.has_v4) continue;
    settings[path_of("ipv4", each.parent, "arp_ignore")] = "1";
    settings[path_of("ipv4", each.parent, "arp_filter")] = "1";
    // Otherwise an answer to a client that has to be asked for first would ask in the name of the
    // virtual address, from the MAC address of the interface below: the client takes that one over.
    settings[path_of("ipv4", each.parent, "arp_announce")] = "2";
  }
  return settings;
}

KernelSettings promotion_of(const std::set<std::string>& interfaces) {
  KernelSettings settings;
  for (const std::string& each : interfaces)
    settings[path_of("ipv4", each, "promote_secondaries")] = "1";
  return settings;
}

std::string write_settings(const KernelSettings& settings) {
  std::string text = fmt::format("{}\n", kTitle);
  for (const auto& [path, value] : settings) text += fmt::format("{} {}\n", path, value);
  return text;
}

std::optional<KernelSettings> parse_settings(std::string_view text) {
  KernelSettings settings;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (std::exchange(is_first, false)) {
      if (line != kTitle) return std::nullopt;
      continue;
    }
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos || !is_path_of_ours(line.substr(0, blank)))
      return std::nullopt;
    settings[std::string(line.substr(0, blank))] = std::string(line.substr(blank + 1));
  }
  return is_first ? std::nullopt : std::optional(std::move(settings));
}

}  // namespace holdfast::netlink
