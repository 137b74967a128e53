// The blocks and lines inside vrrp_instance: addresses, peers, virtual interfaces, authentication;
// their words, what each reads and writes.
#include "config/builders/vrrp_draft.hpp"
#include "config/signing_keys.hpp"
#include "config/words/lines.hpp"
#include "config/words/meaning.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::size_t kLongestPassword = 8;  // RFC 2338 §5.3.10: Authentication Data is 8 bytes

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
  if (!read_line(context, Block::peer_list, options, peer)) return;
  for (const UnicastPeer& other : draft.unicast_peers) {
    if (other.address != peer.address) continue;
    context.reporter.warning(first.range, fmt::format("the peer {} is given twice", first.text),
                             "remove one of them");
    return;
  }
  draft.unicast_peers.push_back(peer);
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

void read_virtual_interface(InstanceDraft& draft, const Args& args, Vmac& vmac, Block line,
                            ReadBareWord read_bare) {
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
    if (!read_line(context, line, words.first(words.size() - rest.size()), vmac)) return;
    words = rest;
  }
}

void add_key(AuthHmac& hmac, const Args& args) {
  hmac.keys.push_back({args.as<std::uint8_t>(0), args.text(1)});
  if (const auto bytes = bytes_of(hmac.keys.back()); !bytes)
    args.context().reporter.warning(args.value(1).range, bytes.error().message);
}

void read_password(InstanceDraft& draft, const Args& args) {
  draft.has_password = true;
  draft.authentication.password = args.text(0).substr(0, kLongestPassword);
  if (args.value(0).text.size() <= kLongestPassword) return;
  args.context().reporter.warning(args.value(0).range,
                                  "the password is longer than 8 bytes and is cut to 8, as "
                                  "every VRRP version 2 router does");
}

void write_keys(const AuthHmac& hmac, Writer& out) {
  for (const AuthHmac::Key& key : hmac.keys)
    out.statement("key", {fmt::format("{}", key.id), key.value});
}

void read_auth_type(InstanceDraft& draft, const Args& args) {
  draft.authentication.type = args.number(0) == 0 ? AuthType::pass : AuthType::ah;
}
void write_auth_type(const VrrpInstance& instance, Writer& out) {
  out.text("auth_type", to_string(instance.authentication.type));
}
void write_password(const VrrpInstance& instance, Writer& out) {
  out.statement("auth_pass", {instance.authentication.password});
}

template <Vmac::IpvlanMode kIs>
inline constexpr rows::Bound kMode{
    [](void* object, const Args&) { static_cast<Vmac*>(object)->mode = kIs; },
    [](const void* object, const void*, const Keyword& row, Writer& out) {
      const auto& vmac = *static_cast<const Vmac*>(object);
      out.flag(row.name, kIs != Vmac::IpvlanMode::bridge && vmac.mode == kIs);
    }};

void write_addresses(Writer& out, std::string_view word, const std::vector<VirtualAddress>& list,
                     const VrrpInstance& instance) {
  if (list.empty()) return;
  Node& made = out.block(word);
  for (VirtualAddress address : list) {
    if (address.interface == instance.interface) address.interface.clear();
    made.body.push_back(document_of(address));
  }
}

// The bare words, then the options.
std::vector<std::string> vmac_words(const Vmac& vmac, Block line) {
  const Vmac standard;
  std::vector<std::string> words = words_of_line(line, &vmac, &standard);
  if (vmac.source) words.push_back(vmac.source->to_string());
  if (vmac.mac) words.push_back(vmac.mac->to_string());
  return words;
}

constexpr Keyword kAuthentication[] = {
    word("auth_type", choice("PASS AH"), fallback("none"), reads<read_auth_type>,
         writes<write_auth_type>,
         doc("PASS: the password is sent in clear; AH: adverts have an IP authentication header")),
    word("auth_pass", text("password"), kSecret, reads<read_password>, writes<write_password>,
         doc("the same on all directors; the first 8 bytes count")),
};

