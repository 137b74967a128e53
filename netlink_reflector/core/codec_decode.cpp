#include "netlink_reflector/core/codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace holdfast::netlink {
namespace {

constexpr std::size_t kAttributeProtocol = 11;

using View = std::span<const std::uint8_t>;

/// Attributes by type; an absent one is an empty view without data.
template <std::size_t Count>
using Attributes = std::array<View, Count>;

/// Copies a kernel structure out of bytes that may be unaligned.
template <class T>
std::optional<T> read_struct(View bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

View skip(View bytes, std::size_t count) {
  return bytes.subspan(std::min(NLMSG_ALIGN(count), bytes.size()));
}

template <std::size_t Count>
Attributes<Count> read_attributes(View bytes) {
  Attributes<Count> found{};
  while (const auto header = read_struct<nlattr>(bytes)) {
    if (header->nla_len < NLA_HDRLEN || header->nla_len > bytes.size()) break;
    const std::size_t type = header->nla_type & NLA_TYPE_MASK;
    if (type < Count) found.at(type) = bytes.subspan(NLA_HDRLEN, header->nla_len - NLA_HDRLEN);
    bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(header->nla_len), bytes.size()));
  }
  return found;
}

std::uint32_t read_u32(View bytes, std::uint32_t otherwise) {
  return read_struct<std::uint32_t>(bytes).value_or(otherwise);
}

/// Up to the terminating zero, or all of it.
std::string read_string(View bytes) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return bytes.empty() ? std::string() : std::string(text, strnlen(text, bytes.size()));
}

OperState read_operstate(View bytes) {
  const auto raw = read_struct<std::uint8_t>(bytes).value_or(0);
  return raw <= static_cast<std::uint8_t>(OperState::up) ? OperState{raw} : OperState::unknown;
}

// What a driver says for itself: MODE is the first attribute of a macvlan and of an ipvlan, 32 and
// 16 bits wide.
void read_link_info(View bytes, Link& link) {
  const auto info = read_attributes<IFLA_INFO_DATA + 1>(bytes);
  link.kind = read_string(info[IFLA_INFO_KIND]);
  if (link.kind != "macvlan" && link.kind != "macvtap" && link.kind != "ipvlan") return;
  static_assert(IFLA_MACVLAN_MODE == 1 && IFLA_IPVLAN_MODE == 1);
  const View mode = read_attributes<IFLA_MACVLAN_MODE + 1>(info[IFLA_INFO_DATA])[1];
  link.mode = read_u32(mode, read_struct<std::uint16_t>(mode).value_or(0));
}

Payload decode_link(View body, bool gone) {
  const auto header = read_struct<ifinfomsg>(body);
  // Bridges report their ports in messages of their own family; leaving a bridge is not an end.
  if (!header || header->ifi_family != AF_UNSPEC || header->ifi_index <= 0) return Unknown{};
  const auto attributes = read_attributes<IFLA_LINK_NETNSID + 1>(skip(body, sizeof(ifinfomsg)));
  LinkReport report;
  report.gone = gone;
  Link& link = report.link;
  link.index = static_cast<InterfaceIndex>(header->ifi_index);
  link.name = read_string(attributes[IFLA_IFNAME]);
  if (link.name.empty() && !gone) return Unknown{};  // a wireless event, not a description
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.running = (header->ifi_flags & IFF_RUNNING) != 0;
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  link.multicast = (header->ifi_flags & IFF_MULTICAST) != 0;
  link.no_arp = (header->ifi_flags & IFF_NOARP) != 0;
  link.operstate = read_operstate(attributes[IFLA_OPERSTATE]);
  link.mtu = read_u32(attributes[IFLA_MTU], 0);
  link.master = read_u32(attributes[IFLA_MASTER], 0);
  read_link_info(attributes[IFLA_LINKINFO], link);
  link.group = read_u32(attributes[IFLA_GROUP], 0);
  link.alias = read_string(attributes[IFLA_IFALIAS]);
  // With a namespace id the number below belongs to another namespace and means nothing here.
  if (attributes[IFLA_LINK_NETNSID].empty()) link.lower = read_u32(attributes[IFLA_LINK], 0);
  if (header->ifi_type == ARPHRD_ETHER) {
    if (const auto mac = read_struct<std::array<std::uint8_t, 6>>(attributes[IFLA_ADDRESS])) {
      link.mac = core::MacAddress{*mac};
    }
  }
  return report;
}

