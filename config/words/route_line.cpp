// A line of virtual_routes or static_routes: its option words, what each reads and writes.
#include "config/schema/hint.hpp"
#include "config/words/notices.hpp"
#include "config/words/route_leg.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

struct Draft : Route {
  using Object = Route;

  ListOwner owner = ListOwner::instance;
  std::optional<core::Family> family;  // of `inet`, `inet6`, or of the first address
  bool has_destination = false;
  bool destination_is_default = false;
  bool other_family = false;  // `via inet6` says on purpose that the gateway is of another one
  std::optional<core::IpAddress> second_gateway;  // `or`
  std::optional<TextRange> mixed_at;
  bool broken = false;
};

constexpr RouteType kTypes[] = {RouteType::unicast,  RouteType::local,       RouteType::broadcast,
                                RouteType::anycast,  RouteType::multicast,   RouteType::blackhole,
                                RouteType::prohibit, RouteType::unreachable, RouteType::throw_,
                                RouteType::nat,      RouteType::xresolve};

void note_family(Draft& draft, core::Family family, TextRange range) {
  if (!draft.family) draft.family = family;
  if (*draft.family != family && !draft.mixed_at) draft.mixed_at = range;
}

// None: as the kernel counts.
constexpr std::string_view kTimeUnits[] = {"", "s", "sec", "secs", "ms", "msec", "msecs"};

void keep(Draft& draft, const Args& args) {
  draft.others.push_back(as_written(args));
}

// 100, 100ms, 1.5s: as iproute2 reads times, units in either case.
bool is_time(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string unit = folded(text.substr(end));
  const auto* known = std::ranges::find(kTimeUnits, unit);
  Value ignored;
  return known != std::end(kTimeUnits) &&
         decode_word(seconds(0, kWeek31), text.substr(0, end), ignored);
}

void keep_time(Draft& draft, const Args& args) {
  const Value& time = args.value(args.size() - 1);
  if (is_time(time.text)) return keep(draft, args);
  draft.broken = true;
  args.context().reporter.warning(
      time.range,
      fmt::format("'{}' must be a time such as 100ms or 1.5s, not '{}': this line is left out",
                  args.row().name, time.text));
}

std::string_view name_of(const Args& args) {
  const Schema& schema = Schema::instance();
  return schema[schema.canonical(args.statement().keyword)].name;
}

void read_type(Draft& draft, const Args& args) {
  for (const RouteType type : kTypes) {
    if (to_string(type) == name_of(args)) draft.type = type;
  }
}

void read_gateway(Draft& draft, const Args& args) {
  draft.via = gateway_of(args);
  if (args.size() == 2)
    draft.other_family = true;
  else
    note_family(draft, draft.via->family(), args.value(0).range);
}

void write_route_gateway(const Route& route, Writer& out) {
  write_gateway(route.via, route.destination.address.family(), out);
}

void read_mtu(Draft& draft, const Args& args) {
  draft.mtu = args.as<std::uint32_t>(args.size() - 1);
  draft.mtu_locked = args.size() == 2;
}
void write_mtu(const Route& route, Writer& out) {
  if (!route.mtu) return;
  std::vector<std::string> words{fmt::format("{}", *route.mtu)};
  if (route.mtu_locked) words.insert(words.begin(), "lock");
  out.statement("mtu", std::move(words));
}

void keep_encap(Draft& draft, const Args& args) {
  if (check_encap(args))
    keep(draft, args);
  else
    draft.broken = true;
}

void add_leg(Draft& draft, const Args& args) {
  std::optional<Leg> leg = read_leg(args);
  draft.broken = draft.broken || !leg;
  if (!leg) return;
  if (leg->family) note_family(draft, *leg->family, args.statement().range);
  draft.next_hops.push_back(std::move(*leg));
}

