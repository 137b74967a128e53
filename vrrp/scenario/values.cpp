#include "vrrp/scenario/values.hpp"

#include "vrrp/scenario/address_parts.hpp"

#include <algorithm>

namespace holdfast::vrrp::scenario {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::size_t kMicroDigits = 6;
/// Far beyond every uptime, far below what 64 bits of microseconds hold.
constexpr std::int64_t kMostSeconds = 1'000'000'000;

std::string seconds_text(std::int64_t micros) {
  const std::uint64_t size =
      micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  std::string text = fmt::format("{}{}", micros < 0 ? "-" : "",
                                 size / static_cast<std::uint64_t>(kMicrosPerSecond));
  const std::uint64_t fraction = size % static_cast<std::uint64_t>(kMicrosPerSecond);
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text;
}

std::int64_t micros_of(std::string_view text) {
  const auto fail = [text] {
    return FormatError(fmt::format("'{}' is no time: seconds such as 12.345678", text));
  };
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::string fraction(digits.substr(std::min(point + 1, digits.size())));
  if (fraction.size() > kMicroDigits || (point < digits.size() && fraction.empty())) throw fail();
  fraction.resize(kMicroDigits, '0');
  std::uint64_t whole = 0;
  std::uint64_t micros = 0;
  from_text(digits.substr(0, point), whole);
  from_text(std::string_view(fraction), micros);
  if (whole > static_cast<std::uint64_t>(kMostSeconds)) throw fail();
  const auto all =
      static_cast<std::int64_t>(whole) * kMicrosPerSecond + static_cast<std::int64_t>(micros);
  return negative ? -all : all;
}

// A new member does not compile here until it is recorded.
std::string part_of(const VirtualAddress& address) {
  const auto& [prefix, interface, label, broadcast, scope, no_track, options] = address;
  std::string text = prefix.to_string();
  if (!interface.empty()) text += ",dev=" + escape_part(interface.str());
  if (!label.empty()) text += ",label=" + escape_part(label.str());
  if (broadcast) text += ",brd=" + broadcast->to_string();
  if (scope) text += fmt::format(",scope={}", *scope);
  if (no_track) text += ",no_track=yes";
  if (options) text += to_parts(*options);
  return text;
}

VirtualAddress address_of(std::string_view text) {
  VirtualAddress address;
  const auto parts = split_list(text, ',');
  const auto prefix = IpPrefix::parse(parts.empty() ? "" : parts.front());
  if (!prefix) throw FormatError(fmt::format("'{}' is no address with its prefix length", text));
  address.prefix = *prefix;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (part.starts_with("dev=")) {
      address.interface = unescape_part(part.substr(4));
    } else if (part.starts_with("label=")) {
      address.label = unescape_part(part.substr(6));
    } else if (part.starts_with("brd=")) {
      from_text(part.substr(4), address.broadcast.ensure());
    } else if (part.starts_with("scope=")) {
      from_text(part.substr(6), address.scope.emplace());
    } else if (part.starts_with("no_track=")) {
      from_text(part.substr(9), address.no_track);
    } else if (!take_part(part, address.options.ensure())) {
      throw FormatError(fmt::format("an address has no '{}'", part));
    }
  }
  return address;
}

/// "name=rest" taken apart.
std::pair<std::string_view, std::string_view> pair_of(std::string_view part) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos)
    throw FormatError(fmt::format("'{}' has no value behind a '='", part));
  return {part.substr(0, equals), part.substr(equals + 1)};
}

}  // namespace

std::string to_text(bool flag) {
  return flag ? "yes" : "no";
}

void from_text(std::string_view text, bool& flag) {
  if (text != "yes" && text != "no") throw FormatError(fmt::format("'{}' is not yes or no", text));
  flag = text == "yes";
}

std::string to_text(const std::string& text) {
  return text;
}

void from_text(std::string_view text, std::string& value) {
  value = text;
}

std::string to_text(const core::RareText& text) {
  return text.str();
}

void from_text(std::string_view text, core::RareText& value) {
  value = std::string(text);
}

std::string to_text(Duration duration) {
  return seconds_text(duration.count());
}

void from_text(std::string_view text, Duration& duration) {
  duration = Duration(micros_of(text));
}

std::string to_text(Instant instant) {
  return seconds_text(instant.time_since_epoch().count());
}

void from_text(std::string_view text, Instant& instant) {
  instant = Instant(Duration(micros_of(text)));
}

