#include "vrrp/routing_wiring.hpp"

#include "vrrp/encap.hpp"
#include "vrrp/route_metrics.hpp"
#include "vrrp/routing_names.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <span>
#include <string_view>
#include <tuple>

namespace holdfast::vrrp {
namespace {

using config::LineOption;
using netlink::AttributeBytes;
using netlink::bytes_of;
using netlink::DesiredRouting;

/// linux/icmpv6.h: ICMPV6_ROUTER_PREF_*.
constexpr std::uint8_t kPreferenceHigh = 1;
constexpr std::uint8_t kPreferenceLow = 3;
/// The kernel counts down from 32766; keepalived from here.
constexpr std::uint32_t kFirstRulePriority = 16384;

std::uint8_t type_of(config::RouteType type) {
  switch (type) {
    case config::RouteType::unicast:
      return RTN_UNICAST;
    case config::RouteType::local:
      return RTN_LOCAL;
    case config::RouteType::broadcast:
      return RTN_BROADCAST;
    case config::RouteType::anycast:
      return RTN_ANYCAST;
    case config::RouteType::multicast:
      return RTN_MULTICAST;
    case config::RouteType::blackhole:
      return RTN_BLACKHOLE;
    case config::RouteType::unreachable:
      return RTN_UNREACHABLE;
    case config::RouteType::prohibit:
      return RTN_PROHIBIT;
    case config::RouteType::throw_:
      return RTN_THROW;
    case config::RouteType::nat:
      return RTN_NAT;
    case config::RouteType::xresolve:
      return RTN_XRESOLVE;
  }
  return RTN_UNSPEC;
}

/// keepalived gives global everywhere; the kernel refuses that for these.
std::uint8_t scope_of(config::RouteType type) {
  if (type == config::RouteType::local || type == config::RouteType::nat) return RT_SCOPE_HOST;
  const bool is_of_the_link = type == config::RouteType::broadcast ||
                              type == config::RouteType::anycast ||
                              type == config::RouteType::multicast;
  return is_of_the_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

AttributeBytes byte_of(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number)};
}

/// Fails the line, once, where nobody knows the name.
std::uint32_t named(DesiredRouting& line, NameOf what, std::string_view text) {
  const auto number = number_of(what, text);
  if (!number && line.problem.empty())
    line.problem = fmt::format("there is no {} named '{}'", to_string(what), text);
  return number.value_or(0);
}

/// "5", "5/6": source and destination.
std::uint32_t realms_of(DesiredRouting& line, std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::uint32_t first = named(line, NameOf::realm, text.substr(0, slash));
  if (slash == std::string_view::npos) return first;
  return first << 16U | named(line, NameOf::realm, text.substr(slash + 1));
}

/// The kernel refuses bits beyond the length.
core::IpAddress network_of(const core::IpPrefix& prefix) {
  std::array<std::uint8_t, 16> bytes{};
  const std::span<const std::uint8_t> from = prefix.address.bytes();
  for (std::size_t at = 0; at < from.size(); ++at) {
    const int bits = std::clamp(static_cast<int>(prefix.length) - static_cast<int>(at) * 8, 0, 8);
    bytes[at] = static_cast<std::uint8_t>(from[at] & ~(0xFFU >> static_cast<unsigned>(bits)));
  }
  return *core::IpAddress::from_bytes(std::span(bytes).first(from.size()));
}

void set_prefix(const core::IpPrefix& prefix, std::uint16_t type, std::uint8_t& length,
                netlink::RoutingEntry& entry) {
  length = prefix.length;
  if (length != 0) entry.attributes[type] = bytes_of(network_of(prefix));
}

/// A gateway of the other family travels with its family in front.
void set_gateway(const core::IpAddress& via, core::Family family,
                 std::map<std::uint16_t, AttributeBytes>& attributes) {
  if (via.family() == family) {
    attributes[RTA_GATEWAY] = bytes_of(via);
    return;
  }
  const auto number = static_cast<std::uint16_t>(via.is_v4() ? AF_INET : AF_INET6);
  AttributeBytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  bytes.insert(bytes.end(), via.bytes().begin(), via.bytes().end());
  attributes[RTA_VIA] = std::move(bytes);
}

// ---- routes ----

void set_option(const LineOption& option, DesiredRouting& line) {
  netlink::RoutingEntry& entry = line.entry;
  const std::string value = option.values.empty() ? std::string() : option.values.back();
  if (option.name == "from") {
    if (const auto prefix = core::IpPrefix::parse(value))
      set_prefix(*prefix, RTA_SRC, entry.source_length, entry);
  } else if (option.name == "tos") {
    entry.tos = static_cast<std::uint8_t>(named(line, NameOf::dsfield, value));
  } else if (option.name == "protocol") {
    entry.protocol = static_cast<std::uint8_t>(named(line, NameOf::protocol, value));
  } else if (option.name == "expires") {
    line.expires = decimal(value);
  } else if (option.name == "realms") {
    entry.attributes[RTA_FLOW] = bytes_of(realms_of(line, value));
  } else if (option.name == "pref") {
    const std::uint8_t code = value == "high"  ? kPreferenceHigh
                              : value == "low" ? kPreferenceLow
                                               : 0;
    entry.attributes[RTA_PREF] = byte_of(code);
  } else if (option.name == "ttl-propagate") {
    entry.attributes[RTA_TTL_PROPAGATE] = byte_of(value == "enabled" ? 1 : 0);
  } else if (option.name == "add") {
    line.placing = netlink::Placing::alone;
  } else if (option.name == "append") {
    line.placing = netlink::Placing::behind;
  } else if (option.name == "encap") {
    set_encap(option.values, entry.attributes);
  }
}

netlink::DesiredLeg leg_of(const config::NextHop& written, core::Family family,
                           DesiredRouting& line) {
  netlink::DesiredLeg leg{
      .interface = written.interface, .weight = written.weight, .on_link = written.on_link};
  if (written.via) set_gateway(*written.via, family, leg.attributes);
  for (const LineOption& option : written.others) {
    if (option.name == "realms")
      leg.attributes[RTA_FLOW] = bytes_of(realms_of(line, option.values.back()));
    else if (option.name == "encap")
      set_encap(option.values, leg.attributes);
  }
  return leg;
}

/// The kernel shows a multipath route with one leg as an ordinary one: it is said so at once.
void straighten(DesiredRouting& line) {
  netlink::DesiredLeg leg = std::move(line.legs.front());
  line.legs.clear();
  if (!leg.interface.empty()) line.interface = std::move(leg.interface);
  if (leg.on_link) line.entry.flags |= netlink::kRouteOnLink;
  for (auto& [type, value] : leg.attributes) line.entry.attributes[type] = std::move(value);
}

std::string text_of(const config::Route& written, const DesiredRouting& line) {
  const core::IpPrefix& to = written.destination;
  std::string text = "route ";
  if (written.type != config::RouteType::unicast)
    text += fmt::format("{} ", config::to_string(written.type));
  const bool is_default = to.length == 0 && to.address.is_unspecified();
  text += is_default ? (to.address.is_v4() ? "default" : "inet6 default") : to.to_string();
  if (written.via) text += fmt::format(" via {}", written.via->to_string());
  for (const config::NextHop& each : written.next_hops)
    text += fmt::format(" nexthop {}", each.via ? each.via->to_string() : each.interface);
  if (!written.interface.empty()) text += fmt::format(" dev {}", written.interface);
  if (!written.table.empty()) text += fmt::format(" table {}", written.table);
  if (written.metric) text += fmt::format(" metric {}", *written.metric);
  if (line.entry.tos != 0) text += fmt::format(" tos {:#x}", line.entry.tos);
  return text;
}

// ---- rules ----

/// "80", "80-90": two numbers of 16 or 32 bits.
template <class Number>
AttributeBytes range_of(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto low = static_cast<Number>(decimal(text.substr(0, dash)));
  const auto high =
      dash == std::string_view::npos ? low : static_cast<Number>(decimal(text.substr(dash + 1)));
  AttributeBytes bytes(2 * sizeof(Number));
  std::memcpy(bytes.data(), &low, sizeof low);
  std::memcpy(bytes.data() + sizeof low, &high, sizeof high);
  return bytes;
}

bool set_action(const LineOption& option, DesiredRouting& line) {
  static const std::map<std::string_view, std::uint8_t> kActions{
      {"goto", FR_ACT_GOTO},           {"nop", FR_ACT_NOP},
      {"blackhole", FR_ACT_BLACKHOLE}, {"unreachable", FR_ACT_UNREACHABLE},
      {"prohibit", FR_ACT_PROHIBIT},   {"l3mdev", FR_ACT_TO_TBL}};
  const auto found = kActions.find(option.name);
  if (found == kActions.end()) return false;
  line.entry.type = found->second;
  if (option.name == "goto")
    line.entry.attributes[FRA_GOTO] = bytes_of(decimal(option.values.back()));
  if (option.name == "l3mdev") line.entry.attributes[FRA_L3MDEV] = byte_of(1);
  return true;
}

void set_rule_option(const LineOption& option, DesiredRouting& line) {
  if (set_action(option, line)) return;
  netlink::RoutingEntry& entry = line.entry;
  const std::string value = option.values.empty() ? std::string() : option.values.back();
  if (option.name == "tos") {
    entry.tos = static_cast<std::uint8_t>(named(line, NameOf::dsfield, value));
  } else if (option.name == "realms") {
    entry.attributes[FRA_FLOW] = bytes_of(realms_of(line, value));
  } else if (option.name == "suppress_prefixlength") {
    entry.attributes[FRA_SUPPRESS_PREFIXLEN] = bytes_of(decimal(value));
  } else if (option.name == "suppress_ifgroup") {
    entry.attributes[FRA_SUPPRESS_IFGROUP] = bytes_of(named(line, NameOf::group, value));
  } else if (option.name == "tunnel-id") {
    entry.attributes[FRA_TUN_ID] = big_endian(decimal(value), sizeof(std::uint64_t));
  } else if (option.name == "uidrange") {
    entry.attributes[FRA_UID_RANGE] = range_of<std::uint32_t>(value);
  } else if (option.name == "protocol") {
    entry.protocol = static_cast<std::uint8_t>(named(line, NameOf::protocol, value));
  } else if (option.name == "ip_proto") {
    entry.attributes[FRA_IP_PROTO] = byte_of(named(line, NameOf::ip_protocol, value));
  } else if (option.name == "sport") {
    entry.attributes[FRA_SPORT_RANGE] = range_of<std::uint16_t>(value);
  } else if (option.name == "dport") {
    entry.attributes[FRA_DPORT_RANGE] = range_of<std::uint16_t>(value);
  }
}

std::string text_of(const config::Rule& written, std::uint32_t priority) {
  std::string text = fmt::format("rule {}", priority);
  if (written.family == core::Family::v6) text += " inet6";
  if (written.inverted) text += " not";
  if (written.from) text += fmt::format(" from {}", written.from->to_string());
  if (written.to) text += fmt::format(" to {}", written.to->to_string());
  if (written.fwmark) text += fmt::format(" fwmark {:#x}", *written.fwmark);
  if (!written.in_interface.empty()) text += fmt::format(" iif {}", written.in_interface);
  if (!written.out_interface.empty()) text += fmt::format(" oif {}", written.out_interface);
  for (const LineOption& option : written.others)
    text += fmt::format(" {} {}", option.name, fmt::join(option.values, " "));
  if (!written.table.empty()) text += fmt::format(" table {}", written.table);
  return text;
}

netlink::WhenTaken when_taken(bool no_track) {
  return no_track ? netlink::WhenTaken::stay_away : netlink::WhenTaken::put_back;
}

}  // namespace