void read_nothing(Draft&, const Args&) {}  // the destination behind it is read like one without
void read_inet(Draft& draft, const Args& args) {
  note_family(draft, core::Family::v4, args.statement().range);
}
void read_inet6(Draft& draft, const Args& args) {
  note_family(draft, core::Family::v6, args.statement().range);
}
void read_source(Draft& draft, const Args& args) {
  draft.source = args.value(0).address;
  note_family(draft, draft.source->family(), args.value(0).range);
}
void read_second_gateway(Draft& draft, const Args& args) {
  draft.second_gateway = args.value(0).address;
  note_family(draft, draft.second_gateway->family(), args.value(0).range);
}
void read_scope(Route& route, const Args& args) {
  route.scope = scope_of(args);
}
void write_scope(const Route& route, Writer& out) {
  if (route.scope) out.text("scope", core::scope_text(*route.scope));
}

constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr Arg number() {
  return integer(0, kAny32);
}
constexpr Arg lock() {
  return optional(choice("lock"));
}

constexpr Keyword kRouteList[] = {
    word("to", as_is(), reads<read_nothing>, doc("the destination follows")),
    word("unicast", as_is(), reads<read_type>, doc("an ordinary route")),
    word("local", reads<read_type>, doc("to this host")),
    word("broadcast", reads<read_type>, doc("to all on a link")),
    word("brd", alias_of("broadcast")),
    word("anycast", reads<read_type>, doc("to one of several hosts")),
    word("multicast", reads<read_type>, doc("to a group")),
    word("throw", reads<read_type>, doc("look into the next table")),
    word("unreachable", reads<read_type>, doc("refuse with ICMP unreachable")),
    word("prohibit", reads<read_type>, doc("refuse with ICMP prohibited")),
    word("blackhole", reads<read_type>, doc("drop silently")),
    word("nat", reads<read_type>, doc("an old type: address translation")),
    word("xresolve", reads<read_type>, doc("an old type: ask another process")),
    word("inet", as_is(), reads<read_inet>, doc("the addresses are IPv4")),
    word("inet6", reads<read_inet6>, doc("the addresses are IPv6")),
    word("src", of(ArgType::ip), value<&Route::source>, reads<read_source>,
         doc("source address of packets to there")),
    word("as", choice("to"), of(ArgType::ip),
         not_kept("'as to' of a route is an old word without a meaning: remove it"), kDeprecated,
         doc("an old word: ignored")),
    word("via", optional(choice("inet inet6")), of(ArgType::ip), reads<read_gateway>,
         writes<write_route_gateway>, doc("gateway")),
    word("gw", optional(choice("inet inet6")), of(ArgType::ip), alias_of("via")),
    word("or", of(ArgType::ip),
         notice("'or' of a route is an old word: write 'nexthop via ADDRESS' for each gateway"),
         kDeprecated, reads<read_second_gateway>, doc("a second gateway")),
    word("from", of(ArgType::prefix), reads<keep>, doc("only packets from there (IPv6)")),
    word("tos", text("number or name"), reads<keep>, doc("only packets with this type of service")),
    word("dsfield", text("number or name"), alias_of("tos")),
    word("table", text("number or name"), value<&Route::table>, doc("routing table; default main")),
    word("protocol", text("number or name"), reads<keep>,
         doc("who set the route; default 18, keepalived")),
    word("scope", scope(), reads<read_scope>, writes<write_scope>,
         doc("distance of the destination")),
    word("metric", number(), value<&Route::metric>, doc("the route with the lowest is used")),
    word("priority", number(), alias_of("metric")),
    word("preference", number(), alias_of("metric")),
    word("dev", of(ArgType::interface), value<&Route::interface>, doc("outgoing interface")),
    word("oif", of(ArgType::interface), alias_of("dev")),
    word("onlink", value<&Route::on_link>,
         doc("the gateway is on the link, whatever the addresses say")),
    word("encap", required_options(Block::encap_line), reads<keep_encap>,
         doc("wrap packets on the way")),
    word("expires", number(), reads<keep>, doc("lifetime of the route, seconds (IPv6)")),
    word("mtu", lock(), number(), reads<read_mtu>, writes<write_mtu>,
         doc("largest packet, bytes; lock: no path MTU discovery")),
    word("advmss", lock(), number(), reads<keep>, doc("segment size told to TCP peers, bytes")),
    word("rtt", lock(), text("time"), reads<keep_time>, doc("first estimate of the round trip")),
    word("rttvar", lock(), text("time"), reads<keep_time>, doc("first estimate of its variance")),
    word("reordering", lock(), number(), reads<keep>, doc("reordering that is not taken for loss")),
    word("cwnd", lock(), number(), reads<keep>, doc("largest congestion window")),
    word("ssthresh", lock(), number(), reads<keep>, doc("slow start threshold")),
    word("rto_min", lock(), text("time"), reads<keep_time>, doc("shortest retransmission timeout")),
    word("hoplimit", integer(0, 255), reads<keep>, doc("TTL of packets to there")),
    word("window", number(), reads<keep>, doc("largest window told to TCP peers, bytes")),
    word("realms", text("realm, or two with /"), reads<keep>, doc("realm for accounting")),
    word("initcwnd", number(), reads<keep>, doc("first congestion window")),
    word("initrwnd", number(), reads<keep>, doc("first receive window")),
    word("features", choice("ecn"), reads<keep>, doc("features of TCP")),
    word("quickack", integer(0, 1), reads<keep>, doc("acknowledge at once")),
    word("congctl", lock(), text("name"), reads<keep>, doc("congestion control")),
    word("pref", choice("low medium high"), reads<keep>, doc("preference of a router (IPv6)")),
    word("ttl-propagate", choice("enabled disabled"), reads<keep>, doc("MPLS copies the TTL")),
    word("fastopen_no_cookie", integer(0, 1), reads<keep>, doc("TCP fast open without a cookie")),
    word("add", reads<keep>, doc("fail when it exists")),
    word("prepend", as_is(), reads<keep>, doc("before equal routes (IPv4)")),
    word("append", reads<keep>, doc("after equal routes")),
    word("nexthop", required_options(Block::next_hop_line), kRepeatable, reads<add_leg>,
         doc("one leg of a multipath route")),
    word("no_track", value<&Route::no_track>, doc("nothing follows when somebody removes it")),
    word("track_group", text("name"), value<&Route::track_group>, reads<read_track_group<Draft>>,
         doc("instances that go down while this static route is missing and cannot be put back")),
    word(
        "vrf", text("name"),
        not_yet("Holdfast does not look up the routing table of a VRF yet: a route with 'vrf' goes "
                "into the table that 'table' names, or main"),
        reads<keep>, doc("the routing table of this VRF")),
};