constexpr Keyword kAuthHmac[] = {
    word("key", integer(1, 255), text("key"), kRepeatable, kSecret, since("2.4"), reads<add_key>,
         writes<write_keys>, doc("number and key: text, hex:DIGITS or file:PATH, 32 to 64 bytes")),
    word("active_key", integer(1, 255), fallback("the first"), since("2.4"),
         value<&AuthHmac::active_key>, doc("the key that signs")),
    word("time_window", seconds(1, 300), fallback("the larger of 5 and three intervals"),
         since("2.4"), value<&AuthHmac::time_window>,
         doc("how far the clocks of two directors may differ, seconds")),
    word("anti_replay", choice("time monotonic"), fallback("time"), since("2.4"),
         value<&AuthHmac::anti_replay>, doc("what keeps an old advert from counting again")),
    word("mode", choice("enforce permissive receive-only"), fallback("enforce"), since("2.4"),
         value<&AuthHmac::mode>, doc("what is done with adverts that are not signed")),
};

constexpr Keyword kPeers[] = {
    word("min_ttl", integer(0, 255), value<&UnicastPeer::min_ttl>,
         doc("adverts with a lower TTL are dropped")),
    word("max_ttl", integer(0, 255), value<&UnicastPeer::max_ttl>,
         doc("adverts with a higher TTL are dropped")),
};

constexpr Keyword kVmacLine[] = {
    word("name", of(ArgType::interface), value<&Vmac::name>, doc("name of the virtual interface")),
    word("netlink_notify_msg",
         not_yet("'netlink_notify_msg' has no effect: the kernel itself tells whoever listens of "
                 "the virtual interface"),
         value<&Vmac::netlink_notify_msg>, doc("tell user space about the virtual interface")),
    word("group", text("group"), value<&Vmac::group>, doc("link group, name or number")),
};

constexpr Keyword kIpvlanLine[] = {
    word("name", of(ArgType::interface), value<&Vmac::name>, doc("name of the virtual interface")),
    word("bridge", kMode<Vmac::IpvlanMode::bridge>, doc("mode of the ipvlan (the default)")),
    word("private", kMode<Vmac::IpvlanMode::private_>, doc("mode of the ipvlan")),
    word("vepa", kMode<Vmac::IpvlanMode::vepa>, doc("mode of the ipvlan")),
    word("group", text("group"), value<&Vmac::group>, doc("link group, name or number")),
};

constexpr Table kTables[] = {
    {Block::authentication, kAuthentication},
    {Block::auth_hmac, kAuthHmac},
    {Block::peer_list, kPeers},
    {Block::vmac_line, kVmacLine},
    {Block::ipvlan_line, kIpvlanLine},
};

template <class T>
void write_lines(Writer& out, std::string_view word, const std::vector<T>& list) {
  if (list.empty()) return;
  Node& made = out.block(word);
  for (const T& each : list) made.body.push_back(document_of(each));
}
}  // namespace

void read_virtual_addresses(InstanceDraft& draft, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::optional<VirtualAddress> address = read_address_line(context, entry);
    if (!address) {
      draft.meant_without_addresses = true;  // said already
      return;
    }
    if (!draft.first_family) draft.first_family = address->prefix.address.family();
    draft.virtual_addresses.push_back(std::move(*address));
    draft.addresses_at.push_back(entry.range);
  });
}

void read_excluded_addresses(InstanceDraft& draft, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::optional<VirtualAddress> address = read_address_line(context, entry);
    if (address) draft.virtual_addresses_excluded.push_back(std::move(*address));
  });
}

void read_unicast_peers(InstanceDraft& draft, const Args& args) {
  draft.unicast_word = true;
  draft.peers_at = args.statement().range;
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    std::span<const Word> words = context.tree.args(entry);
    const std::size_t before = draft.unicast_peers.size();
    while (!words.empty()) read_peer(context, words, draft);
    if (draft.unicast_peers.size() == before) draft.unreadable_peers = true;
  });
}