DesiredRouting routing_of(const config::Route& written) {
  DesiredRouting line{.entry = {.kind = netlink::RoutingKind::route,
                                .family = written.destination.address.family(),
                                .protocol = netlink::kProtocolKeepalived,
                                .scope = written.scope.value_or(scope_of(written.type)),
                                .type = type_of(written.type),
                                .flags = written.on_link ? netlink::kRouteOnLink : 0},
                      .interface = written.interface,
                      .when_taken = when_taken(written.no_track)};
  netlink::RoutingEntry& entry = line.entry;
  set_prefix(written.destination, RTA_DST, entry.destination_length, entry);
  entry.table =
      written.table.empty() ? netlink::kMainTable : named(line, NameOf::table, written.table);
  // `src 0.0.0.0` is a habit of old files: any source, for the kernel too.
  if (written.source && !written.source->is_unspecified())
    entry.attributes[RTA_PREFSRC] = bytes_of(*written.source);
  if (written.via) set_gateway(*written.via, entry.family, entry.attributes);
  if (written.metric) entry.attributes[RTA_PRIORITY] = bytes_of(*written.metric);
  for (const LineOption& option : written.others) set_option(option, line);
  set_metrics(written, line.entry.attributes);
  for (const config::NextHop& each : written.next_hops)
    line.legs.push_back(leg_of(each, entry.family, line));
  if (line.legs.size() == 1) straighten(line);
  // Two routes of IPv6 with one metric would become one with two gateways.
  if (entry.family == core::Family::v6 && line.placing == netlink::Placing::before)
    line.placing = netlink::Placing::alone;
  line.text = text_of(written, line);
  return line;
}

