// The blocks and lines inside vrrp_instance: addresses, peers, virtual interfaces, authentication.
#include "config/builders/address_line.hpp"
#include "config/builders/vrrp_draft.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestPassword = 8;  // RFC 2338 §5.3.10: Authentication Data is 8 bytes
constexpr std::size_t kShortestKey = 32;     // of auth_hmac, bytes
constexpr std::size_t kLongestKey = 64;

template <class Read>
void for_each_entry(const Args& args, const Read& read) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next)
    read(context, context.tree.statements[at]);
}

const Setters<UnicastPeer>& peer_setters() {
  static const Setters<UnicastPeer> table(
      Block::peer_list,
      {{"min_ttl", [](UnicastPeer& p, const Args& a) { p.min_ttl = a.as<std::uint8_t>(0); }},
       {"max_ttl", [](UnicastPeer& p, const Args& a) { p.max_ttl = a.as<std::uint8_t>(0); }}});
  return table;
}

// One peer and its options from the front of `words`; the next one begins at the next address.
void read_peer(BuildContext& context, std::span<const Word>& words, InstanceDraft& draft) {
  const Word& first = words.front();
  const std::optional<core::IpAddress> address = core::IpAddress::parse(first.text);
  if (!address) {
    context.reporter.warning(
        first.range,
        fmt::format("'unicast_peer' lists IP addresses, not '{}': this line is left out",
                    first.text),
        "write one address a line, with min_ttl or max_ttl behind it");
    words = {};
    return;
  }
  std::size_t end = 1;
  while (end < words.size() && !core::IpAddress::parse(words[end].text)) ++end;
  UnicastPeer peer;
  peer.address = *address;
  peer.location = context.reporter.locate(first.range.offset);
  const std::span<const Word> options = words.subspan(1, end - 1);
  words = words.subspan(end);
  if (!peer_setters().apply_line(context, Block::peer_list, options, peer)) return;
  for (const UnicastPeer& other : draft.instance.unicast_peers) {
    if (other.address != peer.address) continue;
    context.reporter.warning(first.range, fmt::format("the peer {} is given twice", first.text),
                             "remove one of them");
    return;
  }
  draft.instance.unicast_peers.push_back(peer);
}

// An interface and its options, which may also stand bare: the name, the MAC, the address.
using ReadBareWord = bool (*)(Vmac& vmac, std::string_view word, bool& five_octets);

bool read_vmac_word(Vmac& vmac, std::string_view word, bool& five_octets) {
  Value value;
  if (decode_word(rows::of(ArgType::mac), word, value)) {
    vmac.mac = core::MacAddress::parse(word);
    five_octets = !vmac.mac;
    if (five_octets) vmac.mac = core::MacAddress::parse(fmt::format("{}:00", word));
    return vmac.mac.has_value();
  }
  if (!vmac.name.empty() || !decode_word(rows::of(ArgType::interface), word, value)) return false;
  vmac.name = std::string(word);
  return true;
}

bool read_ipvlan_word(Vmac& vmac, std::string_view word, bool&) {
  if (const std::optional<core::IpPrefix> source = core::IpPrefix::parse(word)) {
    vmac.source = source;
    return true;
  }
  Value value;
  if (!vmac.name.empty() || !decode_word(rows::of(ArgType::interface), word, value)) return false;
  vmac.name = std::string(word);
  return true;
}

const Setters<Vmac>& vmac_setters() {
  static const Setters<Vmac> table(
      Block::vmac_line,
      {{"name", [](Vmac& v, const Args& a) { v.name = a.text(0); }},
       {"group", [](Vmac& v, const Args& a) { v.group = a.text(0); }},
       {"netlink_notify_msg", [](Vmac& v, const Args&) { v.netlink_notify_msg = true; }}});
  return table;
}

const Setters<Vmac>& ipvlan_setters() {
  static const Setters<Vmac> table(
      Block::ipvlan_line,
      {{"name", [](Vmac& v, const Args& a) { v.name = a.text(0); }},
       {"group", [](Vmac& v, const Args& a) { v.group = a.text(0); }},
       {"bridge", [](Vmac& v, const Args&) { v.mode = Vmac::IpvlanMode::bridge; }},
       {"private", [](Vmac& v, const Args&) { v.mode = Vmac::IpvlanMode::private_; }},
       {"vepa", [](Vmac& v, const Args&) { v.mode = Vmac::IpvlanMode::vepa; }}});
  return table;
}

void read_virtual_interface(InstanceDraft& draft, const Args& args, Vmac& vmac, Block line,
                            const Setters<Vmac>& setters, ReadBareWord read_bare) {
  BuildContext& context = args.context();
  std::span<const Word> words = context.tree.args(args.statement());
  draft.vmac_at = args.statement().range;
  while (!words.empty()) {
    if (!Schema::instance().find(line, words.front().text)) {
      if (!read_bare(vmac, words.front().text, draft.mac_lacks_last_byte)) {
        context.reporter.warning(
            words.front().range,
            fmt::format("'{}' is no option of '{}': from here on this line is left out",
                        words.front().text, name_of(line)));
        return;
      }
      words = words.subspan(1);
      continue;
    }
    std::span<const Word> rest = words;
    (void)take_option(context, line, rest);
    if (!setters.apply_line(context, line, words.first(words.size() - rest.size()), vmac)) return;
    words = rest;
  }
}

