#include "config/schema/decode.hpp"

#include "config/schema/hint.hpp"
#include "config/schema/row.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestInterface = 15;  // linux/if.h: IFNAMSIZ - 1
constexpr std::size_t kMicrosecondDigits = 6;

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool decode_digits(std::string_view text, std::int64_t& out) {
  if (text.size() > 1 && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool decode_integer(std::string_view text, std::int64_t& out) {
  if (text.empty() || text.front() != '-') return decode_digits(text, out);
  if (text.size() < 2 || !is_digit(text[1]) || !decode_digits(text.substr(1), out)) return false;
  out = -out;
  return true;
}

// digits[.digits] seconds to µs; digits beyond the sixth round.
bool decode_seconds(std::string_view text, std::int64_t& out) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  std::int64_t whole = 0;
  if (!decode_digits(text.substr(0, dot), whole) || whole > rows::kWeek31 * 10) return false;
  out = whole * rows::kMicroseconds;
  if (dot == text.size()) return true;
  const std::string_view fraction = text.substr(dot + 1);
  if (fraction.empty() || !std::all_of(fraction.begin(), fraction.end(), is_digit)) return false;
  std::int64_t unit = rows::kMicroseconds / 10;
  for (const char digit : fraction.substr(0, kMicrosecondDigits)) {
    out += (digit - '0') * unit;
    unit /= 10;
  }
  if (fraction.size() > kMicrosecondDigits && fraction[kMicrosecondDigits] >= '5') ++out;
  return true;
}

bool same_ignoring_case(std::string_view one, std::string_view other) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> list;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    list.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return list;
}

bool decode_choice(const Arg& arg, std::string_view word, Value& out) {
  std::string_view words = arg.words;
  for (std::int64_t index = 0; !words.empty(); ++index) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string_view choice = words.substr(0, end);
    const bool any_case = arg.type == ArgType::choice_any_case;
    if (any_case ? same_ignoring_case(choice, word) : choice == word) {
      out.number = index;
      return true;
    }
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  out.last = 1;
  return arg.high > 0 && decode_integer(word, out.number) && out.number >= arg.low &&
         out.number <= arg.high;
}

bool decode_boolean(std::string_view word, Value& out) {
  if (word == "true" || word == "on" || word == "yes") {
    out.number = 1;
    return true;
  }
  out.number = 0;
  return word == "false" || word == "off" || word == "no";
}

bool decode_address(std::string_view word, Value& out) {
  const std::optional<core::IpAddress> address = core::IpAddress::parse(word);
  if (address) out.address = *address;
  return address.has_value();
}

bool decode_netmask(std::string_view word, Value& out) {
  if (decode_digits(word, out.number)) return out.number >= 1 && out.number <= 128;
  if (!decode_address(word, out) || !out.address.is_v4()) return false;
  const std::optional<std::uint8_t> length = prefix_length_of(out.address);
  if (length) out.number = *length;
  return length.has_value();
}

bool is_hex(char letter) {
  return is_digit(letter) || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F');
}

// Five or six octets of one or two hex digits between colons.
bool is_mac(std::string_view word) {
  std::size_t octets = 0;
  while (octets < 6) {
    const std::size_t end = std::min(word.find(':'), word.size());
    const std::string_view octet = word.substr(0, end);
    if (octet.empty() || octet.size() > 2 || !std::all_of(octet.begin(), octet.end(), is_hex))
      return false;
    ++octets;
    if (end == word.size()) return octets >= 5;
    word.remove_prefix(end + 1);
  }
  return false;
}

bool decode_status(std::string_view word, Value& out) {
  const std::size_t dash = std::min(word.find('-'), word.size());
  if (!decode_digits(word.substr(0, dash), out.number)) return false;
  out.last = out.number;
  if (dash != word.size() && !decode_digits(word.substr(dash + 1), out.last)) return false;
  return out.number >= 100 && out.last <= 599 && out.number <= out.last;
}

bool is_scheduler_name(std::string_view word) {
  constexpr std::size_t kLongest = 15;  // linux/ip_vs.h: IP_VS_SCHEDNAME_MAXLEN - 1
  return !word.empty() && word.size() <= kLongest &&
         std::all_of(word.begin(), word.end(), [](char letter) {
           return (letter >= 'a' && letter <= 'z') || is_digit(letter) || letter == '_' ||
                  letter == '-';
         });
}

