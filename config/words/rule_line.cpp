// A line of virtual_rules or static_rules: its option words, what each reads and writes.
#include "config/words/lines.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

#include <charconv>

namespace holdfast::config {
using namespace rows;
namespace {

struct Draft : Rule {
  using Object = Rule;

  ListOwner owner = ListOwner::instance;
  std::optional<core::Family> seen_family;
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
  if (!draft.seen_family) draft.seen_family = family;
  if (*draft.seen_family != family) fail(draft, args, "this rule mixes IPv4 and IPv6");
}

void set_prefix(Draft& draft, const Args& args, std::optional<core::IpPrefix>& member) {
  member = core::IpPrefix::parse(args.value(0).text);  // nullopt: all, default, default6
  if (args.value(0).text == "default6") note_family(draft, core::Family::v6, args);
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

void read_mark(Draft& draft, const Args& args) {
  const std::string_view text = args.value(0).text;
  const std::size_t slash = std::min(text.find('/'), text.size());
  draft.fwmark = read_number(text.substr(0, slash));
  if (slash != text.size()) draft.fwmask = read_number(text.substr(slash + 1));
  if (draft.fwmark && (slash == text.size() || draft.fwmask)) return;
  fail(draft, args,
       fmt::format("'fwmark' must be a number, with or without a mask such as 0x10/0xff, not '{}'",
                   text));
}

void keep(Draft& draft, const Args& args) {
  draft.others.push_back(as_written(args));
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

void read_target(Draft& draft, const Args& args) {
  draft.target = args.as<std::uint32_t>(0);
  draft.target_at = args.value(0).range;
  keep_action(draft, args);
}

void read_from(Draft& draft, const Args& args) {
  set_prefix(draft, args, draft.from);
}
void write_from(const Rule& rule, Writer& out) {
  if (rule.from) out.text("from", prefix_text(*rule.from));
}
void read_to(Draft& draft, const Args& args) {
  set_prefix(draft, args, draft.to);
}
void write_to(const Rule& rule, Writer& out) {
  if (rule.to) out.text("to", prefix_text(*rule.to));
}
void read_table(Draft& draft, const Args& args) {
  draft.table = args.text(0);
  draft.has_action = true;
}
void read_inet(Draft& draft, const Args& args) {
  note_family(draft, core::Family::v4, args);
}
void read_inet6(Draft& draft, const Args& args) {
  note_family(draft, core::Family::v6, args);
}
void write_inet6(const Rule& rule, Writer& out) {
  out.flag("inet6", !rule.from && !rule.to && rule.family == core::Family::v6);
}
void write_mark(const Rule& rule, Writer& out) {
  if (!rule.fwmark) return;
  const std::string mask = rule.fwmask ? fmt::format("/{:#x}", *rule.fwmask) : std::string();
  out.text("fwmark", fmt::format("{:#x}{}", *rule.fwmark, mask));
}
void read_nothing(Draft&, const Args&) {}  // the action behind it is read like one without

constexpr std::int64_t kAny32 = 4'294'967'295;
constexpr Arg number() {
  return integer(0, kAny32);
}

constexpr Keyword kRuleList[] = {
    word("from", of(ArgType::prefix), reads<read_from>, writes<write_from>,
         doc("only packets from there")),
    word("to", of(ArgType::prefix), reads<read_to>, writes<write_to>, doc("only packets to there")),
    word("table", text("number or name"), value<&Rule::table>, reads<read_table>,
         doc("look into this routing table")),
    word("lookup", text("number or name"), alias_of("table")),
    word("not", value<&Rule::inverted>, doc("packets that do not match")),
    word("priority", number(),
         fallback("16384 for the first rule without, 16383 for the second, …"),
         value<&Rule::priority>, doc("rules with lower numbers are asked first")),
    word("preference", number(), alias_of("priority")),
    word("order", number(), alias_of("priority")),
    word("tos", text("number or name"), reads<keep>, doc("only packets with this type of service")),
    word("dsfield", text("number or name"), alias_of("tos")),
    word("fwmark", text("mark, with or without a mask"), reads<read_mark>, writes<write_mark>,
         doc("only packets with this firewall mark")),
    word("realms", text("realm, or two with /"), reads<keep>, doc("realm for accounting")),
    word("suppress_prefixlength", integer(0, 128), reads<keep>, doc("skip routes this short")),
    word("sup_pl", integer(0, 128), alias_of("suppress_prefixlength")),
    word("suppress_ifgroup", text("group"), reads<keep>,
         doc("skip routes to interfaces of this group")),
    word("sup_group", text("group"), alias_of("suppress_ifgroup")),
    word("iif", of(ArgType::interface), value<&Rule::in_interface>,
         doc("only packets that came in here; lo: our own")),
    word("dev", of(ArgType::interface), alias_of("iif")),
    word("oif", of(ArgType::interface), value<&Rule::out_interface>,
         doc("only packets of sockets bound to it")),
    word("tunnel-id", number(), reads<keep>, doc("only packets of this tunnel")),
    word("uidrange", text("range such as 1000-1999"), reads<keep_range>,
         doc("only packets of these users")),
    word("l3mdev", reads<keep_action>, doc("look into the table of the interface's VRF")),
    word("protocol", text("number or name"), reads<keep>,
         doc("who set the rule; default 18, keepalived")),
    word("ip_proto", text("number or name"), reads<keep>, doc("only packets of this protocol")),
    word("ipproto", text("number or name"), alias_of("ip_proto")),
    word("sport", text("port, or a range such as 80-90"), reads<keep_range>,
         doc("only packets from these ports")),
    word("dport", text("port, or a range such as 80-90"), reads<keep_range>,
         doc("only packets to these ports")),
    word("goto", number(), reads<read_target>, doc("go on at the rule with this priority")),
    word("nop", reads<keep_action>, doc("do nothing")),
    word("blackhole", reads<keep_action>, doc("drop silently")),
    word("unreachable", reads<keep_action>, doc("refuse with ICMP unreachable")),
    word("prohibit", reads<keep_action>, doc("refuse with ICMP prohibited")),
    word("inet", as_is(), reads<read_inet>, doc("a rule for IPv4")),
    word("inet6", reads<read_inet6>, writes<write_inet6>, doc("a rule for IPv6")),
    word("no_track", value<&Rule::no_track>, doc("nothing follows when somebody removes it")),
    word("type", as_is(), reads<read_nothing>, doc("the action follows")),
    word("track_group", text("name"), value<&Rule::track_group>, reads<read_track_group<Draft>>,
         doc("instances that go down while this static rule is missing and cannot be put back")),
};

bool finish(BuildContext& context, const Statement& entry, Draft& draft) {
  Reporter& reporter = context.reporter;
  if (draft.broken) return false;
  if (!draft.has_action) {
    reporter.warning(entry.range,
                     "this rule does not say what to do with its packets: it is left out",
                     "add 'table NUMBER', or an action such as 'blackhole'");
    return false;
  }
  if (draft.target && draft.priority && *draft.target <= *draft.priority) {
    reporter.warning(
        draft.target_at,
        fmt::format("'goto {}' leads back: the rule itself has priority {}, and is left out",
                    *draft.target, *draft.priority),
        "the target must be a higher number than the priority");
    return false;
  }
  draft.family = draft.seen_family.value_or(core::Family::v4);
  if (!draft.priority) {
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
  draft.location = context.reporter.locate(words.front().range.offset);
  if (!read_line(context, Block::rule_list, words, draft)) return std::nullopt;
  if (!finish(context, entry, draft)) return std::nullopt;
  return draft;
}

Node document_of(const Rule& rule) {
  static const Rule standard;
  std::vector<std::string> words = words_of_line(Block::rule_list, &rule, &standard);
  append_options(words, rule.others);
  return entry_of(std::move(words));
}

std::span<const Keyword> rows::rule_list() {
  return kRuleList;
}

}  // namespace holdfast::config