const Setters<InstanceDraft>& authentication_setters() {
  static const Setters<InstanceDraft> table(
      Block::authentication,
      {{"auth_type",
        [](InstanceDraft& d, const Args& a) {
          d.instance.authentication.type = a.number(0) == 0 ? AuthType::pass : AuthType::ah;
        }},
       {"auth_pass", [](InstanceDraft& d, const Args& a) {
          d.has_password = true;
          d.instance.authentication.password = a.text(0).substr(0, kLongestPassword);
          if (a.value(0).text.size() <= kLongestPassword) return;
          a.context().reporter.warning(a.value(0).range,
                                       "the password is longer than 8 bytes and is cut to 8, as "
                                       "every VRRP version 2 router does");
        }}});
  return table;
}

// Bytes of a key as written; nullopt when they are in a file.
std::optional<std::size_t> key_length(std::string_view value) {
  if (value.starts_with("file:")) return std::nullopt;
  return value.starts_with("hex:") ? (value.size() - 4) / 2 : value.size();
}

void add_key(AuthHmac& hmac, const Args& args) {
  const auto length = key_length(args.value(1).text);
  if (length && (*length < kShortestKey || *length > kLongestKey)) {
    args.context().reporter.warning(
        args.value(1).range, fmt::format("this key has {} bytes; keepalived takes keys of {} to {}",
                                         *length, kShortestKey, kLongestKey));
  }
  hmac.keys.push_back({args.as<std::uint8_t>(0), args.text(1)});
}

const Setters<AuthHmac>& hmac_setters() {
  static const Setters<AuthHmac> table(
      Block::auth_hmac,
      {{"key", add_key},
       {"active_key", [](AuthHmac& h, const Args& a) { h.active_key = a.as<std::uint8_t>(0); }},
       {"time_window", [](AuthHmac& h, const Args& a) { h.time_window = a.duration(0); }},
       {"anti_replay",
        [](AuthHmac& h, const Args& a) {
          h.anti_replay = static_cast<AuthHmac::AntiReplay>(a.number(0));
        }},
       {"mode",
        [](AuthHmac& h, const Args& a) { h.mode = static_cast<AuthHmac::Mode>(a.number(0)); }}});
  return table;
}

}  // namespace

void read_virtual_addresses(InstanceDraft& draft, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::optional<VirtualAddress> address = read_address_line(context, entry);
    if (!address) {
      draft.meant_without_addresses = true;  // said already
      return;
    }
    if (!draft.family) draft.family = address->prefix.address.family();
    draft.instance.virtual_addresses.push_back(std::move(*address));
    draft.addresses_at.push_back(entry.range);
  });
}

void read_excluded_addresses(InstanceDraft& draft, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::optional<VirtualAddress> address = read_address_line(context, entry);
    if (address) draft.instance.virtual_addresses_excluded.push_back(std::move(*address));
  });
}

void read_unicast_peers(InstanceDraft& draft, const Args& args) {
  draft.unicast_word = true;
  draft.peers_at = args.statement().range;
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::span<const Word> words = context.tree.args(entry);
    const std::size_t before = draft.instance.unicast_peers.size();
    while (!words.empty()) read_peer(context, words, draft);
    if (draft.instance.unicast_peers.size() == before) draft.unreadable_peers = true;
  });
}

void read_use_vmac(InstanceDraft& draft, const Args& args) {
  Vmac& vmac = draft.instance.vmac.ensure();
  vmac.kind = Vmac::Kind::macvlan;
  vmac.mode = Vmac::IpvlanMode::bridge;  // of ipvlan only, as is the address
  vmac.source.reset();
  read_virtual_interface(draft, args, vmac, Block::vmac_line, vmac_setters(), read_vmac_word);
}

void read_use_ipvlan(InstanceDraft& draft, const Args& args) {
  Vmac& vmac = draft.instance.vmac.ensure();
  vmac.kind = Vmac::Kind::ipvlan;
  vmac.mac.reset();
  vmac.netlink_notify_msg = false;
  read_virtual_interface(draft, args, vmac, Block::ipvlan_line, ipvlan_setters(), read_ipvlan_word);
}

void read_authentication(InstanceDraft& draft, const Args& args) {
  draft.auth_at = args.statement().range;
  authentication_setters().apply(args.context(), args.statement().first_child, draft);
}

void read_auth_hmac(InstanceDraft& draft, const Args& args) {
  hmac_setters().apply(args.context(), args.statement().first_child,
                       draft.instance.auth_hmac.ensure());
}

bool instance_parts_know(KeywordId id) {
  return authentication_setters().knows(id) || hmac_setters().knows(id) ||
         peer_setters().knows(id) || vmac_setters().knows(id) || ipvlan_setters().knows(id);
}

}  // namespace holdfast::config