bool is_interface_name(std::string_view word) {
  return !word.empty() && word.size() <= kLongestInterface && word != "." && word != ".." &&
         word.find('/') == std::string_view::npos && word.find(' ') == std::string_view::npos;
}

void report_extra(const Keyword& keyword, const Word& extra, Reporter& reporter) {
  const bool is_word = Schema::instance().find(keyword.block, extra.text).has_value();
  reporter.warning(extra.range,
                   fmt::format("'{}' is ignored: nothing more may follow '{}' on this line",
                               extra.text, keyword.name),
                   is_word ? fmt::format("begin a new line before '{}'", extra.text) : "remove it");
}

}  // namespace

std::optional<std::uint8_t> prefix_length_of(const core::IpAddress& netmask) {
  std::uint32_t bits = 0;
  for (const std::uint8_t byte : netmask.bytes()) bits = bits << 8 | byte;
  const std::uint32_t inverted = ~bits;
  if ((inverted & (inverted + 1)) != 0) return std::nullopt;
  std::uint8_t length = 0;
  for (; bits != 0; bits <<= 1) ++length;
  return length;
}

bool is_left_out(const Keyword& keyword, std::size_t at, std::string_view word) {
  const Arg& arg = keyword.args[at];
  if (arg.type != ArgType::choice || !arg.optional) return false;
  Value ignored;
  return at + 1 < kMaxArgs && keyword.args[at + 1].type != ArgType::none &&
         !decode_choice(arg, word, ignored);
}

std::string describe(const Arg& arg) {
  switch (arg.type) {
    case ArgType::none:
      return "nothing";
    case ArgType::word:
      return fmt::format(
          "{} {}",
          std::string_view("aeiou").find(arg.words.front()) == std::string_view::npos ? "a" : "an",
          arg.words);
    case ArgType::integer:
      return fmt::format("a number from {} to {}", arg.low, arg.high);
    case ArgType::seconds:
      return fmt::format("a number of seconds from {} to {}", seconds_text(core::Duration(arg.low)),
                         seconds_text(core::Duration(arg.high)));
    case ArgType::boolean:
      return "true or false";
    case ArgType::ip:
      return "an IP address";
    case ArgType::ip4:
      return "an IPv4 address";
    case ArgType::ip6:
      return "an IPv6 address";
    case ArgType::netmask:
      return "a netmask such as 255.255.255.0";
    case ArgType::choice:
    case ArgType::choice_any_case: {
      const std::vector<std::string_view> words = split_words(arg.words);
      std::string text;
      for (std::size_t i = 0; i < words.size(); ++i) {
        text += i == 0 ? "" : i + 1 == words.size() && arg.high == 0 ? " or " : ", ";
        text += words[i];
      }
      if (arg.high > 0) text += fmt::format(" or a number from {} to {}", arg.low, arg.high);
      return text;
    }
    case ArgType::interface:
      return "the name of a network interface";
    case ArgType::scheduler:
      return "the name of a scheduler such as rr, wrr, lc or wlc";
    case ArgType::digest:
      return "32 hexadecimal digits";
    case ArgType::status_code:
      return "a status code from 100 to 599 or a range such as 200-299";
    case ArgType::script:
      return "a command";
    case ArgType::milliseconds:
      return fmt::format("a number of milliseconds from {} to {}", arg.low / 1000, arg.high / 1000);
    case ArgType::mac:
      return "a MAC address such as 00:00:5e:00:01:0a";
    case ArgType::hex:
      return arg.words.empty() ? "bytes in hexadecimal digits"
                               : "bytes in hexadecimal digits, X for any digit";
    case ArgType::prefix:
      return "an IP address with or without a prefix length";
    case ArgType::options:
      return "options";
  }
  return {};
}