// True when the word is a destination; the last of several counts, as in keepalived.
bool take_destination(BuildContext& context, const Word& word, Draft& draft) {
  const bool is_v6 = word.text == "default6";
  const bool is_default = is_v6 || word.text == "default" || word.text == "all";
  const auto prefix = core::IpPrefix::parse(word.text);
  if (!is_default && !prefix) return false;
  if (draft.has_destination) {
    context.reporter.warning(word.range, "a second destination on one line; the last one counts",
                             "write each route on a line of its own");
  }
  draft.has_destination = true;
  draft.destination_is_default = is_default;
  draft.destination = prefix.value_or(core::IpPrefix{});
  if (prefix) note_family(draft, prefix->address.family(), word.range);
  if (is_v6) note_family(draft, core::Family::v6, word.range);
  return true;
}

void report_unknown(BuildContext& context, const Word& word) {
  const Schema& schema = Schema::instance();
  const std::string_view near = nearest_word(word.text, schema.words_of(Block::route_list));
  const std::string hint = address_hint(word.text);
  Value ignored;
  const bool is_scope = decode_word(scope(), word.text, ignored);
  context.reporter.warning(
      word.range,
      fmt::format("'{}' is neither an option nor a destination of a route: this line is left out",
                  word.text),
      is_scope        ? fmt::format("write 'scope {}'", word.text)
      : !near.empty() ? fmt::format("did you mean '{}'?", near)
      : !hint.empty() ? hint
                      : "a route is a destination such as 10.0.0.0/8 or default, and options "
                        "such as via 192.168.1.1 dev eth0");
}

