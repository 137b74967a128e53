#include "core/assertion.hpp"
#include "core/freed.hpp"
#include "netlink_reflector/core/codec.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <memory>

namespace holdfast::netlink {
namespace {

// Since Linux 5.18; older headers do not have it, older kernels ignore it.
constexpr int kAttributeProtocol = 11;

using MessageBuilder = std::unique_ptr<nl_msg, core::Freed<nlmsg_free>>;

MessageBuilder start(int type, int flags, std::uint32_t sequence, std::size_t room = 4096) {
  // NL_AUTO_PORT is 0: the kernel knows the sender from the socket.
  MessageBuilder message(nlmsg_alloc_size(room));
  HOLDFAST_ASSERT(message != nullptr, "out of memory");
  nlmsghdr* header = nlmsg_put(message.get(), 0, sequence, type, 0, NLM_F_REQUEST | flags);
  HOLDFAST_ASSERT(header != nullptr, "a fresh message has room for its header");
  return message;
}

void append_header(const MessageBuilder& message, const void* header, std::size_t length) {
  // nlmsg_append takes a pointer to non-const only for historical reasons.
  HOLDFAST_ASSERT(
      nlmsg_append(message.get(), const_cast<void*>(header), length, NLMSG_ALIGNTO) == 0,
      "a page holds any request of ours");
}

void put(const MessageBuilder& message, int type, std::span<const std::uint8_t> value) {
  HOLDFAST_ASSERT(nla_put(message.get(), type, static_cast<int>(value.size()), value.data()) == 0,
                  "a page holds any request of ours");
}

void put(const MessageBuilder& message, int type, const core::IpAddress& address) {
  put(message, type, address.bytes());
}

void put(const MessageBuilder& message, int type, std::uint32_t value) {
  HOLDFAST_ASSERT(nla_put_u32(message.get(), type, value) == 0, "a page holds any request of ours");
}

void append_to(const MessageBuilder& message, Bytes& datagram) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(nlmsg_hdr(message.get()));
  datagram.insert(datagram.end(), begin, begin + nlmsg_hdr(message.get())->nlmsg_len);
  datagram.resize(NLMSG_ALIGN(datagram.size()));
}

// The flags that a person or a tool sets; the others are the kernel's.
constexpr std::uint32_t kSettableFlags =
    kFlagNoDad | kFlagNoPrefixRoute | kFlagHomeAddress | kFlagManageTemporary | kFlagAutoJoin;

void put_attributes(const MessageBuilder& message, const Address& address) {
  put(message, IFA_LOCAL, address.prefix.address);
  put(message, IFA_ADDRESS, address.peer.value_or(address.prefix.address));
  if (address.broadcast) put(message, IFA_BROADCAST, *address.broadcast);
  if (!address.label.empty()) {
    HOLDFAST_ASSERT(nla_put_string(message.get(), IFA_LABEL, address.label.c_str()) == 0,
                    "a page holds any request of ours");
  }
  const std::uint32_t flags = address.flags & kSettableFlags;
  if (flags != 0) put(message, IFA_FLAGS, flags);
  if (address.route_metric != 0) put(message, IFA_RT_PRIORITY, address.route_metric);
  if (address.protocol != 0) {
    put(message, kAttributeProtocol, std::span(&address.protocol, std::size_t{1}));
  }
  if (address.valid_lifetime != kLifetimeForever ||
      address.preferred_lifetime != kLifetimeForever) {
    ifa_cacheinfo lifetimes{};
    lifetimes.ifa_valid = address.valid_lifetime;
    lifetimes.ifa_prefered = address.preferred_lifetime;
    put(message, IFA_CACHEINFO,
        std::span(reinterpret_cast<const std::uint8_t*>(&lifetimes), sizeof lifetimes));
  }
}

}  // namespace