std::string to_text(const IpAddress& address) {
  return address.to_string();
}

void from_text(std::string_view text, IpAddress& address) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) throw FormatError(fmt::format("'{}' is no address", text));
  address = *parsed;
}

std::string to_text(const RouterKey& key) {
  return fmt::format("{}/{}/{}", key.interface, key.vrid, key.channel.to_string());
}

void from_text(std::string_view text, RouterKey& key) {
  const auto parts = split_list(text, '/');
  if (parts.size() != 3)
    throw FormatError(fmt::format("'{}' names no virtual router: eth0/51/224.0.0.18", text));
  key.interface = parts[0];
  from_text(parts[1], key.vrid);
  from_text(parts[2], key.channel);
  key.family = key.channel.family();
}

std::string to_text(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& each : addresses) text += (text.empty() ? "" : ",") + each.to_string();
  return text;
}

void from_text(std::string_view text, std::vector<IpAddress>& addresses) {
  addresses.clear();
  for (const std::string_view part : split_list(text, ','))
    from_text(part, addresses.emplace_back());
}

std::string to_text(const AddressList& addresses) {
  std::string text;
  for (const VirtualAddress& each : addresses) text += (text.empty() ? "" : ";") + part_of(each);
  return text;
}

void from_text(std::string_view text, AddressList& addresses) {
  std::vector<VirtualAddress> read;
  for (const std::string_view part : split_list(text, ';')) read.push_back(address_of(part));
  addresses = std::move(read);
}

std::string to_text(const Octets& octets) {
  return to_hex(octets.data(), octets.size());
}

void from_text(std::string_view text, Octets& octets) {
  const auto bytes = from_hex(text);
  if (bytes.size() != octets.size())
    throw FormatError(fmt::format("{} bytes are wanted", octets.size()));
  std::copy(bytes.begin(), bytes.end(), octets.begin());
}

std::string to_text(const core::ReasonSet& reasons) {
  std::string text;
  for (const auto& [source, sentence] : reasons.all()) {
    text +=
        fmt::format("{}{}={}", text.empty() ? "" : ";", escape_part(source), escape_part(sentence));
  }
  return text;
}

void from_text(std::string_view text, core::ReasonSet& reasons) {
  reasons = {};
  for (const std::string_view part : split_list(text, ';')) {
    const auto [source, sentence] = pair_of(part);
    reasons.add(unescape_part(source), unescape_part(sentence));
  }
}

std::string to_text(RejectReason reason) {
  return std::string(to_string(reason));
}

void from_text(std::string_view text, RejectReason& reason) {
  const auto named = reason_named(text);
  if (!named) throw FormatError(fmt::format("'{}' is no reason to reject a packet", text));
  reason = *named;
}

std::string to_text(const PeerRemarks& remarks) {
  std::string text;
  for (const PeerRemark& each : remarks)
    text += fmt::format("{}{},{},{},{},{}", text.empty() ? "" : ";", to_text(each.reason),
                        to_text(each.peer), to_text(each.heard_at),
                        each.told_at ? to_text(*each.told_at) : "-", to_text(each.ended));
  return text;
}

void from_text(std::string_view text, PeerRemarks& remarks) {
  remarks.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 5) throw FormatError(fmt::format("'{}' is no remark", part));
    PeerRemark& remark = remarks.emplace_back();
    from_text(members[0], remark.reason);
    from_text(members[1], remark.peer);
    from_text(members[2], remark.heard_at);
    if (members[3] != "-") from_text(members[3], remark.told_at.emplace());
    from_text(members[4], remark.ended);
  }
}

std::string to_text(const std::vector<UnicastPeer>& peers) {
  std::string text;
  for (const UnicastPeer& each : peers)
    text += fmt::format("{}{},{},{}", text.empty() ? "" : ";", to_text(each.address), each.min_ttl,
                        each.max_ttl);
  return text;
}

void from_text(std::string_view text, std::vector<UnicastPeer>& peers) {
  peers.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 3) throw FormatError(fmt::format("'{}' is no peer", part));
    UnicastPeer& peer = peers.emplace_back();
    from_text(members[0], peer.address);
    from_text(members[1], peer.min_ttl);
    from_text(members[2], peer.max_ttl);
  }
}

