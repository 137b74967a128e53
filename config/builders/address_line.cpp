#include "config/builders/address_line.hpp"

#include "config/schema/hint.hpp"

#include <fmt/format.h>

#include <array>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestLabel = 15;  // linux/if.h: IFNAMSIZ - 1

constexpr std::array<std::uint8_t, 5> kScopes = {kScopeGlobal, kScopeSite, kScopeLink, kScopeHost,
                                                 kScopeNowhere};  // in the order of the row

struct Draft {
  VirtualAddress address;
  ListOwner owner = ListOwner::instance;
  bool broken = false;
};

void fail(Draft& draft, const Args& args, std::string message) {
  draft.broken = true;
  args.context().reporter.warning(args.value(0).range, message + ": this line is left out");
}

// ip-address(8): `brd +` sets the host bits, `brd -` clears them.
core::IpAddress broadcast_of(const core::IpPrefix& prefix, bool set) {
  std::array<std::uint8_t, 4> bytes{};
  const std::span<const std::uint8_t> from = prefix.address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int network_bits =
        std::clamp(static_cast<int>(prefix.length) - static_cast<int>(i) * 8, 0, 8);
    const auto host_mask = static_cast<std::uint8_t>(0xFFU >> network_bits);
    bytes[i] = static_cast<std::uint8_t>(set ? from[i] | host_mask : from[i] & ~host_mask);
  }
  return core::IpAddress::v4(bytes);
}

void set_broadcast(Draft& draft, const Args& args) {
  const std::string_view word = args.value(0).text;
  if (!draft.address.prefix.address.is_v4()) {
    args.context().reporter.warning(args.statement().range,
                                    "'brd' is ignored: IPv6 has no broadcast", "remove it");
    return;
  }
  if (word == "+" || word == "-") {
    draft.address.broadcast = broadcast_of(draft.address.prefix, word == "+");
    return;
  }
  draft.address.broadcast = core::IpAddress::parse(word);
  if (draft.address.broadcast && draft.address.broadcast->is_v4()) return;
  fail(draft, args, fmt::format("'brd' must be an IPv4 address, + or -, not '{}'", word));
}

void set_label(Draft& draft, const Args& args) {
  draft.address.label = args.text(0);
  if (draft.address.label.size() <= kLongestLabel) return;
  fail(draft, args,
       fmt::format("the label '{}' is longer than {} characters", draft.address.label,
                   kLongestLabel));
}

void set_peer(Draft& draft, const Args& args) {
  draft.address.peer = core::IpPrefix::parse(args.value(0).text);
  const core::Family family = draft.address.prefix.address.family();
  if (draft.address.peer && draft.address.peer->address.family() == family) return;
  fail(draft, args,
       fmt::format("'peer' must be an address of the same family, not '{}'", args.value(0).text));
}

void set_track_group(Draft& draft, const Args& args) {
  if (draft.owner == ListOwner::director) {
    draft.address.track_group = args.text(0);
    return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      "'track_group' is ignored: it is a word of static addresses, routes and rules only",
      "remove it");
}

const Setters<Draft>& setters() {
  static const Setters<Draft> table(
      Block::address_list,
      {{"dev", [](Draft& d, const Args& a) { d.address.interface = a.text(0); }},
       {"label", set_label},
       {"brd", set_broadcast},
       {"scope",
        [](Draft& d, const Args& a) {
          const auto number = a.as<std::uint8_t>(0);
          d.address.scope = a.value(0).last == 1 ? number : kScopes[number];
        }},
       {"peer", set_peer},
       {"home", [](Draft& d, const Args&) { d.address.home = true; }},
       {"-nodad", [](Draft& d, const Args&) { d.address.duplicate_detection = true; }},
       {"mngtmpaddr", [](Draft& d, const Args&) { d.address.manage_temporary = true; }},
       {"noprefixroute", [](Draft& d, const Args&) { d.address.no_prefix_route = true; }},
       {"autojoin", [](Draft& d, const Args&) { d.address.auto_join = true; }},
       {"no_track", [](Draft& d, const Args&) { d.address.no_track = true; }},
       {"preferred_lft",
        [](Draft& d, const Args& a) {
          d.address.preferred_lifetime = a.value(0).last == 1 ? a.as<std::uint32_t>(0) : kForever;
        }},
       {"use_vmac", [](Draft& d, const Args&) { d.address.use_vmac = true; }},
       {"track_group", set_track_group}});
  return table;
}

// keepalived: a length that the family does not have counts as none.
std::optional<core::IpPrefix> read_prefix(BuildContext& context, const Word& word) {
  if (const auto prefix = core::IpPrefix::parse(word.text)) return prefix;
  const std::size_t slash = std::min(word.text.find('/'), word.text.size());
  const auto address = core::IpAddress::parse(word.text.substr(0, slash));
  if (!address) return std::nullopt;
  const core::IpPrefix prefix{*address, address->max_prefix_length()};
  context.reporter.warning(
      word.range,
      fmt::format("'{}' has no usable prefix length and is taken as {}", word.text,
                  prefix.to_string()),
      "the prefix length must be a number up to 32 for IPv4, up to 128 for IPv6");
  return prefix;
}

// keepalived ignores each word that is no option. Those up to the next option are one mistake.
void skip_unknown(BuildContext& context, std::span<const Word>& words) {
  const Schema& schema = Schema::instance();
  const Word& first = words.front();
  std::size_t count = 1;
  while (count < words.size() && !schema.find(Block::address_list, words[count].text) &&
         !core::IpPrefix::parse(words[count].text))
    ++count;
  words = words.subspan(count);
  if (core::IpPrefix::parse(first.text)) {
    context.reporter.warning(
        first.range, fmt::format("'{}' is ignored: a second address on one line", first.text),
        "write each address on a line of its own");
    return;
  }
  const std::string_view near = nearest_word(first.text, schema.words_of(Block::address_list));
  context.reporter.warning(first.range,
                           fmt::format("'{}' is ignored: not an option of an address", first.text),
                           near.empty() ? "options are dev, label, brd and scope"
                                        : fmt::format("did you mean '{}'?", near));
}

}  // namespace

std::optional<VirtualAddress> read_address_line(BuildContext& context, const Statement& entry,
                                                ListOwner owner) {
  std::span<const Word> words = context.tree.args(entry);
  const Word& first = words.front();
  const std::optional<core::IpPrefix> prefix = read_prefix(context, first);
  if (!prefix) {
    const std::string hint = address_hint(first.text);
    context.reporter.warning(
        first.range, fmt::format("'{}' is not an IP address: this line is left out", first.text),
        hint.empty()
            ? "each line of this block begins with an address, such as 192.168.1.200/24 dev eth0"
            : hint);
    return std::nullopt;
  }
  Draft draft{.address = {}, .owner = owner};
  draft.address.prefix = *prefix;
  draft.address.location = context.reporter.locate(first.range.offset);
  const std::uint32_t line = context.next_block++;
  words = words.subspan(1);
  while (!words.empty()) {
    const bool is_option =
        Schema::instance().find(Block::address_list, words.front().text).has_value();
    if (!is_option)
      skip_unknown(context, words);
    else if (!setters().apply_option(context, Block::address_list, line, words, draft))
      return std::nullopt;
  }
  if (draft.broken) return std::nullopt;
  return draft.address;
}

std::optional<core::IpPrefix> address_of(const BuildContext& context, const Statement& entry) {
  return core::IpPrefix::parse(context.tree.args(entry).front().text);
}

bool addresses_know(KeywordId id) {
  return setters().knows(id);
}

}  // namespace holdfast::config
