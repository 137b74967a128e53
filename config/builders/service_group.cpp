// virtual_server_group → VirtualServerGroup, and SSL → TlsIdentity.
#include "config/builders/service.hpp"
#include "config/schema/row.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

const Setters<GroupEntry>& entry_setters() {
  static const Setters<GroupEntry> table(
      Block::virtual_server_group, {{"fwmark", [](GroupEntry& d, const Args& a) {
                                       d.fwmark = a.as<std::uint32_t>(0);
                                       if (!a.has(1)) return;
                                       d.family =
                                           a.number(1) == 0 ? core::Family::v4 : core::Family::v6;
                                     }}});
  return table;
}

const Setters<TlsIdentity>& tls_setters() {
  static const Setters<TlsIdentity> table(
      Block::ssl,
      {{"password", [](TlsIdentity& d, const Args& a) { d.password = a.text(0); }},
       {"ca", [](TlsIdentity& d, const Args& a) { d.ca = a.text(0); }},
       {"certificate", [](TlsIdentity& d, const Args& a) { d.certificate = a.text(0); }},
       {"key", [](TlsIdentity& d, const Args& a) { d.key = a.text(0); }}});
  return table;
}

// The address whose last part is `text`: the last octet of IPv4 in decimal, the last 16 bits of
// IPv6 in hexadecimal digits.
std::optional<core::IpAddress> with_last_part(const core::IpAddress& first, std::string_view text) {
  const std::string written = first.to_string();
  if (first.is_v4()) {
    return core::IpAddress::parse(
        fmt::format("{}{}", written.substr(0, written.rfind('.') + 1), text));
  }
  Value part;
  const bool is_short = text.size() <= 4;
  if (!is_short || !decode_word(rows::of(ArgType::hex), text, part)) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::copy(first.bytes().begin(), first.bytes().end(), bytes.begin());
  const auto number = static_cast<std::uint32_t>(std::stoul(std::string(text), nullptr, 16));
  bytes[14] = static_cast<std::uint8_t>(number >> 8);
  bytes[15] = static_cast<std::uint8_t>(number & 0xFF);
  return core::IpAddress::v6(bytes);
}

core::IpAddress masked(const core::IpAddress& address, unsigned length, bool ones) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  for (unsigned bit = length; bit < address.bytes().size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    std::uint8_t& byte = bytes[bit / 8];
    byte = static_cast<std::uint8_t>(ones ? byte | mask : byte & ~mask);
  }
  if (address.is_v4()) return core::IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  return core::IpAddress::v6(bytes);
}

// ADDRESS, ADDRESS-LAST, ADDRESS-ADDRESS or ADDRESS/LENGTH.
bool read_range(std::string_view text, GroupEntry& entry) {
  if (text.find('/') != std::string_view::npos) {
    const std::optional<core::IpPrefix> prefix = core::IpPrefix::parse(text);
    if (!prefix) return false;
    entry.first = masked(prefix->address, prefix->length, false);
    entry.last = masked(prefix->address, prefix->length, true);
    return true;
  }
  const std::size_t dash = std::min(text.find('-'), text.size());
  const std::optional<core::IpAddress> first = core::IpAddress::parse(text.substr(0, dash));
  if (!first) return false;
  entry.first = *first;
  entry.last = *first;
  if (dash == text.size()) return true;
  const std::string_view end = text.substr(dash + 1);
  std::optional<core::IpAddress> last = core::IpAddress::parse(end);
  if (!last) last = with_last_part(*first, end);
  if (!last || last->family() != first->family()) return false;
  entry.last = *last;
  return true;
}

bool read_address_entry(BuildContext& context, std::span<const Word> words, GroupEntry& entry) {
  Reporter& reporter = context.reporter;
  const Word& range = words[0];
  if (!read_range(range.text, entry)) {
    reporter.warning(
        range.range,
        fmt::format("an entry of 'virtual_server_group' must be an address, a range of addresses "
                    "or 'fwmark', not '{}': this line is left out",
                    range.text),
        "such as: 192.168.1.200 80, 192.168.1.200-210 80, 192.168.1.0/28 80 or fwmark 5");
    return false;
  }
  if (entry.last < entry.first) {
    reporter.warning(
        range.range,
        fmt::format("the range '{}' ends before it begins: this line is left out", range.text),
        "write the lower address first");
    return false;
  }
  Value port;
  if (words.size() > 1 && !decode_word(rows::integer(0, 65535), words[1].text, port)) {
    reporter.warning(
        words[1].range,
        fmt::format("the port must be a number from 1 to 65535, not '{}': this line is left out",
                    words[1].text));
    return false;
  }
  entry.port = static_cast<std::uint16_t>(port.number);
  if (words.size() > 2) {
    reporter.warning(
        words[2].range,
        fmt::format("'{}' is ignored: nothing more may follow the port", words[2].text),
        "begin a new line before the next entry");
  }
  return true;
}

}  // namespace

void build_service_group(const Args& args) {
  BuildContext& context = args.context();
  VirtualServerGroup group;
  group.name = args.text(0);
  group.location = args.location();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    const Statement& statement = context.tree.statements[at];
    const std::span<const Word> words = context.tree.args(statement);
    if (words.empty()) continue;
    GroupEntry entry;
    entry.location = context.reporter.locate(statement.range.offset);
    const bool read =
        words[0].text == "fwmark"
            ? entry_setters().apply_line(context, Block::virtual_server_group, words, entry)
            : read_address_entry(context, words, entry);
    if (read) group.entries.push_back(entry);
  }
  if (group.entries.empty() && args.statement().first_child == kNoStatement) {
    context.reporter.warning(args.value(0).range,
                             fmt::format("virtual_server_group '{}' is empty", group.name));
  }
  context.model.service_groups.push_back(std::move(group));
}

void build_tls_identity(const Args& args) {
  tls_setters().apply(args.context(), args.statement().first_child, args.context().model.tls);
}

bool service_groups_know(KeywordId id) {
  return entry_setters().knows(id) || tls_setters().knows(id);
}

}  // namespace holdfast::config