DesiredRouting routing_of(const config::Rule& written, std::uint32_t priority) {
  DesiredRouting line{.entry = {.kind = netlink::RoutingKind::rule,
                                .family = written.family,
                                .protocol = netlink::kProtocolKeepalived,
                                .type = FR_ACT_TO_TBL,
                                .flags = written.inverted ? netlink::kRuleInverted : 0},
                      .placing = netlink::Placing::alone,
                      .when_taken = when_taken(written.no_track)};
  netlink::RoutingEntry& entry = line.entry;
  if (written.from) set_prefix(*written.from, FRA_SRC, entry.source_length, entry);
  if (written.to) set_prefix(*written.to, FRA_DST, entry.destination_length, entry);
  if (!written.table.empty()) entry.table = named(line, NameOf::table, written.table);
  entry.attributes[FRA_PRIORITY] = bytes_of(priority);
  if (written.fwmark) {
    entry.attributes[FRA_FWMARK] = bytes_of(*written.fwmark);
    entry.attributes[FRA_FWMASK] = bytes_of(written.fwmask.value_or(0xffffffff));
  }
  if (!written.in_interface.empty())
    entry.attributes[FRA_IIFNAME] = bytes_of(std::string_view(written.in_interface));
  if (!written.out_interface.empty())
    entry.attributes[FRA_OIFNAME] = bytes_of(std::string_view(written.out_interface));
  for (const LineOption& option : written.others) set_rule_option(option, line);
  line.text = text_of(written, priority);
  return line;
}

