#include "netlink_reflector/core/routing.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <span>
#include <tuple>

namespace holdfast::netlink {
namespace {

using Attributes = std::map<std::uint16_t, AttributeBytes>;

/// linux/ipv6.h: IP6_RT_PRIO_USER, where no metric is given.
constexpr std::uint32_t kMetricOfSix = 1024;

/// The length of an attribute is a number of 16 bits, and goes down with what is around it.
constexpr std::size_t kLongestAttribute = 32768;

std::uint32_t number_in(const AttributeBytes& bytes) {
  std::uint32_t number = 0;
  if (bytes.size() == sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

std::uint32_t metric_of(const RoutingEntry& route) {
  const auto found = route.attributes.find(RTA_PRIORITY);
  const std::uint32_t said = found == route.attributes.end() ? 0 : number_in(found->second);
  return said == 0 && route.family == core::Family::v6 ? kMetricOfSix : said;
}

Attributes nested_in(std::span<const std::uint8_t> bytes) {
  Attributes found;
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > bytes.size()) break;
    const auto value = bytes.subspan(sizeof header, header.rta_len - sizeof header);
    found[header.rta_type & NLA_TYPE_MASK].assign(value.begin(), value.end());
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(header.rta_len), bytes.size()));
  }
  return found;
}

void append(AttributeBytes& bytes, const void* from, std::size_t size) {
  const auto* begin = static_cast<const std::uint8_t*>(from);
  bytes.insert(bytes.end(), begin, begin + size);
}

void append_attribute(AttributeBytes& bytes, std::uint16_t type, const AttributeBytes& value) {
  rtattr header{};
  header.rta_type = type;
  header.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size()));
  append(bytes, &header, sizeof header);
  append(bytes, value.data(), value.size());
  bytes.resize(RTA_ALIGN(bytes.size()));
}

void append_leg(AttributeBytes& bytes, const DesiredLeg& leg, InterfaceIndex index) {
  AttributeBytes rest;
  for (const auto& [type, value] : leg.attributes) append_attribute(rest, type, value);
  rtnexthop header{};
  header.rtnh_len = static_cast<unsigned short>(sizeof header + rest.size());
  header.rtnh_flags = leg.on_link ? RTNH_F_ONLINK : 0;
  header.rtnh_hops = static_cast<unsigned char>(leg.weight - 1);
  header.rtnh_ifindex = static_cast<int>(index);
  append(bytes, &header, sizeof header);
  append(bytes, rest.data(), rest.size());
}

/// Interface (0: any), weight, on the link, gateway.
using Leg = std::tuple<int, int, bool, AttributeBytes>;

std::vector<Leg> legs_in(std::span<const std::uint8_t> bytes) {
  std::vector<Leg> legs;
  while (bytes.size() >= sizeof(rtnexthop)) {
    rtnexthop header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.rtnh_len < sizeof header || header.rtnh_len > bytes.size()) break;
    Attributes rest = nested_in(bytes.subspan(sizeof header, header.rtnh_len - sizeof header));
    AttributeBytes gateway = rest[RTA_GATEWAY];
    if (gateway.empty()) gateway = rest[RTA_VIA];
    legs.emplace_back(header.rtnh_ifindex, header.rtnh_hops,
                      (header.rtnh_flags & RTNH_F_ONLINK) != 0, std::move(gateway));
    bytes = bytes.subspan(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), bytes.size()));
  }
  return legs;
}

bool same_legs(const AttributeBytes& actual, const AttributeBytes& wanted) {
  std::vector<Leg> there = legs_in(actual);
  for (const Leg& leg : legs_in(wanted)) {
    const auto found = std::find_if(there.begin(), there.end(), [&](const Leg& one) {
      const bool same_interface = std::get<0>(leg) == 0 || std::get<0>(leg) == std::get<0>(one);
      return same_interface && std::get<1>(leg) == std::get<1>(one) &&
             std::get<2>(leg) == std::get<2>(one) && std::get<3>(leg) == std::get<3>(one);
    });
    if (found == there.end()) return false;
    there.erase(found);
  }
  return there.empty();
}

