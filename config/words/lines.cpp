// Rows of the table: the option words of addresses, routes and routing rules, and of the words of
// global_defs that take options. What a line begins with (an address, a destination) has no row.
#include "config/schema/row.hpp"
#include "config/words/notices.hpp"

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
    word("dev", of(ArgType::interface), fallback("the instance's interface"),
         doc("interface that gets the address")),
    word("label", text("label"), doc("name of the address, such as eth0:vip")),
    word("brd", text("address, + or -"),
         doc("broadcast address; +: host bits set, -: host bits clear")),
    word("broadcast", text("address, + or -"), alias_of("brd")),
    word("scope", scope(), fallback("global"), doc("scope of the address")),
    word("peer", of(ArgType::prefix), not_yet(kNoAddressOption),
         doc("other end of a point-to-point link")),
    word("home", not_yet(kNoAddressOption), doc("home address (IFA_F_HOMEADDRESS)")),
    word("-nodad", not_yet(kNoAddressOption), doc("duplicate address detection is done")),
    word("mngtmpaddr", not_yet(kNoAddressOption),
         doc("the kernel makes temporary addresses from it")),
    word("noprefixroute", not_yet(kNoAddressOption), doc("no route to its prefix")),
    word("autojoin", not_yet(kNoAddressOption), doc("join the multicast group of that address")),
    word("no_track", doc("stays away when somebody removes it, until the next takeover")),
    word("preferred_lft",
         Arg{.type = ArgType::choice, .low = 0, .high = kAny32, .words = "forever"},
         fallback("forever; 0 for an IPv6 /128"), not_yet(kNoAddressOption),
         doc("preferred lifetime, seconds")),
    word("use_vmac", not_yet(kNoVmac), doc("put it on a virtual MAC interface of that interface")),
    word("track_group", text("name"), not_yet(kNoAddressOption),
         doc("instances that go down with this static address")),
};

constexpr Arg lock() {
  return optional(choice("lock"));
}

constexpr Keyword kRouteList[] = {
    word("to", doc("the destination follows")),
    word("unicast", doc("an ordinary route")),
    word("local", doc("to this host")),
    word("broadcast", doc("to all on a link")),
    word("brd", alias_of("broadcast")),
    word("anycast", doc("to one of several hosts")),
    word("multicast", doc("to a group")),
    word("throw", doc("look into the next table")),
    word("unreachable", doc("refuse with ICMP unreachable")),
    word("prohibit", doc("refuse with ICMP prohibited")),
    word("blackhole", doc("drop silently")),
    word("nat", doc("an old type: address translation")),
    word("xresolve", doc("an old type: ask another process")),
    word("inet", doc("the addresses are IPv4")),
    word("inet6", doc("the addresses are IPv6")),
    word("src", of(ArgType::ip), doc("source address of packets to there")),
    word("as", choice("to"), of(ArgType::ip),
         not_kept("'as to' of a route is an old word without a meaning: remove it"), kDeprecated,
         doc("an old word: ignored")),
    word("via", optional(choice("inet inet6")), of(ArgType::ip), doc("gateway")),
    word("gw", optional(choice("inet inet6")), of(ArgType::ip), alias_of("via")),
    word("or", of(ArgType::ip),
         notice("'or' of a route is an old word: write 'nexthop via ADDRESS' for each gateway"),
         kDeprecated, doc("a second gateway")),
    word("from", of(ArgType::prefix), doc("only packets from there (IPv6)")),
    word("tos", text("number or name"), doc("only packets with this type of service")),
    word("dsfield", text("number or name"), alias_of("tos")),
    word("table", text("number or name"), doc("routing table; default main")),
    word("protocol", text("number or name"), doc("who set the route; default 18, keepalived")),
    word("scope", scope(), doc("distance of the destination")),
    word("metric", number(), doc("the route with the lowest is used")),
    word("priority", number(), alias_of("metric")),
    word("preference", number(), alias_of("metric")),
    word("dev", of(ArgType::interface), doc("outgoing interface")),
    word("oif", of(ArgType::interface), alias_of("dev")),
    word("onlink", doc("the gateway is on the link, whatever the addresses say")),
    word("encap", required_options(Block::encap_line), doc("wrap packets on the way")),
    word("expires", number(), doc("lifetime of the route, seconds (IPv6)")),
    word("mtu", lock(), number(), doc("largest packet, bytes; lock: no path MTU discovery")),
    word("advmss", lock(), number(), doc("segment size told to TCP peers, bytes")),
    word("rtt", lock(), text("time"), doc("first estimate of the round trip")),
    word("rttvar", lock(), text("time"), doc("first estimate of its variance")),
    word("reordering", lock(), number(), doc("reordering that is not taken for loss")),
    word("cwnd", lock(), number(), doc("largest congestion window")),
    word("ssthresh", lock(), number(), doc("slow start threshold")),
    word("rto_min", lock(), text("time"), doc("shortest retransmission timeout")),
    word("hoplimit", integer(0, 255), doc("TTL of packets to there")),
    word("window", number(), doc("largest window told to TCP peers, bytes")),
    word("realms", text("realm, or two with /"), doc("realm for accounting")),
    word("initcwnd", number(), doc("first congestion window")),
    word("initrwnd", number(), doc("first receive window")),
    word("features", choice("ecn"), doc("features of TCP")),
    word("quickack", integer(0, 1), doc("acknowledge at once")),
    word("congctl", lock(), text("name"), doc("congestion control")),
    word("pref", choice("low medium high"), doc("preference of a router (IPv6)")),
    word("ttl-propagate", choice("enabled disabled"), doc("MPLS copies the TTL")),
    word("fastopen_no_cookie", integer(0, 1), doc("TCP fast open without a cookie")),
    word("add", doc("fail when it exists")),
    word("prepend", doc("before equal routes")),
    word("append", doc("after equal routes")),
    word("nexthop", required_options(Block::next_hop_line), kRepeatable,
         doc("one leg of a multipath route")),
    word("no_track", doc("nothing follows when somebody removes it")),
    word("track_group", text("name"), doc("instances that go down with this static route")),
    word("vrf", text("name"), doc("the routing table of this VRF")),
};