bool decode_word(const Arg& arg, std::string_view word, Value& out) {
  out.text = word;
  switch (arg.type) {
    case ArgType::none:
      return false;
    case ArgType::word:
      return true;
    case ArgType::script:
      return !split_command(word).empty();
    case ArgType::integer:
      return decode_integer(word, out.number) && out.number >= arg.low && out.number <= arg.high;
    case ArgType::seconds:
      return decode_seconds(word, out.number) && out.number >= arg.low && out.number <= arg.high;
    case ArgType::boolean:
      return decode_boolean(word, out);
    case ArgType::ip:
      return decode_address(word, out);
    case ArgType::ip4:
      return decode_address(word, out) && out.address.is_v4();
    case ArgType::ip6:
      return decode_address(word, out) && !out.address.is_v4();
    case ArgType::netmask:
      return decode_netmask(word, out);
    case ArgType::choice:
    case ArgType::choice_any_case:
      return decode_choice(arg, word, out);
    case ArgType::interface:
      return is_interface_name(word);
    case ArgType::scheduler:
      return is_scheduler_name(word);
    case ArgType::digest:
      return word.size() == 32 && std::all_of(word.begin(), word.end(), is_hex);
    case ArgType::status_code:
      return decode_status(word, out);
    case ArgType::milliseconds:
      if (!decode_seconds(word, out.number)) return false;
      out.number /= 1000;
      return out.number >= arg.low && out.number <= arg.high;
    case ArgType::mac:
      return is_mac(word);
    case ArgType::hex:
      return word.find_first_not_of(" \t") != std::string_view::npos &&
             std::all_of(word.begin(), word.end(), [&arg](char digit) {
               return is_hex(digit) || digit == ' ' || digit == '\t' ||
                      (!arg.words.empty() && (digit == 'X' || digit == 'x'));
             });
    case ArgType::prefix:
      return word == "all" || word == "default" || word == "default6" ||
             core::IpPrefix::parse(word).has_value();
    case ArgType::options:
      return true;
  }
  return false;
}

namespace {

// keepalived goes on without a value that it does not understand, and says so in one line: the
// word's default counts, or the entry or the block is left out. An error is left for words that
// have no default: without their value the rest has no meaning.
/// A choice that never falls back: what is none of its words counts as one of them.
bool counts_as(const Arg& arg) {
  return arg.type == ArgType::choice && arg.high == 0 && arg.low > 0;
}

void refuse_value(const Keyword& keyword, const Arg& arg, const Word& word, Reporter& reporter) {
  std::string message =
      fmt::format("'{}' must be {}, not '{}'", keyword.name, describe(arg), word.text);
  std::string hint = hint_for(arg, word.text);
  if (is_line(keyword.block) || is_list(keyword.block)) {
    reporter.warning(word.range, message + ": this line is left out", std::move(hint));
  } else if (counts_as(arg)) {
    const std::string_view counts = split_words(arg.words)[static_cast<std::size_t>(arg.low)];
    reporter.warning(word.range, fmt::format("{}: '{}' counts", message, counts), std::move(hint));
  } else if (!keyword.fallback.empty()) {
    reporter.warning(word.range,
                     fmt::format("{}: the default counts, {}", message, keyword.fallback),
                     std::move(hint));
  } else if (keyword.opens) {
    reporter.warning(word.range, message + ": this block is left out", std::move(hint));
  } else {
    reporter.error(word.range, std::move(message), std::move(hint));
  }
}

}  // namespace

bool decode_args(const Keyword& keyword, const Statement& statement, std::span<const Word> words,
                 Reporter& reporter, Values& out) {
  out.clear();
  std::size_t next = 0;
  for (std::size_t at = 0; at < kMaxArgs; ++at) {
    const Arg& arg = keyword.args[at];
    if (arg.type == ArgType::none) break;
    if (next < words.size() && is_left_out(keyword, at, words[next].text)) continue;
    if (next == words.size() && !arg.optional) {
      reporter.error(statement.range, fmt::format("'{}' needs {}", keyword.name, describe(arg)));
      return false;
    }
    while (next < words.size()) {
      const Word& word = words[next++];
      Value& value = out.emplace_back();
      value.range = word.range;
      if (!decode_word(arg, word.text, value)) {
        refuse_value(keyword, arg, word, reporter);
        if (!counts_as(arg)) return false;
        value.number = arg.low;
      }
      if (!arg.repeated) break;
    }
  }
  if (next < words.size()) report_extra(keyword, words[next], reporter);
  return true;
}

}  // namespace holdfast::config
