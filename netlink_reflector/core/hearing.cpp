#include "netlink_reflector/core/hearing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::netlink {
namespace {

/// linux/if_link.h: MACVLAN_MODE_PRIVATE.
constexpr std::uint32_t kMacvlanPrivate = 1;
/// linux/if_link.h: MACVLAN_MODE_PASSTHRU.
constexpr std::uint32_t kMacvlanPassthru = 8;
/// RFC 9568 §7.3: all virtual routers' begin so.
constexpr std::array<std::uint8_t, 4> kVirtualRouters{0x00, 0x00, 0x5e, 0x00};

bool is_of_a_virtual_router(const core::MacAddress& mac) {
  const bool has_family = mac.bytes[4] == 1 || mac.bytes[4] == 2;
  return has_family &&
         std::equal(kVirtualRouters.begin(), kVirtualRouters.end(), mac.bytes.begin());
}

// net/core/dev.c: __netif_receive_skb_core hands a frame to the handler of bridge, bond, team and
// the like before any socket of IP is looked for. A VRF leaves it where it is.
std::string why_taken_by(const Link& master, const Link& link) {
  if (master.kind == "vrf") return {};
  if (master.kind == "openvswitch")
    return fmt::format(
        "interface {0} is a port of Open vSwitch, which takes all that comes in: no advert is "
        "heard "
        "on {0}, and each director is master; write the internal port of its bridge as interface "
        "(ovs-vsctl port-to-br {0} names it)",
        link.name);
  const std::string what = master.kind == "bridge"
                               ? fmt::format("a port of the bridge {}", master.name)
                               : fmt::format("a part of {}{}{}", master.kind,
                                             master.kind.empty() ? "" : " ", master.name);
  return fmt::format(
      "interface {0} is {1}, which takes all that comes in: no advert is heard on {0}, and each "
      "director is master; write 'interface {2}'",
      link.name, what, master.name);
}

std::string why_passed_through(const Link& above, const Link& link) {
  return fmt::format(
      "the {0} {1} of this host, in mode passthru, takes what is sent to {2}: no advert of a "
      "unicast "
      "peer is heard on {2}, and each director is master; write another interface, or change the "
      "mode of {1} (it has to be made anew)",
      above.kind, above.name, link.name);
}

}  // namespace

// drivers/net/macvlan.c: macvlan_handle_frame looks for the sender among its own; one in mode
// private takes the frame, bridge and vepa let it pass, and one that is down is not looked for.
// One in mode passthru, up or down, takes all but what is sent to a group.
bool may_take_frames(const Link& link) {
  return link.kind == "macvlan" || link.kind == "macvtap";
}

Unheard unheard_on(const Link& link, std::span<const Link> all) {
  Unheard unheard;
  for (const Link& each : all) {
    if (each.index == link.master) {
      if (std::string why = why_taken_by(each, link); !why.empty())
        unheard.emplace("", std::move(why));
    }
    if (may_take_frames(each) && each.mode == kMacvlanPassthru && each.lower == link.index)
      unheard.emplace(kUnicastOnly, why_passed_through(each, link));
    const bool is_private = may_take_frames(each) && each.mode == kMacvlanPrivate && each.up;
    if (!is_private || each.lower != link.index || !each.mac || !is_of_a_virtual_router(*each.mac))
      continue;
    unheard.emplace(
        each.mac->to_string(),
        fmt::format("the {3} {0} of this host, in mode private, takes what comes from its MAC "
                    "address {1}: adverts of a partner that has it, too (FRR, use_vmac), are not "
                    "heard on {2}; remove it (ip link del {0}), or change its mode (ip link set "
                    "{0} type {3} mode vepa)",
                    each.name, each.mac->to_string(), link.name, each.kind));
  }
  return unheard;
}

}  // namespace holdfast::netlink