constexpr Keyword kNextHopLine[] = {
    word("via", optional(choice("inet inet6")), of(ArgType::ip), doc("gateway")),
    word("dev", of(ArgType::interface), doc("outgoing interface")),
    word("weight", integer(1, 256), doc("share of the packets")),
    word("onlink", doc("the gateway is on the link, whatever the addresses say")),
    word("encap", required_options(Block::encap_line), doc("wrap packets on the way")),
    word("realms", text("realm, or two with /"), doc("realm for accounting")),
};

constexpr Keyword kEncapLine[] = {
    word("ip", doc("in IPv4")),
    word("ip6", doc("in IPv6")),
    word("mpls", text("label"), doc("with MPLS labels")),
    word("ila", text("locator"), doc("with identifier and locator (IPv6)")),
    word("id", number(), doc("tunnel identifier")),
    word("dst", of(ArgType::ip), doc("outer destination")),
    word("src", of(ArgType::ip), doc("outer source")),
    word("tos", text("number or name"), doc("outer type of service")),
    word("ttl", integer(0, 255), doc("outer TTL")),
    word("tc", text("number or name"), doc("outer traffic class")),
    word("hoplimit", integer(0, 255), doc("outer hop limit")),
    word("flags", text("number"), doc("flags of the tunnel")),
};

constexpr Keyword kRuleList[] = {
    word("from", of(ArgType::prefix), doc("only packets from there")),
    word("to", of(ArgType::prefix), doc("only packets to there")),
    word("table", text("number or name"), doc("look into this routing table")),
    word("lookup", text("number or name"), alias_of("table")),
    word("not", doc("packets that do not match")),
    word("priority", number(),
         fallback("16384 for the first rule without, 16383 for the second, …"),
         doc("rules with lower numbers are asked first")),
    word("preference", number(), alias_of("priority")),
    word("order", number(), alias_of("priority")),
    word("tos", text("number or name"), doc("only packets with this type of service")),
    word("dsfield", text("number or name"), alias_of("tos")),
    word("fwmark", text("mark, with or without a mask"),
         doc("only packets with this firewall mark")),
    word("realms", text("realm, or two with /"), doc("realm for accounting")),
    word("suppress_prefixlength", integer(0, 128), doc("skip routes this short")),
    word("sup_pl", integer(0, 128), alias_of("suppress_prefixlength")),
    word("suppress_ifgroup", text("group"), doc("skip routes to interfaces of this group")),
    word("sup_group", text("group"), alias_of("suppress_ifgroup")),
    word("iif", of(ArgType::interface), doc("only packets that came in here; lo: our own")),
    word("dev", of(ArgType::interface), alias_of("iif")),
    word("oif", of(ArgType::interface), doc("only packets of sockets bound to it")),
    word("tunnel-id", number(), doc("only packets of this tunnel")),
    word("uidrange", text("range such as 1000-1999"), doc("only packets of these users")),
    word("l3mdev", doc("look into the table of the interface's VRF")),
    word("protocol", text("number or name"), doc("who set the rule; default 18, keepalived")),
    word("ip_proto", text("number or name"), doc("only packets of this protocol")),
    word("ipproto", text("number or name"), alias_of("ip_proto")),
    word("sport", text("port, or a range such as 80-90"), doc("only packets from these ports")),
    word("dport", text("port, or a range such as 80-90"), doc("only packets to these ports")),
    word("goto", number(), doc("go on at the rule with this priority")),
    word("nop", doc("do nothing")),
    word("blackhole", doc("drop silently")),
    word("unreachable", doc("refuse with ICMP unreachable")),
    word("prohibit", doc("refuse with ICMP prohibited")),
    word("inet", doc("a rule for IPv4")),
    word("inet6", doc("a rule for IPv6")),
    word("no_track", doc("nothing follows when somebody removes it")),
    word("type", doc("the action follows")),
    word("track_group", text("name"), doc("instances that go down with this static rule")),
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
}  // namespace holdfast::config::rows