Bytes encode_dump_links(std::uint32_t sequence) {
  const MessageBuilder message = start(RTM_GETLINK, NLM_F_DUMP, sequence);
  const ifinfomsg header{};
  append_header(message, &header, sizeof header);
  put(message, IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  Bytes datagram;
  append_to(message, datagram);
  return datagram;
}

Bytes encode_dump_addresses(std::uint32_t sequence) {
  const MessageBuilder message = start(RTM_GETADDR, NLM_F_DUMP, sequence);
  const ifaddrmsg header{};
  append_header(message, &header, sizeof header);
  Bytes datagram;
  append_to(message, datagram);
  return datagram;
}

void append_step(const Step& step, std::uint32_t sequence, Bytes& datagram) {
  const bool remove = step.kind == StepKind::remove;
  const MessageBuilder message =
      start(remove ? RTM_DELADDR : RTM_NEWADDR,
            remove ? NLM_F_ACK : NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence);
  const Address& address = step.address;
  ifaddrmsg header{};
  header.ifa_family = address.prefix.address.is_v4() ? AF_INET : AF_INET6;
  header.ifa_prefixlen = address.prefix.length;
  header.ifa_scope = address.scope;
  header.ifa_index = address.interface;
  append_header(message, &header, sizeof header);
  if (remove) {
    put(message, IFA_LOCAL, address.prefix.address);
    put(message, IFA_ADDRESS, address.peer.value_or(address.prefix.address));
  } else {
    put_attributes(message, address);
  }
  append_to(message, datagram);
}

Bytes encode_dump_routing(RoutingKind kind, core::Family family, std::uint8_t protocol,
                          std::uint32_t sequence) {
  const bool is_route = kind == RoutingKind::route;
  const MessageBuilder message = start(is_route ? RTM_GETROUTE : RTM_GETRULE, NLM_F_DUMP, sequence);
  rtmsg header{};
  header.rtm_family = family == core::Family::v4 ? AF_INET : AF_INET6;
  if (is_route) header.rtm_protocol = protocol;  // rules cannot be chosen by it
  append_header(message, &header, sizeof header);
  Bytes datagram;
  append_to(message, datagram);
  return datagram;
}

namespace {

int flags_of(Placing placing) {
  switch (placing) {
    case Placing::alone:
      return NLM_F_CREATE | NLM_F_EXCL;
    case Placing::behind:
      return NLM_F_CREATE | NLM_F_APPEND;
    case Placing::before:
      break;
  }
  return NLM_F_CREATE;
}

/// A route with hundreds of legs is longer than a page.
std::size_t room_for(const RoutingEntry& entry) {
  std::size_t bytes = 256;  // both headers, table and protocol
  for (const auto& [type, value] : entry.attributes) bytes += NLA_HDRLEN + NLA_ALIGN(value.size());
  return bytes;
}

}  // namespace

void append_routing(RoutingChange change, const RoutingEntry& entry, Placing placing,
                    std::uint32_t sequence, Bytes& datagram) {
  const bool is_route = entry.kind == RoutingKind::route;
  const bool removes = change == RoutingChange::remove;
  const int type =
      is_route ? (removes ? RTM_DELROUTE : RTM_NEWROUTE) : (removes ? RTM_DELRULE : RTM_NEWRULE);
  const MessageBuilder message =
      start(type, removes ? NLM_F_ACK : NLM_F_ACK | flags_of(placing), sequence, room_for(entry));
  rtmsg header{};
  header.rtm_family = entry.family == core::Family::v4 ? AF_INET : AF_INET6;
  header.rtm_dst_len = entry.destination_length;
  header.rtm_src_len = entry.source_length;
  header.rtm_tos = entry.tos;
  header.rtm_table = static_cast<std::uint8_t>(entry.table < 256 ? entry.table : 0);
  header.rtm_scope = entry.scope;
  header.rtm_type = entry.type;
  header.rtm_flags = entry.flags;
  if (is_route) header.rtm_protocol = entry.protocol;
  append_header(message, &header, sizeof header);
  put(message, RTA_TABLE, entry.table);
  if (!is_route && entry.protocol != 0)
    put(message, FRA_PROTOCOL, std::span(&entry.protocol, std::size_t{1}));
  for (const auto& [attribute, value] : entry.attributes) {
    // The kernel may have made less of a metric, and would not find the route by ours.
    if (removes && is_route && attribute == RTA_METRICS) continue;
    put(message, attribute, value);
  }
  append_to(message, datagram);
}

namespace {

void put(const MessageBuilder& message, int type, std::string_view text) {
  const std::string terminated(text);
  HOLDFAST_ASSERT(nla_put_string(message.get(), type, terminated.c_str()) == 0,
                  "a page holds any request of ours");
}

void put_link_info(const MessageBuilder& message, const DesiredDevice& device) {
  nlattr* info = nla_nest_start(message.get(), IFLA_LINKINFO);
  put(message, IFLA_INFO_KIND, to_string(device.kind));
  nlattr* data = nla_nest_start(message.get(), IFLA_INFO_DATA);
  if (device.kind == DeviceKind::macvlan) {
    put(message, IFLA_MACVLAN_MODE, device.mode);
  } else {
    const auto mode = static_cast<std::uint16_t>(device.mode);
    HOLDFAST_ASSERT(nla_put_u16(message.get(), IFLA_IPVLAN_MODE, mode) == 0 &&
                        nla_put_u16(message.get(), IFLA_IPVLAN_FLAGS, device.ipvlan_flags) == 0,
                    "a page holds any request of ours");
  }
  nla_nest_end(message.get(), data);
  nla_nest_end(message.get(), info);
}

}  // namespace

void append_device(const DesiredDevice& device, InterfaceIndex parent, std::uint32_t sequence,
                   Bytes& datagram) {
  const MessageBuilder message =
      start(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence);
  const ifinfomsg header{};
  append_header(message, &header, sizeof header);
  put(message, IFLA_IFNAME, std::string_view(device.name));
  put(message, IFLA_LINK, parent);
  if (device.mac) put(message, IFLA_ADDRESS, device.mac->bytes);
  put_link_info(message, device);
  append_to(message, datagram);
}

void append_device_up(const DesiredDevice& device, const Link& link, std::string_view alias,
                      std::uint32_t sequence, Bytes& datagram) {
  const MessageBuilder message = start(RTM_NEWLINK, NLM_F_ACK, sequence);
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(link.index);
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  append_header(message, &header, sizeof header);
  if (device.mac && link.mac != device.mac) put(message, IFLA_ADDRESS, device.mac->bytes);
  if (link.group != device.group) put(message, IFLA_GROUP, device.group);
  if (!alias.empty()) put(message, IFLA_IFALIAS, alias);
  // The mirror does not know the flags of an ipvlan (private, vepa).
  if (link.mode != device.mode || device.kind == DeviceKind::ipvlan) put_link_info(message, device);
  append_to(message, datagram);
}

void append_device_end(InterfaceIndex index, std::uint32_t sequence, Bytes& datagram) {
  const MessageBuilder message = start(RTM_DELLINK, NLM_F_ACK, sequence);
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  append_header(message, &header, sizeof header);
  append_to(message, datagram);
}

void append_device_group(InterfaceIndex index, std::uint32_t group, std::uint32_t sequence,
                         Bytes& datagram) {
  const MessageBuilder message = start(RTM_NEWLINK, NLM_F_ACK, sequence);
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  append_header(message, &header, sizeof header);
  put(message, IFLA_GROUP, group);
  append_to(message, datagram);
}

void append_group_end(std::uint32_t group, std::uint32_t sequence, Bytes& datagram) {
  const MessageBuilder message = start(RTM_DELLINK, NLM_F_ACK, sequence);
  const ifinfomsg header{};
  append_header(message, &header, sizeof header);
  put(message, IFLA_GROUP, group);
  append_to(message, datagram);
}

}  // namespace holdfast::netlink