std::string to_text(const std::vector<SigningKey>& keys) {
  std::string text;
  for (const SigningKey& each : keys)
    text += fmt::format("{}{},{}", text.empty() ? "" : ";", each.id,
                        to_hex(each.bytes.data(), each.bytes.size()));
  return text;
}

void from_text(std::string_view text, std::vector<SigningKey>& keys) {
  keys.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 2) throw FormatError(fmt::format("'{}' is no key", part));
    SigningKey& key = keys.emplace_back();
    from_text(members[0], key.id);
    key.bytes = from_hex(members[1]);
  }
}

std::string to_text(const std::vector<SignedPeer>& peers) {
  std::string text;
  for (const SignedPeer& each : peers)
    text += fmt::format("{}{},{},{}", text.empty() ? "" : ";", to_text(each.peer), each.stamp,
                        each.key);
  return text;
}

void from_text(std::string_view text, std::vector<SignedPeer>& peers) {
  peers.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 3) throw FormatError(fmt::format("'{}' is no signer", part));
    SignedPeer& peer = peers.emplace_back();
    from_text(members[0], peer.peer);
    from_text(members[1], peer.stamp);
    from_text(members[2], peer.key);
  }
}

std::string to_text(const Dialects& dialects) {
  std::string text;
  for (const PeerDialect& each : dialects)
    text += fmt::format("{}{},{},{},{}", text.empty() ? "" : ";", to_text(each.peer),
                        to_text(each.form), each.adverts, to_text(each.heard_at));
  return text;
}

void from_text(std::string_view text, Dialects& dialects) {
  dialects.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 4) throw FormatError(fmt::format("'{}' is no dialect", part));
    PeerDialect& dialect = dialects.emplace_back();
    from_text(members[0], dialect.peer);
    from_text(members[1], dialect.form);
    from_text(members[2], dialect.adverts);
    from_text(members[3], dialect.heard_at);
  }
}

std::string to_text(const TrackerId& tracker) {
  return to_text(tracker.kind) + ':' + escape_part(tracker.name);
}

void from_text(std::string_view text, TrackerId& tracker) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    throw FormatError(fmt::format("'{}' is nobody that could be tracked: script:chk", text));
  from_text(text.substr(0, colon), tracker.kind);
  tracker.name = unescape_part(text.substr(colon + 1));
}

std::string to_text(const std::vector<Tracker>& trackers) {
  std::string text;
  for (const auto& [id, weight, reverse] : trackers)
    text +=
        fmt::format("{}{},{},{}", text.empty() ? "" : ";", to_text(id), weight, to_text(reverse));
  return text;
}

void from_text(std::string_view text, std::vector<Tracker>& trackers) {
  trackers.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto members = split_list(part, ',');
    if (members.size() != 3) throw FormatError(fmt::format("'{}' is no tracker", part));
    auto& [id, weight, reverse] = trackers.emplace_back();
    from_text(members[0], id);
    from_text(members[1], weight);
    from_text(members[2], reverse);
  }
}

std::string to_text(const Verdict& verdict) {
  if (verdict == Verdict::bad) return "bad";
  if (verdict == Verdict::good) return "good";
  return to_text(verdict.number);
}

void from_text(std::string_view text, Verdict& verdict) {
  if (text == "bad" || text == "good")
    verdict = text == "good" ? Verdict::good : Verdict::bad;
  else
    from_text(text, verdict.number);
}

std::string to_text(const Verdicts& verdicts) {
  std::string text;
  for (const auto& [tracker, verdict] : verdicts)
    text += fmt::format("{}{}={}", text.empty() ? "" : ";", to_text(tracker), to_text(verdict));
  return text;
}

void from_text(std::string_view text, Verdicts& verdicts) {
  verdicts.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto [name, said] = pair_of(part);
    TrackerId tracker;
    from_text(name, tracker);
    from_text(said, verdicts[tracker]);
  }
}

std::string to_text(const std::map<std::string, std::string>& sentences) {
  std::string text;
  for (const auto& [name, said] : sentences)
    text += fmt::format("{}{}={}", text.empty() ? "" : ";", escape_part(name), escape_part(said));
  return text;
}

void from_text(std::string_view text, std::map<std::string, std::string>& sentences) {
  sentences.clear();
  for (const std::string_view part : split_list(text, ';')) {
    const auto [name, sentence] = pair_of(part);
    sentences[unescape_part(name)] = unescape_part(sentence);
  }
}

}  // namespace holdfast::vrrp::scenario
