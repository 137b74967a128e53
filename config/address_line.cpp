#include "config/address_line.hpp"

#include <fmt/format.h>

#include <array>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestLabel = 15;  // linux/if.h: IFNAMSIZ - 1

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> kScopes = {
    {{"global", kScopeGlobal},
     {"site", kScopeSite},
     {"link", kScopeLink},
     {"host", kScopeHost},
     {"nowhere", kScopeNowhere}}};

const std::vector<std::string_view> kOptions = {
    "dev",    "label",      "brd",           "broadcast", "scope",    "peer",          "home",
    "-nodad", "mngtmpaddr", "noprefixroute", "autojoin",  "no_track", "preferred_lft", "use_vmac"};
// Options that are recognised, without effect so far; those of the second list have a value.
const std::vector<std::string_view> kFlagsWithoutEffect = {
    "home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac"};
const std::vector<std::string_view> kValuesWithoutEffect = {"peer", "preferred_lft", "track_group"};

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class LineReader {
 public:
  LineReader(BuildContext& context, const Statement& entry)
      : context_(context), words_(context.tree.args(entry)) {}

  std::optional<VirtualAddress> read();

 private:
  bool read_options();
  bool read_value(std::string_view option, const Word& value);
  bool read_broadcast(const Word& value);
  bool read_scope(const Word& value);
  bool fail(const Word& word, std::string message, std::string help = {}) {
    context_.reporter.error(word.range, std::move(message), std::move(help));
    return false;
  }

  BuildContext& context_;
  std::span<const Word> words_;
  VirtualAddress address_;
};

std::optional<VirtualAddress> LineReader::read() {
  const Word& first = words_.front();
  const std::optional<core::IpPrefix> prefix = core::IpPrefix::parse(first.text);
  if (!prefix) {
    const bool length_is_wrong =
        core::IpAddress::parse(first.text.substr(0, first.text.find('/'))).has_value();
    fail(first, fmt::format("'{}' is not an IP address", first.text),
         length_is_wrong
             ? "the prefix length must be a number up to 32 for IPv4, up to 128 for IPv6"
             : "each line of this block begins with an address, such as 192.168.1.200/24 dev eth0");
    return std::nullopt;
  }
  address_.prefix = *prefix;
  address_.location = context_.reporter.locate(first.range.offset);
  if (!read_options()) return std::nullopt;
  return address_;
}

bool LineReader::read_options() {
  for (std::size_t i = 1; i < words_.size(); ++i) {
    const Word& option = words_[i];
    if (contains(kFlagsWithoutEffect, option.text)) {
      context_.reporter.warn_once(
          option.range,
          fmt::format("accepted, without effect yet: '{}' of an address", option.text));
      continue;
    }
    if (core::IpPrefix::parse(option.text)) {
      return fail(option, fmt::format("a second address, '{}', on one line", option.text),
                  "write each address on a line of its own");
    }
    if (!contains(kOptions, option.text) && !contains(kValuesWithoutEffect, option.text)) {
      const std::string_view near = nearest_word(option.text, kOptions);
      return fail(option, fmt::format("unknown option '{}' of an address", option.text),
                  near.empty() ? "options are dev, label, brd and scope"
                               : fmt::format("did you mean '{}'?", near));
    }
    if (i + 1 == words_.size()) return fail(option, fmt::format("'{}' needs a value", option.text));
    if (!read_value(option.text, words_[++i])) return false;
  }
  return true;
}

bool LineReader::read_value(std::string_view option, const Word& value) {
  if (option == "brd" || option == "broadcast") return read_broadcast(value);
  if (option == "scope") return read_scope(value);
  if (option == "dev") {
    Value decoded;
    if (!decode_word(rows::of(ArgType::interface), value.text, decoded)) {
      return fail(value, fmt::format("'dev' must be the name of a network interface, not '{}'",
                                     value.text));
    }
    address_.interface = std::string(value.text);
    return true;
  }
  if (option == "label") {
    if (value.text.size() > kLongestLabel) {
      return fail(value, fmt::format("the label '{}' is longer than {} characters", value.text,
                                     kLongestLabel));
    }
    address_.label = std::string(value.text);
    return true;
  }
  context_.reporter.warn_once(
      value.range, fmt::format("accepted, without effect yet: '{}' of an address", option));
  return true;
}

bool LineReader::read_broadcast(const Word& value) {
  if (value.text != "+" && value.text != "-") {
    address_.broadcast = core::IpAddress::parse(value.text);
    if (address_.broadcast && address_.broadcast->is_v4()) return true;
    return fail(value, fmt::format("'brd' must be an IPv4 address, + or -, not '{}'", value.text));
  }
  if (!address_.prefix.address.is_v4()) return true;
  // ip-address(8): + sets the host bits, - clears them.
  std::array<std::uint8_t, 4> bytes{};
  const std::span<const std::uint8_t> from = address_.prefix.address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int network_bits =
        std::clamp(static_cast<int>(address_.prefix.length) - static_cast<int>(i) * 8, 0, 8);
    const auto host_mask = static_cast<std::uint8_t>(0xFFU >> network_bits);
    bytes[i] =
        static_cast<std::uint8_t>(value.text == "+" ? from[i] | host_mask : from[i] & ~host_mask);
  }
  address_.broadcast = core::IpAddress::v4(bytes);
  return true;
}

bool LineReader::read_scope(const Word& value) {
  for (const auto& [name, number] : kScopes) {
    if (name == value.text) {
      address_.scope = number;
      return true;
    }
  }
  Value number;
  if (decode_word(rows::integer(0, 255), value.text, number)) {
    address_.scope = static_cast<std::uint8_t>(number.number);
    return true;
  }
  return fail(value,
              fmt::format("'scope' must be global, site, link, host, nowhere or a number, not '{}'",
                          value.text));
}

}  // namespace

std::optional<VirtualAddress> read_address_line(BuildContext& context, const Statement& entry,
                                                ListOwner) {
  return LineReader(context, entry).read();
}

std::optional<core::IpPrefix> address_of(const BuildContext& context, const Statement& entry) {
  return core::IpPrefix::parse(context.tree.args(entry).front().text);
}

}  // namespace holdfast::config