RulePriorities::RulePriorities(const config::Model& model) {
  std::vector<const config::Rule*> without;
  const auto collect = [&](const std::vector<config::Rule>& rules) {
    for (const config::Rule& each : rules)
      if (!each.priority) without.push_back(&each);
  };
  collect(model.static_rules);
  for (const config::VrrpInstance& each : model.instances) collect(each.virtual_rules);
  std::stable_sort(without.begin(), without.end(), [](const auto* one, const auto* other) {
    return std::tuple(one->location.file, one->location.line) <
           std::tuple(other->location.file, other->location.line);
  });
  std::uint32_t next[] = {kFirstRulePriority, kFirstRulePriority};
  for (const config::Rule* each : without)
    given_[each] = next[each->family == core::Family::v4 ? 0 : 1]--;
}

std::uint32_t RulePriorities::of(const config::Rule& rule) const {
  return rule.priority ? *rule.priority : given_.at(&rule);
}

RoutingList routing_of(const std::vector<config::Route>& routes,
                       const std::vector<config::Rule>& rules, const RulePriorities& priorities) {
  RoutingList list;
  for (const config::Route& each : routes) list.push_back(routing_of(each));
  for (const config::Rule& each : rules) list.push_back(routing_of(each, priorities.of(each)));
  return list;
}

}  // namespace holdfast::vrrp