// Adds up what the words said one by one.
bool finish(BuildContext& context, const Statement& entry, Draft& draft) {
  Route& route = draft;
  Reporter& reporter = context.reporter;
  if (draft.broken) return false;
  if (!draft.has_destination) {
    reporter.warning(entry.range, "this route has no destination: it is left out",
                     "add one, such as 10.0.0.0/8 or default");
    return false;
  }
  if (draft.mixed_at) {
    reporter.warning(*draft.mixed_at, "this route mixes IPv4 and IPv6: it is left out",
                     "a gateway of the other family is written 'via inet6 ADDRESS'");
    return false;
  }
  const core::Family other =
      draft.other_family && route.via ? route.via->family() : core::Family::v4;
  if (draft.destination_is_default) {
    const core::Family family = draft.family.value_or(other);
    route.destination.address =
        family == core::Family::v4 ? core::IpAddress::v4({}) : core::IpAddress::v6({});
    route.destination.length = 0;
  }
  if (draft.second_gateway) {
    for (const auto& gateway : {route.via, draft.second_gateway}) {
      if (!gateway) continue;
      NextHop& leg = route.next_hops.emplace_back();
      leg.via = gateway;
      leg.interface = route.interface;
    }
    route.via.reset();
  }
  // Its own options would take the words behind it for theirs.
  std::stable_partition(route.others.begin(), route.others.end(),
                        [](const LineOption& each) { return each.name != "encap"; });
  const bool leads_nowhere = !route.via && route.interface.empty() && route.next_hops.empty();
  if (leads_nowhere && route.type == RouteType::unicast) {
    reporter.warning(entry.range, "this route leads nowhere: the kernel refuses it",
                     "add 'via ADDRESS' or 'dev INTERFACE'");
  }
  return true;
}

std::vector<std::string> destination_words(const Route& route) {
  std::vector<std::string> words;
  if (route.type != RouteType::unicast) words.emplace_back(to_string(route.type));
  const core::IpPrefix& to = route.destination;
  if (to.length != 0 || !to.address.is_unspecified()) {
    words.push_back(prefix_text(to));
    return words;
  }
  // `default` alone is of IPv4, or of the family of the addresses behind it.
  const bool plain = to.address.is_v4() && (!route.via || route.via->is_v4());
  if (!plain) words.push_back(family_word(to.address.family()));
  words.emplace_back("default");
  return words;
}

}  // namespace

std::optional<Route> read_route_line(BuildContext& context, const Statement& entry,
                                     ListOwner owner) {
  Draft draft;
  draft.owner = owner;
  std::span<const Word> words = context.tree.args(entry);
  draft.location = context.reporter.locate(words.front().range.offset);
  const std::uint32_t line = context.next_block++;
  while (!words.empty()) {
    const Word& word = words.front();
    if (take_destination(context, word, draft)) {
      words = words.subspan(1);
    } else if (!Schema::instance().find(Block::route_list, word.text)) {
      report_unknown(context, word);
      return std::nullopt;
    } else if (!read_option(context, Block::route_list, line, words, draft)) {
      return std::nullopt;
    }
  }
  if (!finish(context, entry, draft)) return std::nullopt;
  return draft;
}

Node document_of(const Route& route) {
  static const Route standard;
  NextHop standard_leg;
  standard_leg.via = route.destination.address;
  std::vector<std::string> words = destination_words(route);
  const auto append = [&words](std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(words));
  };
  append(words_of_line(Block::route_list, &route, &standard));
  append_options(words, route.others);
  for (const NextHop& leg : route.next_hops) {  // last: what follows would be taken for theirs
    words.emplace_back("nexthop");
    append(words_of_line(Block::next_hop_line, &leg, &standard_leg));
    append_options(words, leg.others);
  }
  return entry_of(std::move(words));
}

std::span<const Table> rows::routes() {
  static const Table kTables[] = {{Block::route_list, kRouteList},
                                  {Block::next_hop_line, next_hop_line()},
                                  {Block::encap_line, encap_line()}};
  return kTables;
}

}  // namespace holdfast::config
