#include "netlink_reflector/core/owned.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace holdfast::netlink {
namespace {

constexpr std::string_view kFormat = "holdfast-owned-addresses-1";
constexpr std::string_view kStatic = "static";

std::string header_of(std::string_view scope) {
  return fmt::format("{} {}", kFormat, scope);
}

/// Up to the separator; `text` becomes what follows it.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view word = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return word;
}

std::optional<OwnedChange> parse_line(std::string_view line) {
  OwnedChange change;
  const std::string_view sign = cut(line, ' ');
  if (sign != "+" && sign != "-") return std::nullopt;
  change.what = sign == "+" ? Ownership::began : Ownership::ended;

  const std::string_view number = cut(line, ' ');
  InterfaceIndex& index = change.address.index;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (error != std::errc{} || end != number.data() + number.size() || index == 0) {
    return std::nullopt;
  }
  change.address.interface = cut(line, ' ');
  const auto prefix = core::IpPrefix::parse(cut(line, ' '));
  // Words of later versions are skipped: what they are about is ours in any case.
  while (!line.empty())
    if (cut(line, ' ') == kStatic) change.address.lasting = true;
  if (change.address.interface.empty() || !prefix) return std::nullopt;
  change.address.address = prefix->address;
  change.address.length = prefix->address.is_v4() ? prefix->length : std::uint8_t{0};
  return change;
}

}  // namespace

bool OwnedAddress::is_same_place(const OwnedAddress& other) const {
  return index == other.index && address == other.address && length == other.length;
}

void OwnedList::apply(const OwnedChange& change) {
  const OwnedAddress& address = change.address;
  const auto former =
      addresses_.lower_bound({address.index, address.address, address.length, std::string{}});
  if (former != addresses_.end() && former->is_same_place(address)) addresses_.erase(former);
  if (change.what == Ownership::began) addresses_.insert(address);
}

std::string line_of(const OwnedChange& change) {
  const OwnedAddress& address = change.address;
  std::string line = fmt::format("{} {} {} {}", change.what == Ownership::began ? '+' : '-',
                                 address.index, address.interface, address.address.to_string());
  if (address.address.is_v4()) line += fmt::format("/{}", address.length);
  if (address.lasting) line += fmt::format(" {}", kStatic);
  return line + '\n';
}

std::string write_owned(const OwnedList& list, std::string_view scope) {
  std::string text = header_of(scope) + "\n";
  for (const OwnedAddress& address : list.all()) text += line_of({Ownership::began, address});
  return text;
}

core::Result<OwnedList> parse_owned(std::string_view text, std::string_view scope) {
  OwnedList list;
  const std::string_view header = cut(text, '\n');
  if (!header.starts_with(kFormat)) return core::fail("line 1 is not \"{} …\"", kFormat);
  if (header != header_of(scope)) return list;
  for (int number = 2; text.find('\n') != std::string_view::npos; ++number) {
    const std::string_view line = cut(text, '\n');
    const auto change = parse_line(line);
    if (!change) return core::fail("line {} names no address: \"{}\"", number, line);
    list.apply(*change);
  }
  return list;
}

}  // namespace holdfast::netlink
