#include "netlink_reflector/core/hearing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::netlink {
namespace {

/// linux/if_link.h: MACVLAN_MODE_PRIVATE.
constexpr std::uint32_t kMacvlanPrivate = 1;
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
  const std::string what = master.kind == "bridge"
                               ? fmt::format("a port of the bridge {}", master.name)
                               : fmt::format("a part of {}{}{}", master.kind,
                                             master.kind.empty() ? "" : " ", master.name);
  return fmt::format(
      "interface {0} is {1}, which takes all that comes in: no advert is heard on {0}, and each "
      "director is master; write 'interface {2}'",
      link.name, what, master.name);
}

}  // namespace

// drivers/net/macvlan.c: macvlan_handle_frame looks for the sender among its own; one in mode
// private takes the frame, bridge and vepa let it pass, and one that is down is not looked for.
bool may_take_frames(const Link& link) {
  return link.kind == "macvlan";
}

Unheard unheard_on(const Link& link, std::span<const Link> all) {
  Unheard unheard;
  for (const Link& each : all) {
    if (each.index == link.master) {
      if (std::string why = why_taken_by(each, link); !why.empty())
        unheard.emplace("", std::move(why));
    }
    const bool is_private = may_take_frames(each) && each.mode == kMacvlanPrivate && each.up;
    if (!is_private || each.lower != link.index || !each.mac || !is_of_a_virtual_router(*each.mac))
      continue;
    unheard.emplace(
        each.mac->to_string(),
        fmt::format("the macvlan {0} of this host, in mode private, takes what comes from its MAC "
                    "address {1}: adverts of a partner that has it, too (FRR, use_vmac), are not "
                    "heard on {2}; remove it (ip link del {0}), or change its mode (ip link set "
                    "{0} type macvlan mode vepa)",
                    each.name, each.mac->to_string(), link.name));
  }
  return unheard;
}

}  // namespace holdfast::netlink