Payload decode_address(View body, bool gone) {
  const auto header = read_struct<ifaddrmsg>(body);
  if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) {
    return Unknown{};
  }
  const auto attributes = read_attributes<kAttributeProtocol + 1>(skip(body, sizeof(ifaddrmsg)));
  const auto given = core::IpAddress::from_bytes(attributes[IFA_ADDRESS]);
  const auto local = core::IpAddress::from_bytes(attributes[IFA_LOCAL]);
  const auto& address = local ? local : given;  // IPv6 gives IFA_LOCAL only together with a peer
  const bool is_v4 = header->ifa_family == AF_INET;
  if (!address || address->is_v4() != is_v4 || header->ifa_prefixlen > address->max_prefix_length())
    return Unknown{};

  AddressReport report;
  report.gone = gone;
  Address& result = report.address;
  result.interface = header->ifa_index;
  result.prefix = {*address, header->ifa_prefixlen};
  if (given && *given != *address && given->is_v4() == is_v4) result.peer = *given;
  result.label = read_string(attributes[IFA_LABEL]);
  result.broadcast = core::IpAddress::from_bytes(attributes[IFA_BROADCAST]);
  result.scope = header->ifa_scope;
  result.flags = read_u32(attributes[IFA_FLAGS], header->ifa_flags);
  result.route_metric = read_u32(attributes[IFA_RT_PRIORITY], 0);
  result.protocol = read_struct<std::uint8_t>(attributes[kAttributeProtocol]).value_or(0);
  if (const auto lifetimes = read_struct<ifa_cacheinfo>(attributes[IFA_CACHEINFO])) {
    result.valid_lifetime = lifetimes->ifa_valid;
    result.preferred_lifetime = lifetimes->ifa_prefered;
  }
  return report;
}

/// Of no use for telling routes apart, or different each time. FRA_PAD has RTA_CACHEINFO's number.
bool is_kept(RoutingKind kind, std::uint16_t type) {
  if (kind == RoutingKind::rule) return type != FRA_PAD;
  return type != RTA_CACHEINFO && type != RTA_PAD;
}

// rtmsg and fib_rule_hdr have one layout: twelve bytes, the same members at the same places.
Payload decode_routing(RoutingKind kind, View body, bool gone) {
  const auto header = read_struct<rtmsg>(body);
  if (!header || (header->rtm_family != AF_INET && header->rtm_family != AF_INET6))
    return Unknown{};
  RoutingReport report{.entry = {.kind = kind}, .gone = gone};
  RoutingEntry& entry = report.entry;
  entry.family = header->rtm_family == AF_INET ? core::Family::v4 : core::Family::v6;
  entry.destination_length = header->rtm_dst_len;
  entry.source_length = header->rtm_src_len;
  entry.tos = header->rtm_tos;
  entry.table = header->rtm_table;
  entry.type = header->rtm_type;
  const bool is_route = kind == RoutingKind::route;
  if (is_route) entry.scope = header->rtm_scope;
  if (is_route) entry.protocol = header->rtm_protocol;
  entry.flags = header->rtm_flags & (is_route ? kRouteOnLink : kRuleInverted);
  View bytes = skip(body, sizeof(rtmsg));
  while (const auto attribute = read_struct<nlattr>(bytes)) {
    if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > bytes.size()) break;
    const auto type = static_cast<std::uint16_t>(attribute->nla_type & NLA_TYPE_MASK);
    const View value = bytes.subspan(NLA_HDRLEN, attribute->nla_len - NLA_HDRLEN);
    if (type == RTA_TABLE)
      entry.table = read_u32(value, entry.table);
    else if (!is_route && type == FRA_PROTOCOL)
      entry.protocol = read_struct<std::uint8_t>(value).value_or(0);
    else if (is_kept(kind, type))
      entry.attributes[type].assign(value.begin(), value.end());
    bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(attribute->nla_len), bytes.size()));
  }
  return report;
}

/// The kernel sends negated errno values; anything else is not an answer of a kernel.
int read_errno(int raw) {
  return raw <= 0 && raw > -4096 ? -raw : EPROTO;
}

Payload decode_answer(View body, std::uint16_t header_flags) {
  const auto error = read_struct<nlmsgerr>(body);
  if (!error) return Unknown{};
  Answer answer{read_errno(error->error), {}};
  if ((header_flags & NLM_F_ACK_TLVS) == 0) return answer;
  // The request follows, whole unless capped, then the attributes.
  const std::size_t echoed =
      (header_flags & NLM_F_CAPPED) != 0 ? sizeof(nlmsghdr) : error->msg.nlmsg_len;
  const View rest = skip(body, sizeof(int) + echoed);
  answer.text = read_string(read_attributes<NLMSGERR_ATTR_MSG + 1>(rest)[NLMSGERR_ATTR_MSG]);
  return answer;
}

Payload decode_payload(const nlmsghdr& header, View body) {
  switch (header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return decode_link(body, header.nlmsg_type == RTM_DELLINK);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return decode_address(body, header.nlmsg_type == RTM_DELADDR);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return decode_routing(RoutingKind::route, body, header.nlmsg_type == RTM_DELROUTE);
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return decode_routing(RoutingKind::rule, body, header.nlmsg_type == RTM_DELRULE);
    case NLMSG_ERROR:
      return decode_answer(body, header.nlmsg_flags);
    case NLMSG_DONE:
      return DumpDone{read_errno(read_struct<int>(body).value_or(0))};
    default:
      return Unknown{};
  }
}

}  // namespace

bool decode_datagram(View datagram, const std::function<void(const Message&)>& take) {
  while (!datagram.empty()) {
    const auto header = read_struct<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
      return false;
    }
    const View body = datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    take(Message{header->nlmsg_seq, (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0,
                 decode_payload(*header, body)});
    datagram = skip(datagram, header->nlmsg_len);
  }
  return true;
}

}  // namespace holdfast::netlink
