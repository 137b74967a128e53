#include "config/keepalived/macro.hpp"

#include "config/keepalived/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace holdfast::config::keepalived {
namespace {

bool is_name_start(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}
bool is_name_letter(char letter) {
  return is_name_start(letter) || (letter >= '0' && letter <= '9');
}

bool ends_plain_name(std::string_view rest) {
  return rest.empty() || std::string_view(" \t,)\n\r").find(rest.front()) != std::string_view::npos;
}

// Commas outside braces separate.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  std::size_t depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '{') ++depth;
    if (i < text.size() && text[i] == '}' && depth > 0) --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    parts.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return parts;
}

std::optional<std::int64_t> number_of(std::string_view text, bool hexadecimal) {
  constexpr std::int64_t kLargest = 2'147'483'647;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const bool prefixed = hexadecimal && (text.starts_with("0x") || text.starts_with("0X"));
  if (prefixed) text.remove_prefix(2);
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, prefixed ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > kLargest)
    return std::nullopt;
  return negative ? -value : value;
}

// (NAME, LAST), (NAME, FIRST, LAST) or (NAME, FIRST, STEP, LAST).
std::optional<Rounds> sequence(const std::vector<std::string_view>& parts, bool hexadecimal) {
  if (parts.size() < 2 || parts.size() > 4) return std::nullopt;
  if (parts[0].empty() || name_length(parts[0]) != parts[0].size()) return std::nullopt;
  const std::optional<std::int64_t> last = number_of(parts.back(), hexadecimal);
  if (!last) return std::nullopt;
  std::optional<std::int64_t> first = *last < 0 ? -1 : 1;
  if (parts.size() > 2) first = number_of(parts[1], hexadecimal);
  if (!first) return std::nullopt;
  std::optional<std::int64_t> step = *last < *first ? -1 : 1;
  if (parts.size() > 3) step = number_of(parts[2], hexadecimal);
  if (!step || *step == 0 || (*step > 0) != (*last >= *first)) return std::nullopt;
  if ((*last - *first) / *step >= static_cast<std::int64_t>(kMaxRounds)) return std::nullopt;
  Rounds rounds;
  rounds.names.emplace_back(parts[0]);
  for (std::int64_t value = *first; *step > 0 ? value <= *last : value >= *last; value += *step) {
    const char* const sign = value < 0 ? "-" : "";
    rounds.values.push_back(
        {hexadecimal ? fmt::format("{}{:x}", sign, std::abs(value)) : fmt::format("{}", value)});
  }
  return rounds;
}

// {a, b} → a, b; a word → the word.
std::vector<std::string> members(std::string_view part) {
  std::vector<std::string> words;
  if (!part.starts_with('{') || !part.ends_with('}')) return {std::string(part)};
  for (const std::string_view word : split(part.substr(1, part.size() - 2)))
    words.emplace_back(word);
  return words;
}

std::optional<Rounds> list(const std::vector<std::string_view>& parts) {
  Rounds rounds;
  rounds.names = members(parts[0]);
  for (const std::string& name : rounds.names) {
    if (name.empty() || name_length(name) != name.size()) return std::nullopt;
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    rounds.values.push_back(members(parts[i]));
    if (rounds.values.back().size() > rounds.names.size()) return std::nullopt;
    rounds.values.back().resize(rounds.names.size());  // missing ones are empty, as in keepalived
  }
  return rounds;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank_length(text) != 0) text.remove_prefix(blank_length(text));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::size_t word_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && blank_length(text.substr(length)) == 0) ++length;
  return length;
}

std::size_t name_length(std::string_view text) {
  if (text.empty() || !is_name_start(text.front())) return 0;
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name_letter) -
                                  text.begin());
}

std::optional<Use> use_at(std::string_view text) {
  Use use;
  use.braces = text.substr(1).starts_with('{');
  const std::string_view rest = text.substr(use.braces ? 2 : 1);
  use.name = rest.substr(0, name_length(rest));
  if (use.name.empty()) return std::nullopt;
  const std::string_view after = rest.substr(use.name.size());
  if (!use.braces) {
    use.length = 1 + use.name.size();
    return ends_plain_name(after) ? std::optional(use) : std::nullopt;
  }
  const std::size_t close = after.find('}');
  if (close == std::string_view::npos) return std::nullopt;
  use.arguments = trimmed(after.substr(0, close));
  use.length = 2 + use.name.size() + close + 1;
  return use;
}

std::optional<Repetition> repetition_at(std::string_view text) {
  Repetition repetition;
  std::size_t at = 4;
  if (text.starts_with("~LST")) {
    repetition.kind = Repetition::Kind::list;
  } else if (!text.starts_with("~SEQ")) {
    return std::nullopt;
  } else if (text.substr(at).starts_with('x')) {
    repetition.kind = Repetition::Kind::hexadecimal;
    ++at;
  }
  while (at < text.size() && blank_length(text.substr(at)) != 0)
    at += blank_length(text.substr(at));
  const std::size_t close = text.find(')', at);
  if (at >= text.size() || text[at] != '(' || close == std::string_view::npos) return std::nullopt;
  repetition.arguments = text.substr(at + 1, close - at - 1);
  repetition.length = close + 1;
  return repetition;
}

std::optional<Rounds> rounds_of(Repetition::Kind kind, std::string_view arguments) {
  const std::vector<std::string_view> parts = split(arguments);
  if (kind == Repetition::Kind::list) return list(parts);
  return sequence(parts, kind == Repetition::Kind::hexadecimal);
}

}  // namespace holdfast::config::keepalived
