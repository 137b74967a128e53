// Links and addresses of this network namespace as values, and the two tables that mirror the
// kernel's. Filled by the reflector from dumps and events; read by the planner and by whoever asks
// the reflector. Never talks to the kernel.
#pragma once

#include "core/address_scope.hpp"
#include "core/ip_address.hpp"
#include "core/mac_address.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::netlink {

/// The kernel's number of an interface, unique in its namespace while it exists. An interface that
/// is deleted and made again has the same name and another number. 0: none.
using InterfaceIndex = std::uint32_t;

/// RFC 2863 operational state. linux/if.h: IF_OPER_*.
enum class OperState : std::uint8_t {
  unknown,
  not_present,
  down,
  lower_layer_down,
  testing,
  dormant,
  up
};

[[nodiscard]] std::string_view to_string(OperState state);

/// An interface.
struct Link {
  InterfaceIndex index = 0;
  std::string name;
  /// IFF_UP: the administrator wants it to work.
  bool up = false;
  /// IFF_RUNNING: it has a carrier (or does not know).
  bool running = false;
  bool loopback = false;
  bool multicast = false;
  /// IFF_NOARP: nobody on this link asks for MAC addresses.
  bool no_arp = false;
  OperState operstate = OperState::unknown;
  /// nullopt: not an Ethernet-like link.
  std::optional<core::MacAddress> mac = {};
  std::uint32_t mtu = 0;
  /// The bridge, bond or VRF above this interface; 0: none.
  InterfaceIndex master = 0;
  /// The interface below (VLAN, macvlan) or, for veth, the other end; 0: none.
  InterfaceIndex lower = 0;
  /// "macvlan", "bridge" …; empty: a real one. IFLA_INFO_KIND.
  std::string kind = {};
  /// Of a macvlan or ipvlan. IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE.
  std::uint32_t mode = 0;
  /// Link group. IFLA_GROUP.
  std::uint32_t group = 0;
  /// What somebody wrote to it, by `ip link set alias`. IFLA_IFALIAS.
  std::string alias = {};

  /// Packets can be expected to pass.
  [[nodiscard]] bool is_usable() const { return up && running; }
  bool operator==(const Link&) const = default;
};

/// linux/if_addr.h: IFA_F_*.
inline constexpr std::uint32_t kFlagSecondary = 0x01;
inline constexpr std::uint32_t kFlagNoDad = 0x02;
inline constexpr std::uint32_t kFlagDadFailed = 0x08;
inline constexpr std::uint32_t kFlagHomeAddress = 0x10;
inline constexpr std::uint32_t kFlagDeprecated = 0x20;
inline constexpr std::uint32_t kFlagTentative = 0x40;
inline constexpr std::uint32_t kFlagPermanent = 0x80;
inline constexpr std::uint32_t kFlagManageTemporary = 0x100;
inline constexpr std::uint32_t kFlagNoPrefixRoute = 0x200;
inline constexpr std::uint32_t kFlagAutoJoin = 0x400;

/// IFA_PROTO, who put an address on its interface: a number without meaning to the kernel (Linux
/// 5.18 and later; older ones ignore it, and report 0). linux/if_addr.h takes 0 to 3 and iproute2's
/// rt_addrprotos names no others; 72 ('H') is unused there and among the routing protocols of
/// linux/rtnetlink.h and iproute2's rt_protos, whose numbers programs take over.
inline constexpr std::uint8_t kProtocolHoldfast = 72;
/// linux/rtnetlink.h: RTPROT_KEEPALIVED, which keepalived gives its addresses where it is told to.
inline constexpr std::uint8_t kProtocolKeepalived = 18;

/// Address lifetime without end. Unit: seconds. linux/if_addr.h: INFINITY_LIFE_TIME.
inline constexpr std::uint32_t kLifetimeForever = 0xffffffff;

/// What distinguishes two addresses of one interface for the kernel. IPv4: the same address may be
/// there several times, in different networks or with other prefix lengths (net/ipv4/devinet.c:
/// __inet_insert_ifa). IPv6: only once, so length and network stay empty (net/ipv6/addrconf.c:
/// ipv6_chk_same_addr).
struct AddressKey {
  InterfaceIndex interface = 0;
  core::IpAddress address;
  std::uint8_t length = 0;
  /// The network of the address, or of its peer if it has one.
  core::IpAddress network;

  auto operator<=>(const AddressKey&) const = default;
};

/// An address on an interface, with everything needed to put it back as it was.
struct Address {
  InterfaceIndex interface = 0;
  /// The local address with its prefix length, e.g. 192.168.1.200/24.
  core::IpPrefix prefix;
  /// The other end of a point-to-point address; nullopt: an ordinary address.
  std::optional<core::IpAddress> peer = {};
  /// IPv4 only: "eth0" or "eth0:vip". IFA_LABEL.
  std::string label;
  std::optional<core::IpAddress> broadcast = {};
  std::uint8_t scope = core::kScopeGlobal;
  /// kFlag…
  std::uint32_t flags = 0;
  /// Unit: seconds, as they were when the kernel reported them.
  std::uint32_t valid_lifetime = kLifetimeForever;
  std::uint32_t preferred_lifetime = kLifetimeForever;
  /// Metric of the prefix route; 0: the kernel's choice. IFA_RT_PRIORITY.
  std::uint32_t route_metric = 0;
  /// Who made it (0 unknown, 2 router advertisement …). IFA_PROTO, Linux 5.18 and later.
  std::uint8_t protocol = 0;