/// The kernel adds none, and is silent about zeros.
bool same_metrics(const AttributeBytes& actual, const AttributeBytes& wanted) {
  Attributes asked = nested_in(wanted);
  std::erase_if(asked, [](const auto& each) {
    return each.second.size() == sizeof(std::uint32_t) && number_in(each.second) == 0;
  });
  return nested_in(actual) == asked;
}

bool same_attribute(RoutingKind kind, std::uint16_t type, const AttributeBytes& actual,
                    const AttributeBytes& wanted) {
  if (kind == RoutingKind::route) {
    if (type == RTA_MULTIPATH) return same_legs(actual, wanted);
    if (type == RTA_METRICS) return same_metrics(actual, wanted);
    if (type == RTA_ENCAP) return true;  // written by the kernel in words of its own
  }
  return actual == wanted;
}

/// Not among what the kernel reports, or compared elsewhere.
bool is_silent(RoutingKind kind, std::uint16_t type) {
  return kind == RoutingKind::route &&
         (type == RTA_TTL_PROPAGATE || type == RTA_EXPIRES || type == RTA_PRIORITY);
}

/// With one of these that nobody asked for it is another route, or another rule.
bool is_telling(RoutingKind kind, std::uint16_t type, const AttributeBytes& value) {
  static constexpr std::array<std::uint16_t, 7> kOfRoutes{
      RTA_DST, RTA_SRC, RTA_GATEWAY, RTA_VIA, RTA_PREFSRC, RTA_MULTIPATH, RTA_ENCAP_TYPE};
  static constexpr std::array<std::uint16_t, 14> kOfRules{
      FRA_DST,      FRA_SRC,         FRA_IIFNAME,     FRA_OIFNAME, FRA_GOTO,
      FRA_FWMARK,   FRA_FLOW,        FRA_TUN_ID,      FRA_L3MDEV,  FRA_UID_RANGE,
      FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_PRIORITY};
  if (kind == RoutingKind::route)
    return std::find(kOfRoutes.begin(), kOfRoutes.end(), type) != kOfRoutes.end();
  if (type == FRA_SUPPRESS_PREFIXLEN || type == FRA_SUPPRESS_IFGROUP)
    return number_in(value) != 0xffffffff;
  return std::find(kOfRules.begin(), kOfRules.end(), type) != kOfRules.end();
}

bool same_header(const RoutingEntry& actual, const RoutingEntry& wanted) {
  // The kernel gives every route of IPv6 the same scope.
  const bool has_scope = wanted.kind == RoutingKind::route && wanted.family == core::Family::v4;
  return actual.kind == wanted.kind && actual.family == wanted.family &&
         actual.destination_length == wanted.destination_length &&
         actual.source_length == wanted.source_length && actual.tos == wanted.tos &&
         actual.protocol == wanted.protocol && (!has_scope || actual.scope == wanted.scope) &&
         actual.type == wanted.type && actual.flags == wanted.flags &&
         actual.table == wanted.table &&
         (wanted.kind == RoutingKind::rule || metric_of(actual) == metric_of(wanted));
}

/// The same for whatever may satisfy the other: kind, table and destination.
std::size_t place_of(const RoutingEntry& entry) {
  static_assert(std::uint16_t{RTA_DST} == std::uint16_t{FRA_DST});
  std::size_t place =
      static_cast<std::size_t>(entry.kind) * 2 + (entry.family == core::Family::v4 ? 0U : 1U);
  const auto mix = [&place](std::size_t value) { place = (place ^ value) * 0x100000001b3; };
  mix(entry.table);
  mix(entry.destination_length);
  const auto destination = entry.attributes.find(RTA_DST);
  if (entry.destination_length != 0 && destination != entry.attributes.end())
    for (const std::uint8_t byte : destination->second) mix(byte);
  return place;
}

}  // namespace

