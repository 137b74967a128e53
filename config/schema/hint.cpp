#include "config/schema/hint.hpp"

#include "config/schema/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::config {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

struct LookAlike {
  std::string_view bytes;
  std::string_view name;
  std::string_view meant;
};
// What word processors, web pages and input methods put in the place of ASCII.
constexpr std::array<LookAlike, 20> kLookAlikes = {{
    {"\xE2\x80\x9C", "a typographic quotation mark", "\""},
    {"\xE2\x80\x9D", "a typographic quotation mark", "\""},
    {"\xE2\x80\x9E", "a typographic quotation mark", "\""},
    {"\xC2\xAB", "a typographic quotation mark", "\""},
    {"\xC2\xBB", "a typographic quotation mark", "\""},
    {"\xE2\x80\x98", "a typographic quotation mark", "'"},
    {"\xE2\x80\x99", "a typographic quotation mark", "'"},
    {"\xE2\x80\x93", "a dash", "-"},
    {"\xE2\x80\x94", "a dash", "-"},
    {"\xE2\x88\x92", "a mathematical minus", "-"},
    {"\xEF\xBD\x9B", "a full-width brace", "{"},
    {"\xEF\xBD\x9D", "a full-width brace", "}"},
    {"\xEF\xBC\x9B", "a full-width semicolon", ";"},
    {"\xEF\xBC\x8C", "a full-width comma", ","},
    {"\xEF\xBC\x9A", "a full-width colon", ":"},
    {"\xEF\xBC\x9D", "a full-width equals sign", "="},
    {"\xEF\xBC\x83", "a full-width number sign", "#"},
    {"\xEF\xBC\x81", "a full-width exclamation mark", "!"},
    {"\xE3\x80\x82", "a full stop of another script", "."},
    {"\xEF\xBC\x8E", "a full-width full stop", "."},
}};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

bool fits(const Arg& arg, std::string_view word) {
  Value ignored;
  return decode_word(arg, word, ignored);
}

bool is_number(const Arg& arg) {
  return arg.type == ArgType::integer || arg.type == ArgType::seconds ||
         arg.type == ArgType::milliseconds;
}

bool is_address(const Arg& arg) {
  return arg.type == ArgType::ip || arg.type == ArgType::ip4 || arg.type == ArgType::ip6 ||
         arg.type == ArgType::prefix;
}

constexpr std::array<bool, 256> kOdd = [] {
  std::array<bool, 256> odd{};
  for (const char letter : std::string_view(";,/=")) odd[static_cast<unsigned char>(letter)] = true;
  for (std::size_t byte = 0x80; byte < odd.size(); ++byte) odd[byte] = true;
  return odd;
}();

// Linux would take a name such as "eth0;", but nobody gives one.
bool is_interface_with_slip(const Arg& arg, std::string_view word) {
  return arg.type == ArgType::interface && word.size() > 1 &&
         (word.ends_with(';') || word.ends_with(','));
}

// "$N", "$N/24": a definition that was not replaced.
std::string definition_hint(std::string_view word) {
  const std::size_t at = word.find('$');
  if (at == std::string_view::npos) return {};
  const std::string_view rest = word.substr(at + 1);
  const auto ends = [](char c) {
    return !is_digit(c) && c != '_' && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  };
  const std::string_view name(rest.begin(), std::find_if(rest.begin(), rest.end(), ends));
  if (name.empty()) return {};
  if (name.size() == rest.size()) return fmt::format("define it above with ${}=VALUE", name);
  return fmt::format("write ${{{}}}: without braces a definition is only replaced before a blank",
                     name);
}

std::string number_hint(const Arg& arg, std::string_view word) {
  if (!word.empty() && is_digit(word.front()) && !are_digits(word)) {
    if (arg.type == ArgType::seconds) return "write plain seconds, without a unit";
    if (arg.type == ArgType::milliseconds) return "write plain milliseconds, without a unit";
    if (word.starts_with("0x")) return "write the number in decimal digits";
    if (word.find_first_of(".,") != std::string_view::npos && word.back() != ',')
      return "write a whole number";
  }
  return {};
}

// The number and the unit of "5s", "100ms".
std::optional<Repair> without_unit(const Arg& arg, std::string_view word) {
  const auto end =
      std::find_if_not(word.begin(), word.end(), [](char c) { return is_digit(c) || c == '.'; });
  const std::string_view digits(word.begin(), end);
  const std::string_view unit = word.substr(digits.size());
  const bool seconds = arg.type == ArgType::seconds;
  constexpr std::array<std::string_view, 5> kSeconds = {"s", "sec", "secs", "second", "seconds"};
  const bool same =
      seconds ? std::find(kSeconds.begin(), kSeconds.end(), unit) != kSeconds.end() : unit == "ms";
  if (same) {
    return Repair{std::string(digits), fmt::format("write {}: the unit is always {}", digits,
                                                   seconds ? "seconds" : "milliseconds")};
  }
  if (seconds && unit == "ms" && are_digits(digits) && digits.size() < 7) {
    const std::string text = fmt::format("{}", std::stod(std::string(digits)) / 1000);
    return Repair{text, fmt::format("write {}: the unit is always seconds", text)};
  }
  return std::nullopt;
}