  [[nodiscard]] AddressKey key() const;
  [[nodiscard]] bool is_secondary() const { return (flags & kFlagSecondary) != 0; }
  bool operator==(const Address&) const = default;
};

/// True when the two would be in one group of primary and secondaries: IPv4, same interface, length
/// and network. net/ipv4/devinet.c: __inet_insert_ifa.
[[nodiscard]] bool share_subnet(const AddressKey& one, const AddressKey& other);

struct LinkAppeared {
  Link link;
  bool operator==(const LinkAppeared&) const = default;
};
struct LinkChanged {
  Link before;
  Link after;
  bool operator==(const LinkChanged&) const = default;
};
struct LinkVanished {
  Link link;
  bool operator==(const LinkVanished&) const = default;
};
using LinkEvent = std::variant<LinkAppeared, LinkChanged, LinkVanished>;

struct AddressAppeared {
  Address address;
  bool operator==(const AddressAppeared&) const = default;
};
struct AddressChanged {
  Address before;
  Address after;
  bool operator==(const AddressChanged&) const = default;
};
struct AddressVanished {
  Address address;
  bool operator==(const AddressVanished&) const = default;
};
using AddressEvent = std::variant<AddressAppeared, AddressChanged, AddressVanished>;
/// The address that it is about: as it is now, or was before it vanished.
[[nodiscard]] const Address& address_of(const AddressEvent& event);

/// Every interface of the namespace, found by number and by name.
class LinkTable {
 public:
  /// The kernel reported this link. nullopt: nothing that we keep is different.
  std::optional<LinkEvent> upsert(Link link);
  /// The kernel reported its end. nullopt: we did not know it.
  std::optional<LinkEvent> remove(InterfaceIndex index);
  /// Mark: from now on, links that are not upserted before sweep() count as gone.
  void begin_resync();
  /// Sweep: removes what was not seen since begin_resync() and returns it as events.
  [[nodiscard]] std::vector<LinkEvent> sweep();

  /// Valid until the table changes; nullptr: no such interface.
  [[nodiscard]] const Link* find(InterfaceIndex index) const;
  [[nodiscard]] const Link* find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return links_.size(); }
  /// Ordered by number.
  [[nodiscard]] std::vector<Link> all() const;

 private:
  struct Entry {
    Link link;
    bool seen = true;
  };
  void forget_name(const Link& link);

  std::map<InterfaceIndex, Entry> links_;
  std::map<std::string, InterfaceIndex, std::less<>> by_name_;
};

/// Every address of the namespace, by interface, in the order in which the kernel reported them.
class AddressTable {
 public:
  std::optional<AddressEvent> upsert(Address address);
  std::optional<AddressEvent> remove(const AddressKey& key);
  /// The interface is gone and its addresses with it (the kernel does not always say so one by
  /// one).
  [[nodiscard]] std::vector<AddressEvent> remove_interface(InterfaceIndex index);
  void begin_resync();
  [[nodiscard]] std::vector<AddressEvent> sweep();

  [[nodiscard]] const Address* find(const AddressKey& key) const;
  /// The interface has this address, with any length and network.
  [[nodiscard]] bool has(InterfaceIndex index, const core::IpAddress& address) const;
  /// This interface has it, and its duplicate detection is over.
  [[nodiscard]] bool is_usable(InterfaceIndex index, const core::IpAddress& address) const;
  /// Some interface has it, and its duplicate detection is over.
  [[nodiscard]] bool is_usable(const core::IpAddress& address) const;
  /// Addresses of one interface in the kernel's order, primaries and secondaries mixed.
  [[nodiscard]] std::vector<Address> on(InterfaceIndex index) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Address address;
    std::uint64_t order = 0;
    mutable bool seen = true;  // no part of what an entry is found by
  };
  /// By the key of the address, without keeping it: it is in the address.
  struct ByKey {
    using is_transparent = void;
    bool operator()(const Entry& one, const Entry& other) const;
    bool operator()(const Entry& one, const AddressKey& other) const;
    bool operator()(const AddressKey& one, const Entry& other) const;
  };

  /// Sorted by interface first, so that one interface is a range.
  std::set<Entry, ByKey> entries_;
  std::set<std::pair<core::IpAddress, InterfaceIndex>> places_;  // where an address is
  std::uint64_t last_order_ = 0;
};

/// The address to send from: the first primary of the family with the widest scope, then the first
/// secondary; addresses in `excluded` (ours to move between directors) never count. For IPv6 only
/// link-local addresses do (RFC 9568 §5.1.2.1), and none that are still tentative.
[[nodiscard]] std::optional<core::IpAddress> choose_source(
    std::span<const Address> addresses, core::Family family,
    std::span<const core::IpAddress> excluded);

}  // namespace holdfast::netlink
