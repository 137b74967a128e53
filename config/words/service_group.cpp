// virtual_server_group and SSL: their words, and how they are made of them.
#include "config/builders/service.hpp"
#include "config/group_members.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestMark = 4'294'967'295;

void read_mark(GroupEntry& entry, const Args& args) {
  entry.fwmark = args.as<std::uint32_t>(0);
  if (args.has(1)) entry.family = args.number(1) == 0 ? core::Family::v4 : core::Family::v6;
}

constexpr Keyword kGroup[] = {
    word("fwmark", integer(1, kLargestMark), optional(choice("inet inet6")), kRepeatable,
         reads<read_mark>,
         doc("entry: packets with this firewall mark; else ADDRESS[-LAST|/LENGTH] [PORT]")),
};

constexpr Keyword kSsl[] = {
    word("password", text("password"), kSecret, value<&TlsIdentity::password>,
         doc("password of the key file")),
    word("ca", text("file"), value<&TlsIdentity::ca>,
         doc("file of authorities, shown behind the certificate where they lead to its root; "
             "servers are not verified (PEM)")),
    word("certificate", text("file"), value<&TlsIdentity::certificate>,
         doc("file of our certificate and those behind it (PEM)")),
    word("key", text("file"), fallback("certificate"), value<&TlsIdentity::key>,
         doc("file of our private key (PEM)")),
};

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
  if (!is_short || !decode_word(of(ArgType::hex), text, part)) return std::nullopt;
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
  if (words.size() > 1 && !decode_word(integer(0, 65535), words[1].text, port)) {
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

// The members of a group are services of the kernel, one an address: too many would not fit.
bool fits(BuildContext& context, const Word& range, const VirtualServerGroup& group,
          const GroupEntry& entry) {
  std::size_t all = size_of(entry);
  for (const GroupEntry& other : group.entries) all += size_of(other);
  if (all <= kMostGroupMembers) return true;
  context.reporter.warning(
      range.range,
      fmt::format("'{}' is left out: virtual_server_group '{}' would have more than {} services",
                  range.text, group.name, kMostGroupMembers),
      "give these packets a firewall mark, and write 'fwmark N'");
  return false;
}

void write_entry(Writer& writer, const GroupEntry& entry) {
  if (entry.fwmark != 0) {
    std::vector<std::string> words{"fwmark", fmt::format("{}", entry.fwmark)};
    if (entry.family) words.emplace_back(*entry.family == core::Family::v4 ? "inet" : "inet6");
    writer.entry(std::move(words));
    return;
  }
  std::string range = entry.first.to_string();
  if (entry.last != entry.first) range += fmt::format("-{}", entry.last.to_string());
  writer.entry({range, fmt::format("{}", entry.port)});
}

}  // namespace

std::span<const Table> rows::service_groups() {
  static constexpr Table kTables[] = {{Block::virtual_server_group, kGroup}, {Block::ssl, kSsl}};
  return kTables;
}

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
    const bool read = words[0].text == "fwmark"
                          ? read_line(context, Block::virtual_server_group, words, entry)
                          : read_address_entry(context, words, entry);
    if (read && fits(context, words[0], group, entry)) group.entries.push_back(entry);
  }
  if (group.entries.empty() && args.statement().first_child == kNoStatement) {
    context.reporter.warning(args.value(0).range,
                             fmt::format("virtual_server_group '{}' is empty", group.name));
  }
  context.model.service_groups.push_back(std::move(group));
}

void build_tls_identity(const Args& args) {
  args.context().model.tls.location = args.location();
  read_body(args, args.context().model.tls);
}

Node document_of(const VirtualServerGroup& group) {
  Node made = node(Block::root, "virtual_server_group", {group.name});
  Writer writer = body_of(made, Detail::changed);
  for (const GroupEntry& entry : group.entries) write_entry(writer, entry);
  return made;
}

Node document_of(const TlsIdentity& tls) {
  return block_of("SSL", {}, tls, {}, Detail::changed);
}

}  // namespace holdfast::config