RoutingIndex::RoutingIndex(const std::vector<RoutingEntry>& actual) {
  by_place_.reserve(actual.size());
  for (const RoutingEntry& each : actual) by_place_.emplace(place_of(each), &each);
}

const RoutingEntry* RoutingIndex::find(const RoutingEntry& wanted) const {
  const auto [first, last] = by_place_.equal_range(place_of(wanted));
  const auto found =
      std::find_if(first, last, [&](const auto& each) { return satisfies(*each.second, wanted); });
  return found == last ? nullptr : found->second;
}

AttributeBytes bytes_of(const core::IpAddress& address) {
  return {address.bytes().begin(), address.bytes().end()};
}

AttributeBytes bytes_of(std::uint32_t number) {
  AttributeBytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

AttributeBytes bytes_of(std::string_view text) {
  AttributeBytes bytes(text.begin(), text.end());
  bytes.push_back(0);
  return bytes;
}

std::optional<core::IpAddress> source_of(const RoutingEntry& entry) {
  if (entry.kind != RoutingKind::route) return std::nullopt;
  const auto found = entry.attributes.find(RTA_PREFSRC);
  if (found == entry.attributes.end()) return std::nullopt;
  return core::IpAddress::from_bytes(found->second);
}

std::vector<InterfaceIndex> devices_of(const RoutingEntry& entry) {
  std::vector<InterfaceIndex> devices;
  if (entry.kind != RoutingKind::route) return devices;
  if (const auto one = entry.attributes.find(RTA_OIF); one != entry.attributes.end())
    devices.push_back(number_in(one->second));
  if (const auto many = entry.attributes.find(RTA_MULTIPATH); many != entry.attributes.end())
    for (const Leg& leg : legs_in(many->second))
      devices.push_back(static_cast<InterfaceIndex>(std::get<0>(leg)));
  return devices;
}

core::Result<RoutingEntry> resolve(const DesiredRouting& desired, const FindInterface& find) {
  if (!desired.problem.empty()) return core::Error(desired.problem, 0);
  RoutingEntry entry = desired.entry;
  if (!desired.interface.empty()) {
    const auto index = find(desired.interface);
    if (!index) return core::fail("there is no interface {}", desired.interface);
    entry.attributes[RTA_OIF] = bytes_of(*index);
  }
  AttributeBytes legs;
  for (const DesiredLeg& leg : desired.legs) {
    InterfaceIndex index = 0;
    if (!leg.interface.empty()) {
      const auto found = find(leg.interface);
      if (!found) return core::fail("there is no interface {}", leg.interface);
      index = *found;
    }
    append_leg(legs, leg, index);
  }
  if (!legs.empty()) entry.attributes[RTA_MULTIPATH] = std::move(legs);
  for (const auto& [type, value] : entry.attributes)
    if (value.size() > kLongestAttribute)
      return core::fail("it does not fit into a message to the kernel");
  if (desired.expires != 0) entry.attributes[RTA_EXPIRES] = bytes_of(desired.expires);
  return entry;
}

bool satisfies(const RoutingEntry& actual, const RoutingEntry& wanted) {
  if (!same_header(actual, wanted)) return false;
  for (const auto& [type, value] : wanted.attributes) {
    if (is_silent(wanted.kind, type)) continue;
    const auto there = actual.attributes.find(type);
    static const AttributeBytes kNone;
    const bool is_reported = there != actual.attributes.end();
    if (!is_reported && !(wanted.kind == RoutingKind::route && type == RTA_METRICS)) return false;
    if (!same_attribute(wanted.kind, type, is_reported ? there->second : kNone, value))
      return false;
  }
  return std::all_of(actual.attributes.begin(), actual.attributes.end(), [&](const auto& each) {
    return wanted.attributes.contains(each.first) ||
           !is_telling(actual.kind, each.first, each.second);
  });
}

}  // namespace holdfast::netlink
