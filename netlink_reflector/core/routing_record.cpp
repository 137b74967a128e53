// The record of the routes and rules that are ours, as text: the bytes of each, in hexadecimal.
#include "netlink_reflector/core/codec.hpp"
#include "netlink_reflector/core/routing_keeper.hpp"

#include <charconv>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kFormat = "holdfast-owned-routes-1";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kStatic = "static";

/// Up to the separator; `text` becomes what follows it.
std::string_view cut(std::string_view& text, char separator = '\n') {
  const std::size_t at = text.find(separator);
  const std::string_view word = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return word;
}

Bytes bytes_in(std::string_view hex) {
  Bytes bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(hex.data() + at, hex.data() + at + 2, byte, 16);
    if (error != std::errc{} || end != hex.data() + at + 2) return {};
    bytes.push_back(byte);
  }
  return bytes;
}

}  // namespace

std::string write_routing(const RoutingRecord& record, std::string_view scope) {
  std::string text = fmt::format("{} {}\n", kFormat, scope);
  for (const RoutingEntry& entry : record.owned) {
    Bytes message;
    append_routing(RoutingChange::add, entry, Placing::before, 0, message);
    for (const std::uint8_t byte : message) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    if (record.lasting.contains(entry)) text += fmt::format(" {}", kStatic);
    text += '\n';
  }
  return text;
}

core::Result<RoutingRecord> parse_routing(std::string_view text, std::string_view scope) {
  RoutingRecord record;
  const std::string_view header = cut(text);
  if (!header.starts_with(kFormat)) return core::fail("line 1 is not \"{} …\"", kFormat);
  if (header != fmt::format("{} {}", kFormat, scope)) return record;
  for (int number = 2; text.find('\n') != std::string_view::npos; ++number) {
    bool taken = false;
    std::string_view line = cut(text);
    const std::string_view bytes = cut(line, ' ');
    bool lasts = false;  // words of later versions are skipped: it is ours in any case
    while (!line.empty()) lasts = cut(line, ' ') == kStatic || lasts;
    decode_datagram(bytes_in(bytes), [&](const Message& message) {
      const auto* report = std::get_if<RoutingReport>(&message.payload);
      if (report == nullptr) return;
      record.owned.insert(report->entry);
      if (lasts) record.lasting.insert(report->entry);
      taken = true;
    });
    if (!taken) return core::fail("line {} names no route or rule", number);
  }
  return record;
}

}  // namespace holdfast::netlink
