// Routes and routing rules as values. A rule's message has the layout of a route's, so one value
// says either: a header, and attributes as bytes, kept as the kernel has them. Made by the daemons'
// wiring, completed here with what only the kernel knows (numbers of interfaces), compared with
// what the kernel reports.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"
#include "netlink_reflector/core/desired.hpp"
#include "netlink_reflector/core/table.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::netlink {

enum class RoutingKind : std::uint8_t { route, rule };

/// What an attribute holds, as on the wire: addresses in network order, numbers in the host's.
using AttributeBytes = std::vector<std::uint8_t>;
[[nodiscard]] AttributeBytes bytes_of(const core::IpAddress& address);
[[nodiscard]] AttributeBytes bytes_of(std::uint32_t number);
/// With the zero at its end.
[[nodiscard]] AttributeBytes bytes_of(std::string_view text);

/// linux/rtnetlink.h: rtmsg and RTA_*; linux/fib_rules.h: fib_rule_hdr and FRA_*.
struct RoutingEntry {
  RoutingKind kind = RoutingKind::route;
  core::Family family = core::Family::v4;
  std::uint8_t destination_length = 0;
  std::uint8_t source_length = 0;
  std::uint8_t tos = 0;
  std::uint8_t protocol = 0;  ///< Who set it: our mark.
  std::uint8_t scope = 0;     ///< Routes.
  std::uint8_t type = 0;      ///< Of a rule its action.
  std::uint32_t flags = 0;    ///< RTNH_F_ONLINK, FIB_RULE_INVERT; no others are kept.
  std::uint32_t table = 0;
  /// By type, without that of the table and of a rule's protocol.
  std::map<std::uint16_t, AttributeBytes> attributes = {};

  auto operator<=>(const RoutingEntry&) const = default;
};

/// One leg of a multipath route.
struct DesiredLeg {
  std::string interface = {};
  std::uint16_t weight = 1;
  bool on_link = false;
  std::map<std::uint16_t, AttributeBytes> attributes = {};

  bool operator==(const DesiredLeg&) const = default;
};

/// How a new route stands to others with the same destination and metric. keepalived: add, append,
/// prepend.
enum class Placing : std::uint8_t { before, alone, behind };

/// A route or rule as configured: interfaces by name. Names of a rule's interfaces are attributes.
struct DesiredRouting {
  RoutingEntry entry;
  std::string interface = {};  ///< `dev` of a route; empty: the kernel finds it.
  std::vector<DesiredLeg> legs = {};
  Placing placing = Placing::before;
  WhenTaken when_taken = WhenTaken::put_back;
  /// Seconds after which the kernel takes it off; 0: never. IPv6.
  std::uint32_t expires = 0;
  /// Empty, or why it cannot be said to the kernel: "there is no table named …".
  std::string problem = {};
  std::string text = {};  ///< For messages and status: "route 10.0.0.0/8 via 192.0.2.1".

  bool operator==(const DesiredRouting&) const = default;
};

/// A virtual address that a route takes for its packets' source; nullopt: none.
[[nodiscard]] std::optional<core::IpAddress> source_of(const RoutingEntry& entry);

/// The interfaces that its packets leave by; without the last of them the kernel takes it off.
[[nodiscard]] std::vector<InterfaceIndex> devices_of(const RoutingEntry& entry);

/// Finds the number of an interface; nullopt: there is none of that name.
using FindInterface = std::function<std::optional<InterfaceIndex>(const std::string& name)>;
/// As the kernel is to have it. Fails with a sentence where an interface is missing.
[[nodiscard]] core::Result<RoutingEntry> resolve(const DesiredRouting& desired,
                                                 const FindInterface& find);

/// `actual` is what `wanted` asks for; what the kernel chose where nothing was said does not count.
[[nodiscard]] bool satisfies(const RoutingEntry& actual, const RoutingEntry& wanted);

/// What the kernel has, found by what is asked for: thousands are looked for at each look. Holds
/// pointers into the list, which stays as it is meanwhile.
class RoutingIndex {
 public:
  explicit RoutingIndex(const std::vector<RoutingEntry>& actual);
  /// nullptr: nothing there satisfies `wanted`.
  [[nodiscard]] const RoutingEntry* find(const RoutingEntry& wanted) const;

 private:
  std::unordered_multimap<std::size_t, const RoutingEntry*> by_place_;
};

/// linux/rtnetlink.h: RTNH_F_ONLINK; linux/fib_rules.h: FIB_RULE_INVERT.
inline constexpr std::uint32_t kRouteOnLink = 4;
inline constexpr std::uint32_t kRuleInverted = 2;
/// linux/rtnetlink.h: RT_TABLE_MAIN.
inline constexpr std::uint32_t kMainTable = 254;

}  // namespace holdfast::netlink
