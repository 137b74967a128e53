// Virtual interfaces that virtual routers live on, as values: which ones there should be, what to
// do about one, and what the kernel's settings of it and of the interface below have to be. Called
// by the Devices shell and by tests. Never talks to the kernel.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "netlink_reflector/core/table.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::netlink {

/// linux/if_link.h: MACVLAN_MODE_VEPA. As keepalived's mode, private, it hands nothing to its
/// neighbours on the same interface: what is meant for a router whose master is another host goes
/// out. But what a partner sends from the same MAC address reaches the interface below, too: the
/// sockets and the ARP of the host there would be deaf to it otherwise.
inline constexpr std::uint32_t kMacvlanVepa = 2;

/// RFC 9568 §7.3: 00-00-5E-00-01-VRID, for IPv6 00-00-5E-00-02-VRID.
[[nodiscard]] core::MacAddress virtual_mac(core::Family family, std::uint8_t vrid);

/// keepalived: use_vmac makes a macvlan, use_ipvlan an ipvlan.
enum class DeviceKind : std::uint8_t { macvlan, ipvlan };
[[nodiscard]] std::string_view to_string(DeviceKind kind);

struct DesiredDevice {
  std::string name;
  std::string parent;  ///< The interface below.
  DeviceKind kind = DeviceKind::macvlan;
  /// Of a macvlan; an ipvlan has its parent's.
  std::optional<core::MacAddress> mac = {};
  std::uint32_t mode = kMacvlanVepa;
  /// linux/if_link.h: IPVLAN_F_PRIVATE, IPVLAN_F_VEPA.
  std::uint16_t ipvlan_flags = 0;
  /// Link group. IFLA_GROUP.
  std::uint32_t group = 0;
  bool has_v4 = true;
  bool has_v6 = false;

  bool operator==(const DesiredDevice&) const = default;
};

enum class DeviceStep : std::uint8_t {
  none,    ///< It is as it should be, or nothing can be done: `problem` says which.
  create,  ///< It is not there.
  set_up,  ///< It is there and needs settings, mode, address, or to be up.
  remove,  ///< It is ours, but cannot be made what it should be.
};

struct Judgement {
  DeviceStep step = DeviceStep::none;
  std::string problem;  ///< Why it cannot be had, a sentence; empty otherwise.
  bool operator==(const Judgement&) const = default;
};

/// `mark`: the alias of devices that we made. A device of that name without it is used when it is
/// what we would have made, and is never changed into something else.
[[nodiscard]] Judgement judge(const DesiredDevice& wanted, const Link* device, const Link* parent,
                              std::string_view mark);

/// Settings below /proc/sys/net, with their values: "ipv4/conf/eth0/arp_ignore" → "1".
using KernelSettings = std::map<std::string, std::string>;

/// Those of the device. `rp_filter_of_all`: net.ipv4.conf.all.rp_filter; the larger one counts, and
/// what comes in by the device often has its way back by the interface below.
[[nodiscard]] KernelSettings settings_of_device(const DesiredDevice& device, int rp_filter_of_all);
/// Those of the interfaces below: who asks for a virtual address hears of the device only.
[[nodiscard]] KernelSettings settings_of_parents(const std::vector<DesiredDevice>& devices);
/// So that the other addresses of a prefix outlive the first one.
[[nodiscard]] KernelSettings promotion_of(const std::set<std::string>& interfaces);

/// What settings of others were before, as text and back; nullopt: not a text of ours.
[[nodiscard]] std::string write_settings(const KernelSettings& settings);
[[nodiscard]] std::optional<KernelSettings> parse_settings(std::string_view text);

}  // namespace holdfast::netlink