std::optional<Repair> candidate(const Arg& arg, std::string_view word) {
  if (word.ends_with(';') || word.ends_with(',')) {
    return Repair{std::string(word.substr(0, word.size() - 1)),
                  fmt::format("remove the '{}'", word.back())};
  }
  if (word.starts_with('=')) return Repair{std::string(word.substr(1)), "remove the '='"};
  for (const LookAlike& one : kLookAlikes) {
    if (one.meant == "-" && is_number(arg) && word.starts_with(one.bytes))
      return Repair{fmt::format("-{}", word.substr(one.bytes.size())), look_alike_hint(word)};
    if (one.meant == "\"" && word.size() > 2 * one.bytes.size() && word.starts_with(one.bytes)) {
      const std::string_view inner = word.substr(one.bytes.size());
      return Repair{std::string(inner.substr(0, inner.size() - one.bytes.size())),
                    "remove the quotation marks, or write \""};
    }
  }
  const std::size_t comma = word.find(',');
  if (arg.type == ArgType::seconds && comma != std::string_view::npos) {
    std::string text(word);
    text[comma] = '.';
    return Repair{text, fmt::format("write {} with a point", text)};
  }
  if (arg.type == ArgType::seconds || arg.type == ArgType::milliseconds)
    return without_unit(arg, word);
  const std::size_t slash = word.find('/');
  if (is_address(arg) && slash != std::string_view::npos &&
      core::IpPrefix::parse(word).has_value()) {
    return Repair{std::string(word.substr(0, slash)), "remove the prefix length"};
  }
  return std::nullopt;
}

}  // namespace

std::string look_alike_hint(std::string_view word) {
  for (const LookAlike& one : kLookAlikes) {
    if (word.find(one.bytes) == std::string_view::npos) continue;
    return fmt::format("'{}' is {}: write {} instead", one.bytes, one.name, one.meant);
  }
  return {};
}

std::string address_hint(std::string_view word) {
  if (std::string known = look_alike_hint(word); !known.empty()) return known;
  if (std::string known = definition_hint(word); !known.empty()) return known;
  const std::size_t slash = word.find('/');
  const std::string_view address = word.substr(0, slash);
  const bool is_plain = core::IpAddress::parse(address).has_value();
  if (is_plain && core::IpPrefix::parse(word) && slash != std::string_view::npos)
    return "remove the prefix length";
  if (is_plain && slash != std::string_view::npos)
    return "the prefix length must be a number up to 32 for IPv4, up to 128 for IPv6";
  const std::size_t colon = address.find(':');
  if (colon != std::string_view::npos && core::IpAddress::parse(address.substr(0, colon))) {
    return fmt::format("write the port as a word of its own: '{} {}'", address.substr(0, colon),
                       address.substr(colon + 1));
  }
  if (address.find(',') != std::string_view::npos) return "write points between its numbers";
  const std::vector<std::string_view> numbers = split(address, '.');
  const bool masked = word.find("xx") != std::string_view::npos ||
                      word.find("XX") != std::string_view::npos || word.starts_with('<');
  if (masked) return "this holds the place of an address: write the address itself";
  if (!std::all_of(numbers.begin(), numbers.end(), are_digits)) return {};
  if (numbers.size() != 4) return "an IPv4 address has four numbers with points between them";
  for (const std::string_view number : numbers) {
    if (number.size() > 3 || std::stoi(std::string(number)) > 255)
      return fmt::format("each number of an IPv4 address is at most 255, not {}", number);
    if (number.size() > 1 && number.front() == '0')
      return fmt::format("write {} without leading zeros", number);
  }
  return {};
}

std::string hint_for(const Arg& arg, std::string_view word) {
  if (word == "=") return "write the value behind the word, without '='";
  if (is_address(arg)) return address_hint(word);
  if (std::string known = look_alike_hint(word); !known.empty()) return known;
  const bool has_choices = arg.type == ArgType::choice || arg.type == ArgType::choice_any_case;
  if (has_choices || arg.type == ArgType::scheduler) {
    const std::string_view near =
        nearest_word(word, split(has_choices ? arg.words : kSchedulers, ' '));
    if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  }
  if (std::string known = definition_hint(word); !known.empty()) return known;
  if (has_choices && word.find('|') != std::string_view::npos) return "choose one of them";
  return is_number(arg) ? number_hint(arg, word) : std::string();
}

std::optional<Repair> repair(const Arg& arg, std::string_view word) {
  const bool odd = std::any_of(word.begin(), word.end(), [](char letter) {
    return kOdd[static_cast<unsigned char>(letter)];
  });
  const bool has_unit = !word.empty() && is_digit(word.front()) && !is_digit(word.back());
  if ((!odd && !has_unit) || arg.type == ArgType::none || arg.type == ArgType::options ||
      (fits(arg, word) && !is_interface_with_slip(arg, word)))
    return std::nullopt;
  std::optional<Repair> found = candidate(arg, word);
  if (!found || !fits(arg, found->text)) return std::nullopt;
  return found;
}

}  // namespace holdfast::config
