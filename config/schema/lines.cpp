// Rows of the table: the option words of addresses, routes and routing rules, and of the words of
// global_defs that take options. What a line begins with (an address, a destination) has no row.
#include "config/schema/notices.hpp"
#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;
constexpr std::int64_t kAny16 = 65'535;

constexpr std::string_view kScopes = "global site link host nowhere";
constexpr Arg scope() {
  return {.type = ArgType::choice, .low = 0, .high = 255, .words = kScopes};
}
constexpr Arg number() {
  return integer(0, kAny32);
}

constexpr std::string_view kNoAddressOption =
    "accepted, without effect yet: options of addresses beyond dev, label, brd and scope";

constexpr Keyword kAddressList[] = {
    {.name = "dev",
     .args = {of(ArgType::interface)},
     .fallback = "the instance's interface",
     .doc = "interface that gets the address"},
    {.name = "label", .args = {word("label")}, .doc = "name of the address, such as eth0:vip"},
    {.name = "brd",
     .args = {word("address, + or -")},
     .doc = "broadcast address; +: host bits set, -: host bits clear"},
    {.name = "broadcast", .args = {word("address, + or -")}, .alias_of = "brd"},
    {.name = "scope", .args = {scope()}, .fallback = "global", .doc = "scope of the address"},
    {.name = "peer",
     .args = {of(ArgType::prefix)},
     .effect = Effect::inert,
     .doc = "other end of a point-to-point link",
     .notice = kNoAddressOption},
    {.name = "home",
     .effect = Effect::inert,
     .doc = "home address (IFA_F_HOMEADDRESS)",
     .notice = kNoAddressOption},
    {.name = "-nodad",
     .effect = Effect::inert,
     .doc = "duplicate address detection is done",
     .notice = kNoAddressOption},
    {.name = "mngtmpaddr",
     .effect = Effect::inert,
     .doc = "the kernel makes temporary addresses from it",
     .notice = kNoAddressOption},
    {.name = "noprefixroute",
     .effect = Effect::inert,
     .doc = "no route to its prefix",
     .notice = kNoAddressOption},
    {.name = "autojoin",
     .effect = Effect::inert,
     .doc = "join the multicast group of that address",
     .notice = kNoAddressOption},
    {.name = "no_track", .doc = "stays away when somebody removes it, until the next takeover"},
    {.name = "preferred_lft",
     .args = {Arg{.type = ArgType::choice, .low = 0, .high = kAny32, .words = "forever"}},
     .effect = Effect::inert,
     .fallback = "forever; 0 for an IPv6 /128",
     .doc = "preferred lifetime, seconds",
     .notice = kNoAddressOption},
    {.name = "use_vmac",
     .effect = Effect::inert,
     .doc = "put it on a virtual MAC interface of that interface",
     .notice = kNoVmac},
    {.name = "track_group",
     .args = {word("name")},
     .effect = Effect::inert,
     .doc = "instances that go down with this static address",
     .notice = kNoAddressOption},
};

// A word that is kept as it was written.
constexpr Keyword kept(std::string_view name, std::array<Arg, kMaxArgs> args,
                       std::string_view doc) {
  return {.name = name, .args = args, .doc = doc};
}
constexpr Keyword same_as(std::string_view name, std::array<Arg, kMaxArgs> args,
                          std::string_view alias_of) {
  return {.name = name, .args = args, .alias_of = alias_of};
}

constexpr Arg lock() {
  return optional(choice("lock"));
}