void read_use_vmac(InstanceDraft& draft, const Args& args) {
  Vmac& vmac = draft.vmac.ensure();
  vmac.kind = Vmac::Kind::macvlan;
  vmac.mode = Vmac::IpvlanMode::bridge;  // of ipvlan only, as is the address
  vmac.source.reset();
  read_virtual_interface(draft, args, vmac, Block::vmac_line, read_vmac_word);
}

void read_use_ipvlan(InstanceDraft& draft, const Args& args) {
  Vmac& vmac = draft.vmac.ensure();
  vmac.kind = Vmac::Kind::ipvlan;
  vmac.mac.reset();
  vmac.netlink_notify_msg = false;
  read_virtual_interface(draft, args, vmac, Block::ipvlan_line, read_ipvlan_word);
}

void read_authentication(InstanceDraft& draft, const Args& args) {
  draft.auth_at = args.statement().range;
  read_body(args, draft);
}

void read_auth_hmac(InstanceDraft& draft, const Args& args) {
  read_body(args, draft.auth_hmac.ensure());
}

void write_virtual_addresses(const VrrpInstance& instance, Writer& out) {
  write_addresses(out, "virtual_ipaddress", instance.virtual_addresses, instance);
}

void write_excluded_addresses(const VrrpInstance& instance, Writer& out) {
  write_addresses(out, "virtual_ipaddress_excluded", instance.virtual_addresses_excluded, instance);
}

void write_unicast_peers(const VrrpInstance& instance, Writer& out) {
  if (!instance.unicast) return;
  const UnicastPeer standard;
  Writer body = body_of(out.block("unicast_peer"), out.detail());
  for (const UnicastPeer& peer : instance.unicast_peers) {
    std::vector<std::string> words = words_of_line(Block::peer_list, &peer, &standard);
    words.insert(words.begin(), peer.address.to_string());
    body.entry(std::move(words));
  }
}

void write_use_vmac(const VrrpInstance& instance, Writer& out) {
  if (instance.vmac && instance.vmac->kind == Vmac::Kind::macvlan)
    out.statement("use_vmac", vmac_words(*instance.vmac, Block::vmac_line));
}

void write_use_ipvlan(const VrrpInstance& instance, Writer& out) {
  if (instance.vmac && instance.vmac->kind == Vmac::Kind::ipvlan)
    out.statement("use_ipvlan", vmac_words(*instance.vmac, Block::ipvlan_line));
}

void write_authentication(const VrrpInstance& instance, Writer& out) {
  if (instance.authentication.type == AuthType::none) return;
  Writer body = body_of(out.block("authentication"), out.detail());
  write_words(Block::authentication, instance, instance, body);
}

void write_auth_hmac(const VrrpInstance& instance, Writer& out) {
  if (!instance.auth_hmac) return;
  Writer body = body_of(out.block("auth_hmac"), out.detail());
  write_words(Block::auth_hmac, *instance.auth_hmac, {}, body);
}

std::span<const Table> rows::vrrp_lists() {
  return kTables;
}

void read_routes(VrrpInstance& instance, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    auto route = read_route_line(context, entry, ListOwner::instance);
    if (route) instance.virtual_routes.push_back(std::move(*route));
  });
}
void read_rules(VrrpInstance& instance, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    auto rule = read_rule_line(context, entry, ListOwner::instance);
    if (rule) instance.virtual_rules.push_back(std::move(*rule));
  });
}

void write_routes(const VrrpInstance& instance, Writer& out) {
  write_lines(out, "virtual_routes", instance.virtual_routes);
}
void write_rules(const VrrpInstance& instance, Writer& out) {
  write_lines(out, "virtual_rules", instance.virtual_rules);
}

}  // namespace holdfast::config
