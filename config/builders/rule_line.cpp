// A line of virtual_rules or static_rules.
#include "config/builders/route_line.hpp"

#include <fmt/format.h>

#include <charconv>

namespace holdfast::config {
namespace {

struct Draft {
  Rule rule;
  ListOwner owner = ListOwner::instance;
  std::optional<core::Family> family;
  bool has_action = false;
  std::optional<std::uint32_t> target;  // goto
  TextRange target_at;
  bool broken = false;
};

void fail(Draft& draft, const Args& args, std::string message, std::string help = {}) {
  draft.broken = true;
  message += ": this line is left out";
  args.context().reporter.warning(args.has(0) ? args.value(0).range : args.statement().range,
                                  std::move(message), std::move(help));
}

void note_family(Draft& draft, core::Family family, const Args& args) {
  if (!draft.family) draft.family = family;
  if (*draft.family != family) fail(draft, args, "this rule mixes IPv4 and IPv6");
}

void set_prefix(Draft& draft, const Args& args, std::optional<core::IpPrefix>& member) {
  member = core::IpPrefix::parse(args.value(0).text);  // nullopt: all, default
  if (member) note_family(draft, member->address.family(), args);
}

// Decimal, octal (0…) or hexadecimal (0x…), as strtoul.
std::optional<std::uint32_t> read_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void set_mark(Draft& draft, const Args& args) {
  const std::string_view text = args.value(0).text;
  const std::size_t slash = std::min(text.find('/'), text.size());
  draft.rule.fwmark = read_number(text.substr(0, slash));
  if (slash != text.size()) draft.rule.fwmask = read_number(text.substr(slash + 1));
  if (draft.rule.fwmark && (slash == text.size() || draft.rule.fwmask)) return;
  fail(draft, args,
       fmt::format("'fwmark' must be a number, with or without a mask such as 0x10/0xff, not '{}'",
                   text));
}

void keep(Draft& draft, const Args& args) {
  const Schema& schema = Schema::instance();
  LineOption option{std::string(schema[schema.canonical(args.statement().keyword)].name), {}};
  for (std::size_t i = 0; i < args.size(); ++i) option.values.push_back(args.text(i));
  draft.rule.others.push_back(std::move(option));
}

// NUMBER or LOW-HIGH. keepalived 2.4.3 refuses a single port.
void keep_range(Draft& draft, const Args& args) {
  const std::string_view text = args.value(0).text;
  const std::size_t dash = std::min(text.find('-'), text.size());
  const std::optional<std::uint32_t> low = read_number(text.substr(0, dash));
  const auto high = dash == text.size() ? low : read_number(text.substr(dash + 1));
  if (low && high && *low <= *high) return keep(draft, args);
  fail(draft, args,
       fmt::format("'{}' must be a number or a range such as 1000-1999, not '{}'",
                   Schema::instance()[args.statement().keyword].name, text));
}

void keep_action(Draft& draft, const Args& args) {
  draft.has_action = true;
  keep(draft, args);
}

void set_target(Draft& draft, const Args& args) {
  draft.target = args.as<std::uint32_t>(0);
  draft.target_at = args.value(0).range;
  keep_action(draft, args);
}

void set_track_group(Draft& draft, const Args& args) {
  if (draft.owner == ListOwner::director) {
    draft.rule.track_group = args.text(0);
    return;
  }
  args.context().reporter.warning(
      args.statement().range,
      "'track_group' is ignored: it is a word of static addresses, routes and rules only",
      "remove it");
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(
      Block::rule_list,
      {{"from", [](Draft& d, const Args& a) { set_prefix(d, a, d.rule.from); }},
       {"to", [](Draft& d, const Args& a) { set_prefix(d, a, d.rule.to); }},
       {"table",
        [](Draft& d, const Args& a) {
          d.rule.table = a.text(0);
          d.has_action = true;
        }},
       {"priority", [](Draft& d, const Args& a) { d.rule.priority = a.as<std::uint32_t>(0); }},
       {"fwmark", set_mark},
       {"iif", [](Draft& d, const Args& a) { d.rule.in_interface = a.text(0); }},
       {"oif", [](Draft& d, const Args& a) { d.rule.out_interface = a.text(0); }},
       {"not", [](Draft& d, const Args&) { d.rule.inverted = true; }},
       {"no_track", [](Draft& d, const Args&) { d.rule.no_track = true; }},
       {"track_group", set_track_group},
       {"inet", [](Draft& d, const Args& a) { note_family(d, core::Family::v4, a); }},
       {"inet6", [](Draft& d, const Args& a) { note_family(d, core::Family::v6, a); }},
       {"type", [](Draft&, const Args&) {}},  // the action behind it is read like one without
       {"tos", keep},
       {"realms", keep},
       {"suppress_prefixlength", keep},
       {"suppress_ifgroup", keep},
       {"tunnel-id", keep},
       {"uidrange", keep_range},
       {"protocol", keep},
       {"ip_proto", keep},
       {"sport", keep_range},
       {"dport", keep_range},
       {"goto", set_target},
       {"nop", keep_action},
       {"blackhole", keep_action},
       {"unreachable", keep_action},
       {"prohibit", keep_action},
       {"l3mdev", keep_action}});
  return table;
}

bool finish(BuildContext& context, const Statement& entry, Draft& draft) {
  Reporter& reporter = context.reporter;
  if (draft.broken) return false;
  if (!draft.has_action) {
    reporter.warning(entry.range,
                     "this rule does not say what to do with its packets: it is left out",
                     "add 'table NUMBER', or an action such as 'blackhole'");
    return false;
  }
  if (draft.target && draft.rule.priority && *draft.target <= *draft.rule.priority) {
    reporter.warning(
        draft.target_at,
        fmt::format("'goto {}' leads back: the rule itself has priority {}, and is left out",
                    *draft.target, *draft.rule.priority),
        "the target must be a higher number than the priority");
    return false;
  }
  draft.rule.family = draft.family.value_or(core::Family::v4);
  if (!draft.rule.priority) {
    reporter.warning(entry.range,
                     "a rule without 'priority' gets one counted down from 16384 in the order of "
                     "the files",
                     "add 'priority NUMBER': rules with lower numbers are asked first");
  }
  return true;
}

}  // namespace

std::optional<Rule> read_rule_line(BuildContext& context, const Statement& entry, ListOwner owner) {
  Draft draft;
  draft.owner = owner;
  const std::span<const Word> words = context.tree.args(entry);
  draft.rule.location = context.reporter.locate(words.front().range.offset);
  if (!setters().apply_line(context, Block::rule_list, words, draft)) return std::nullopt;
  if (!finish(context, entry, draft)) return std::nullopt;
  return std::move(draft.rule);
}

bool rules_know(KeywordId id) {
  return setters().knows(id);
}

}  // namespace holdfast::config
