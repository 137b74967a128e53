// A line of virtual_routes or static_routes.
#include "config/builders/route_line.hpp"

#include "config/schema/hint.hpp"
#include "config/schema/row.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

struct Draft {
  Route route;
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

constexpr std::uint8_t kScopes[] = {kScopeGlobal, kScopeSite, kScopeLink, kScopeHost,
                                    kScopeNowhere};  // in the order of the row

void note_family(Draft& draft, core::Family family, TextRange range) {
  if (!draft.family) draft.family = family;
  if (*draft.family != family && !draft.mixed_at) draft.mixed_at = range;
}

std::string_view name_of(const Args& args) {
  const Schema& schema = Schema::instance();
  return schema[schema.canonical(args.statement().keyword)].name;
}

LineOption as_written(const Args& args) {
  LineOption option{std::string(name_of(args)), {}};
  for (std::size_t i = 0; i < args.size(); ++i) option.values.push_back(args.text(i));
  return option;
}

void keep(Draft& draft, const Args& args) {
  draft.route.others.push_back(as_written(args));
}

// 100, 100ms, 1.5s: as iproute2 writes times.
bool is_time(std::string_view text) {
  for (const std::string_view unit : {"ms", "s"}) {
    if (!text.ends_with(unit)) continue;
    text.remove_suffix(unit.size());
    break;
  }
  Value ignored;
  return decode_word(rows::seconds(0, rows::kWeek31), text, ignored);
}

void keep_time(Draft& draft, const Args& args) {
  const Value& time = args.value(args.size() - 1);
  if (is_time(time.text)) return keep(draft, args);
  draft.broken = true;
  args.context().reporter.warning(
      time.range,
      fmt::format("'{}' must be a time such as 100ms or 1.5s, not '{}': this line is left out",
                  name_of(args), time.text));
}

void set_type(Draft& draft, const Args& args) {
  for (const RouteType type : kTypes) {
    if (to_string(type) == name_of(args)) draft.route.type = type;
  }
}

// The address behind [inet|inet6]: it is the last value.
core::IpAddress gateway_of(const Args& args) {
  return args.value(args.size() - 1).address;
}

void set_gateway(Draft& draft, const Args& args) {
  draft.route.via = gateway_of(args);
  if (args.size() == 2)
    draft.other_family = true;
  else
    note_family(draft, draft.route.via->family(), args.value(0).range);
}

void set_mtu(Draft& draft, const Args& args) {
  draft.route.mtu = args.as<std::uint32_t>(args.size() - 1);
  draft.route.mtu_locked = args.size() == 2;
}

// encap has option words of its own, which are kept as they are written.
bool check_encap(const Args& args) {
  static const Setters<int> nothing(Block::encap_line, {});
  int unused = 0;
  return nothing.apply_line(args.context(), Block::encap_line,
                            args.context().tree.args(args.statement()), unused);
}

void keep_encap(Draft& draft, const Args& args) {
  if (check_encap(args))
    keep(draft, args);
  else
    draft.broken = true;
}

struct Leg {
  NextHop hop;
  std::optional<core::Family> family;
  bool broken = false;
};

const Setters<Leg>& leg_setters() {
  static const Setters<Leg> table(
      Block::next_hop_line,
      {{"via",
        [](Leg& leg, const Args& a) {
          leg.hop.via = gateway_of(a);
          if (a.size() == 1) leg.family = leg.hop.via->family();
        }},
       {"dev", [](Leg& leg, const Args& a) { leg.hop.interface = a.text(0); }},
       {"weight", [](Leg& leg, const Args& a) { leg.hop.weight = a.as<std::uint16_t>(0); }},
       {"onlink", [](Leg& leg, const Args&) { leg.hop.on_link = true; }},
       {"encap",
        [](Leg& leg, const Args& a) {
          leg.hop.others.push_back(as_written(a));
          leg.broken = leg.broken || !check_encap(a);
        }},
       {"realms", [](Leg& leg, const Args& a) { leg.hop.others.push_back(as_written(a)); }}});
  return table;
}

void add_leg(Draft& draft, const Args& args) {
  Leg leg;
  const auto words = args.context().tree.args(args.statement());
  if (!leg_setters().apply_line(args.context(), Block::next_hop_line, words, leg) || leg.broken) {
    draft.broken = true;
    return;
  }
  if (!leg.hop.via && leg.hop.interface.empty()) {
    args.context().reporter.warning(args.statement().range,
                                    "this 'nexthop' leads nowhere: this line is left out",
                                    "add 'via ADDRESS' or 'dev INTERFACE'");
    draft.broken = true;
    return;
  }
  if (leg.family) note_family(draft, *leg.family, args.statement().range);
  draft.route.next_hops.push_back(std::move(leg.hop));
}

void set_track_group(Draft& draft, const Args& args) {
  if (draft.owner == ListOwner::director) {
    draft.route.track_group = args.text(0);
    return;
  }
  args.context().reporter.warning(
      args.statement().range,
      "'track_group' is ignored: it is a word of static addresses, routes and rules only",
      "remove it");
}

using Row = Setters<Draft>::Row;

std::vector<Row> typed_rows() {
  return {
      {"to", [](Draft&, const Args&) {}},  // the destination behind it is read like one without
      {"inet",
       [](Draft& d, const Args& a) { note_family(d, core::Family::v4, a.statement().range); }},
      {"inet6",
       [](Draft& d, const Args& a) { note_family(d, core::Family::v6, a.statement().range); }},
      {"src",
       [](Draft& d, const Args& a) {
         d.route.source = a.value(0).address;
         note_family(d, d.route.source->family(), a.value(0).range);
       }},
      {"via", set_gateway},
      {"or",
       [](Draft& d, const Args& a) {
         d.second_gateway = a.value(0).address;
         note_family(d, d.second_gateway->family(), a.value(0).range);
       }},
      {"table", [](Draft& d, const Args& a) { d.route.table = a.text(0); }},
      {"scope",
       [](Draft& d, const Args& a) {
         const auto number = a.as<std::uint8_t>(0);
         d.route.scope = a.value(0).last == 1 ? number : kScopes[number];
       }},
      {"metric", [](Draft& d, const Args& a) { d.route.metric = a.as<std::uint32_t>(0); }},
      {"dev", [](Draft& d, const Args& a) { d.route.interface = a.text(0); }},
      {"onlink", [](Draft& d, const Args&) { d.route.on_link = true; }},
      {"mtu", set_mtu},
      {"nexthop", add_leg},
      {"no_track", [](Draft& d, const Args&) { d.route.no_track = true; }},
      {"track_group", set_track_group},
      {"encap", keep_encap},
  };
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(Block::route_list, [] {
    std::vector<Row> all = typed_rows();
    for (const RouteType type : kTypes) all.emplace_back(to_string(type), set_type);
    for (const std::string_view name : {"from",
                                        "tos",
                                        "protocol",
                                        "expires",
                                        "advmss",
                                        "cwnd",
                                        "ssthresh",
                                        "hoplimit",
                                        "window",
                                        "reordering",
                                        "realms",
                                        "initcwnd",
                                        "initrwnd",
                                        "features",
                                        "quickack",
                                        "congctl",
                                        "pref",
                                        "add",
                                        "prepend",
                                        "append",
                                        "ttl-propagate",
                                        "vrf",
                                        "fastopen_no_cookie"})
      all.emplace_back(name, keep);
    for (const std::string_view name : {"rtt", "rttvar", "rto_min"})
      all.emplace_back(name, keep_time);
    return all;
  }());
  return table;
}

// True when the word is a destination; the last of several counts, as in keepalived.
bool take_destination(BuildContext& context, const Word& word, Draft& draft) {
  const bool is_default = word.text == "default" || word.text == "all";
  const auto prefix = core::IpPrefix::parse(word.text);
  if (!is_default && !prefix) return false;
  if (draft.has_destination) {
    context.reporter.warning(word.range, "a second destination on one line; the last one counts",
                             "write each route on a line of its own");
  }
  draft.has_destination = true;
  draft.destination_is_default = is_default;
  draft.route.destination = prefix.value_or(core::IpPrefix{});
  if (prefix) note_family(draft, prefix->address.family(), word.range);
  return true;
}

void report_unknown(BuildContext& context, const Word& word) {
  const Schema& schema = Schema::instance();
  const std::string_view near = nearest_word(word.text, schema.words_of(Block::route_list));
  const std::string hint = address_hint(word.text);
  Value scope;
  const bool is_scope =
      decode_word(rows::choice("global site link host nowhere"), word.text, scope);
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
  Route& route = draft.route;
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

}  // namespace

std::optional<Route> read_route_line(BuildContext& context, const Statement& entry,
                                     ListOwner owner) {
  Draft draft;
  draft.owner = owner;
  std::span<const Word> words = context.tree.args(entry);
  draft.route.location = context.reporter.locate(words.front().range.offset);
  const std::uint32_t line = context.next_block++;
  while (!words.empty()) {
    const Word& word = words.front();
    if (take_destination(context, word, draft)) {
      words = words.subspan(1);
    } else if (!Schema::instance().find(Block::route_list, word.text)) {
      report_unknown(context, word);
      return std::nullopt;
    } else if (!setters().apply_option(context, Block::route_list, line, words, draft)) {
      return std::nullopt;
    }
  }
  if (!finish(context, entry, draft)) return std::nullopt;
  return std::move(draft.route);
}

bool routes_know(KeywordId id) {
  return setters().knows(id) || leg_setters().knows(id) ||
         Schema::instance()[id].block == Block::encap_line;
}

}  // namespace holdfast::config