constexpr Keyword kRouteList[] = {
    kept("to", {}, "the destination follows"),
    kept("unicast", {}, "an ordinary route"),
    kept("local", {}, "to this host"),
    kept("broadcast", {}, "to all on a link"),
    same_as("brd", {}, "broadcast"),
    kept("anycast", {}, "to one of several hosts"),
    kept("multicast", {}, "to a group"),
    kept("throw", {}, "look into the next table"),
    kept("unreachable", {}, "refuse with ICMP unreachable"),
    kept("prohibit", {}, "refuse with ICMP prohibited"),
    kept("blackhole", {}, "drop silently"),
    kept("nat", {}, "an old type: address translation"),
    kept("xresolve", {}, "an old type: ask another process"),
    kept("inet", {}, "the addresses are IPv4"),
    kept("inet6", {}, "the addresses are IPv6"),
    kept("src", {of(ArgType::ip)}, "source address of packets to there"),
    {.name = "as",
     .args = {choice("to"), of(ArgType::ip)},
     .effect = Effect::checked,
     .doc = "an old word: ignored",
     .notice = "'as to' of a route is an old word without a meaning: remove it",
     .deprecated = true},
    kept("via", {optional(choice("inet inet6")), of(ArgType::ip)}, "gateway"),
    same_as("gw", {optional(choice("inet inet6")), of(ArgType::ip)}, "via"),
    {.name = "or",
     .args = {of(ArgType::ip)},
     .doc = "a second gateway",
     .notice = "'or' of a route is an old word: write 'nexthop via ADDRESS' for each gateway",
     .deprecated = true},
    kept("from", {of(ArgType::prefix)}, "only packets from there (IPv6)"),
    kept("tos", {word("number or name")}, "only packets with this type of service"),
    same_as("dsfield", {word("number or name")}, "tos"),
    kept("table", {word("number or name")}, "routing table; default main"),
    kept("protocol", {word("number or name")}, "who set the route; default 18, keepalived"),
    kept("scope", {scope()}, "distance of the destination"),
    kept("metric", {number()}, "the route with the lowest is used"),
    same_as("priority", {number()}, "metric"),
    same_as("preference", {number()}, "metric"),
    kept("dev", {of(ArgType::interface)}, "outgoing interface"),
    same_as("oif", {of(ArgType::interface)}, "dev"),
    kept("onlink", {}, "the gateway is on the link, whatever the addresses say"),
    kept("encap", {required_options(Block::encap_line)}, "wrap packets on the way"),
    kept("expires", {number()}, "lifetime of the route, seconds (IPv6)"),
    kept("mtu", {lock(), number()}, "largest packet, bytes; lock: no path MTU discovery"),
    kept("advmss", {lock(), number()}, "segment size told to TCP peers, bytes"),
    kept("rtt", {lock(), word("time")}, "first estimate of the round trip"),
    kept("rttvar", {lock(), word("time")}, "first estimate of its variance"),
    kept("reordering", {lock(), number()}, "reordering that is not taken for loss"),
    kept("cwnd", {lock(), number()}, "largest congestion window"),
    kept("ssthresh", {lock(), number()}, "slow start threshold"),
    kept("rto_min", {lock(), word("time")}, "shortest retransmission timeout"),
    kept("hoplimit", {integer(0, 255)}, "TTL of packets to there"),
    kept("window", {number()}, "largest window told to TCP peers, bytes"),
    kept("realms", {word("realm, or two with /")}, "realm for accounting"),
    kept("initcwnd", {number()}, "first congestion window"),
    kept("initrwnd", {number()}, "first receive window"),
    kept("features", {choice("ecn")}, "features of TCP"),
    kept("quickack", {integer(0, 1)}, "acknowledge at once"),
    kept("congctl", {lock(), word("name")}, "congestion control"),
    kept("pref", {choice("low medium high")}, "preference of a router (IPv6)"),
    kept("ttl-propagate", {choice("enabled disabled")}, "MPLS copies the TTL"),
    kept("fastopen_no_cookie", {integer(0, 1)}, "TCP fast open without a cookie"),
    kept("add", {}, "fail when it exists"),
    kept("prepend", {}, "before equal routes"),
    kept("append", {}, "after equal routes"),
    {.name = "nexthop",
     .args = {required_options(Block::next_hop_line)},
     .doc = "one leg of a multipath route",
     .repeatable = true},
    kept("no_track", {}, "nothing follows when somebody removes it"),
    kept("track_group", {word("name")}, "instances that go down with this static route"),
    kept("vrf", {word("name")}, "the routing table of this VRF"),
};

constexpr Keyword kNextHopLine[] = {
    kept("via", {optional(choice("inet inet6")), of(ArgType::ip)}, "gateway"),
    kept("dev", {of(ArgType::interface)}, "outgoing interface"),
    kept("weight", {integer(1, 256)}, "share of the packets"),
    kept("onlink", {}, "the gateway is on the link, whatever the addresses say"),
    kept("encap", {required_options(Block::encap_line)}, "wrap packets on the way"),
    kept("realms", {word("realm, or two with /")}, "realm for accounting"),
};

constexpr Keyword kEncapLine[] = {
    kept("ip", {}, "in IPv4"),
    kept("ip6", {}, "in IPv6"),
    kept("mpls", {word("label")}, "with MPLS labels"),
    kept("ila", {word("locator")}, "with identifier and locator (IPv6)"),
    kept("id", {number()}, "tunnel identifier"),
    kept("dst", {of(ArgType::ip)}, "outer destination"),
    kept("src", {of(ArgType::ip)}, "outer source"),
    kept("tos", {word("number or name")}, "outer type of service"),
    kept("ttl", {integer(0, 255)}, "outer TTL"),
    kept("tc", {word("number or name")}, "outer traffic class"),
    kept("hoplimit", {integer(0, 255)}, "outer hop limit"),
    kept("flags", {word("number")}, "flags of the tunnel"),
};

