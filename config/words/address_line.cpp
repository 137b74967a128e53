// One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress: the option words
// of addresses, what each reads and writes.
#include "config/schema/hint.hpp"
#include "config/words/lines.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;
constexpr std::size_t kLongestLabel = 15;  // linux/if.h: IFNAMSIZ - 1

struct Draft : VirtualAddress {
  using Object = VirtualAddress;

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

void read_broadcast(Draft& draft, const Args& args) {
  const std::string_view word = args.value(0).text;
  if (!draft.prefix.address.is_v4()) {
    args.context().reporter.warning(args.statement().range,
                                    "'brd' is ignored: IPv6 has no broadcast", "remove it");
    return;
  }
  if (word == "+" || word == "-") {
    draft.broadcast = broadcast_of(draft.prefix, word == "+");
    return;
  }
  draft.broadcast = core::IpAddress::parse(word);
  if (draft.broadcast && draft.broadcast->is_v4()) return;
  fail(draft, args, fmt::format("'brd' must be an IPv4 address, + or -, not '{}'", word));
}

void read_label(Draft& draft, const Args& args) {
  draft.label = args.text(0);
  if (draft.label.size() <= kLongestLabel) return;
  fail(draft, args,
       fmt::format("the label '{}' is longer than {} characters", draft.label, kLongestLabel));
}

void read_peer(Draft& draft, const Args& args) {
  draft.peer = core::IpPrefix::parse(args.value(0).text);
  const core::Family family = draft.prefix.address.family();
  if (draft.peer && draft.peer->address.family() == family) return;
  fail(draft, args,
       fmt::format("'peer' must be an address of the same family, not '{}'", args.value(0).text));
}

void read_scope(VirtualAddress& address, const Args& args) {
  address.scope = scope_of(args);
}
void write_scope(const VirtualAddress& address, Writer& out) {
  if (address.scope != core::kScopeGlobal) out.text("scope", core::scope_text(address.scope));
}

void write_peer(const VirtualAddress& address, Writer& out) {
  if (address.peer) out.text("peer", prefix_text(*address.peer));
}

void read_lifetime(VirtualAddress& address, const Args& args) {
  address.preferred_lifetime = args.value(0).last == 1 ? args.as<std::uint32_t>(0) : kForever;
}
void write_lifetime(const VirtualAddress& address, Writer& out) {
  const std::optional<std::uint32_t>& lifetime = address.preferred_lifetime;
  if (!lifetime) return;
  out.text("preferred_lft", *lifetime == kForever ? "forever" : fmt::format("{}", *lifetime));
}

constexpr Keyword kAddressList[] = {
    word("dev", of(ArgType::interface), fallback("the instance's interface"),
         value<&VirtualAddress::interface>, doc("interface that gets the address")),
    word("label", text("label"), value<&VirtualAddress::label>, reads<read_label>,
         doc("name of the address, such as eth0:vip")),
    word("brd", text("address, + or -"), value<&VirtualAddress::broadcast>, reads<read_broadcast>,
         doc("broadcast address; +: host bits set, -: host bits clear")),
    word("broadcast", text("address, + or -"), alias_of("brd")),
    word("scope", scope(), fallback("global"), reads<read_scope>, writes<write_scope>,
         doc("scope of the address")),
    word("peer", of(ArgType::prefix), reads<read_peer>, writes<write_peer>,
         doc("other end of a point-to-point link")),
    word("home", value<&VirtualAddress::home>, doc("home address (IFA_F_HOMEADDRESS)")),
    word("-nodad", value<&VirtualAddress::duplicate_detection>,
         doc("duplicate address detection is done")),
    word("mngtmpaddr", value<&VirtualAddress::manage_temporary>,
         doc("the kernel makes temporary addresses from it")),
    word("noprefixroute", value<&VirtualAddress::no_prefix_route>, doc("no route to its prefix")),
    word("autojoin", value<&VirtualAddress::auto_join>,
         doc("join the multicast group of that address")),
    word("no_track", value<&VirtualAddress::no_track>,
         doc("stays away when somebody removes it, until the next takeover")),
    word("preferred_lft",
         Arg{.type = ArgType::choice, .low = 0, .high = kAny32, .words = "forever"},
         fallback("forever; 0 for an IPv6 /128"), reads<read_lifetime>, writes<write_lifetime>,
         doc("preferred lifetime, seconds")),
    word("use_vmac", value<&VirtualAddress::use_vmac>,
         doc("put it on an interface with the virtual router's MAC above that interface")),
    word("track_group", text("name"), value<&VirtualAddress::track_group>,
         reads<read_track_group<Draft>>,
         doc("instances that go down while this static address is missing and cannot be put back")),
};

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
  Draft draft;
  draft.owner = owner;
  draft.prefix = *prefix;
  draft.location = context.reporter.locate(first.range.offset);
  const std::uint32_t line = context.next_block++;
  words = words.subspan(1);
  while (!words.empty()) {
    const bool is_option =
        Schema::instance().find(Block::address_list, words.front().text).has_value();
    if (!is_option)
      skip_unknown(context, words);
    else if (!read_option(context, Block::address_list, line, words, draft))
      return std::nullopt;
  }
  if (draft.broken) return std::nullopt;
  return draft;
}

Node document_of(const VirtualAddress& address) {
  static const VirtualAddress standard;
  std::vector<std::string> words = words_of_line(Block::address_list, &address, &standard);
  words.insert(words.begin(), prefix_text(address.prefix));
  return entry_of(std::move(words));
}

std::span<const Keyword> rows::address_list() {
  return kAddressList;
}

}  // namespace holdfast::config