constexpr Keyword kRuleList[] = {
    kept("from", {of(ArgType::prefix)}, "only packets from there"),
    kept("to", {of(ArgType::prefix)}, "only packets to there"),
    kept("table", {word("number or name")}, "look into this routing table"),
    same_as("lookup", {word("number or name")}, "table"),
    kept("not", {}, "packets that do not match"),
    {.name = "priority",
     .args = {number()},
     .fallback = "16384 for the first rule without, 16383 for the second, …",
     .doc = "rules with lower numbers are asked first"},
    same_as("preference", {number()}, "priority"),
    same_as("order", {number()}, "priority"),
    kept("tos", {word("number or name")}, "only packets with this type of service"),
    same_as("dsfield", {word("number or name")}, "tos"),
    kept("fwmark", {word("mark, with or without a mask")}, "only packets with this firewall mark"),
    kept("realms", {word("realm, or two with /")}, "realm for accounting"),
    kept("suppress_prefixlength", {integer(0, 128)}, "skip routes this short"),
    same_as("sup_pl", {integer(0, 128)}, "suppress_prefixlength"),
    kept("suppress_ifgroup", {word("group")}, "skip routes to interfaces of this group"),
    same_as("sup_group", {word("group")}, "suppress_ifgroup"),
    kept("iif", {of(ArgType::interface)}, "only packets that came in here; lo: our own"),
    same_as("dev", {of(ArgType::interface)}, "iif"),
    kept("oif", {of(ArgType::interface)}, "only packets of sockets bound to it"),
    kept("tunnel-id", {number()}, "only packets of this tunnel"),
    kept("uidrange", {word("range such as 1000-1999")}, "only packets of these users"),
    kept("l3mdev", {}, "look into the table of the interface's VRF"),
    kept("protocol", {word("number or name")}, "who set the rule; default 18, keepalived"),
    kept("ip_proto", {word("number or name")}, "only packets of this protocol"),
    same_as("ipproto", {word("number or name")}, "ip_proto"),
    kept("sport", {word("port, or a range such as 80-90")}, "only packets from these ports"),
    kept("dport", {word("port, or a range such as 80-90")}, "only packets to these ports"),
    kept("goto", {number()}, "go on at the rule with this priority"),
    kept("nop", {}, "do nothing"),
    kept("blackhole", {}, "drop silently"),
    kept("unreachable", {}, "refuse with ICMP unreachable"),
    kept("prohibit", {}, "refuse with ICMP prohibited"),
    kept("inet", {}, "a rule for IPv4"),
    kept("inet6", {}, "a rule for IPv6"),
    kept("no_track", {}, "nothing follows when somebody removes it"),
    kept("type", {}, "the action follows"),
    kept("track_group", {word("name")}, "instances that go down with this static rule"),
};

constexpr Keyword kSyncDaemonLine[] = {
    kept("inst", {word("name of a vrrp_instance")},
         "its state decides: master sends, backup hears"),
    kept("id", {integer(0, 255)}, "number that the directors share; default its VRID"),
    kept("maxlen", {integer(1, 65507)}, "largest datagram, bytes"),
    {.name = "port", .args = {integer(1, kAny16)}, .fallback = "8848", .doc = "UDP port"},
    {.name = "ttl", .args = {integer(1, 255)}, .fallback = "1", .doc = "TTL of the datagrams"},
    {.name = "group",
     .args = {of(ArgType::ip)},
     .fallback = "224.0.0.81",
     .doc = "multicast group"},
};

constexpr Keyword kTimeoutsLine[] = {
    kept("tcp", {seconds(0, kWeek31)}, "idle TCP connections, seconds; 0: as the kernel has it"),
    kept("tcpfin", {seconds(0, kWeek31)}, "TCP connections after FIN, seconds"),
    kept("udp", {seconds(0, kWeek31)}, "idle UDP flows, seconds"),
};

}  // namespace

std::span<const Keyword> address_list() {
  return kAddressList;
}
std::span<const Keyword> route_list() {
  return kRouteList;
}
std::span<const Keyword> next_hop_line() {
  return kNextHopLine;
}
std::span<const Keyword> encap_line() {
  return kEncapLine;
}
std::span<const Keyword> rule_list() {
  return kRuleList;
}
std::span<const Keyword> sync_daemon_line() {
  return kSyncDaemonLine;
}
std::span<const Keyword> timeouts_line() {
  return kTimeoutsLine;
}

}  // namespace holdfast::config::rows
