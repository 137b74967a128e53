#include "config/text.hpp"

#include "config/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace holdfast::config {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kTab = 8;

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode East Asian Width W and F, joined to whole blocks.
constexpr std::array<Range, 13> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0xA4CF},
                                          {0xA960, 0xA97F},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1F64F},
                                          {0x1F900, 0x1F9FF},
                                          {0x20000, 0x2FFFD},
                                          {0x30000, 0x3FFFD}}};
// Combining marks and joiners.
constexpr std::array<Range, 5> kZero = {
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}}};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

void append_utf8(std::string& out, std::string_view text, const Character& character) {
  const bool control = character.code < 0x20 || (character.code >= 0x7F && character.code < 0xA0);
  if (!character.valid || control) {
    out += "\xEF\xBF\xBD";
    return;
  }
  out += text.substr(0, character.bytes);
}

void append_code(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else {
    if (code >= 0x10000) put(0xF0 | code >> 18);
    put(code >= 0x10000 ? 0x80 | (code >> 12 & 0x3F) : 0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const int lower = letter | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

// The character that an escape stands for; `at` is behind the backslash and moves behind the
// escape. 0: it stands for nothing.
char escaped(std::string_view line, std::size_t& at) {
  constexpr std::string_view kLetters = "abEefnrtv";
  constexpr std::string_view kMeanings = "\a\b\x1B\x1B\f\n\r\t\v";
  const char letter = line[at++];
  if (const std::size_t i = kLetters.find(letter); i != std::string_view::npos) return kMeanings[i];
  if (letter == 'c' && at < line.size()) return static_cast<char>(line[at++] & 0x1F);
  const bool hexadecimal = letter == 'x' && at < line.size() && digit_of(line[at]) < 16;
  if (!hexadecimal && digit_of(letter) >= 8) return letter;
  int value = hexadecimal ? 0 : digit_of(letter);
  const int base = hexadecimal ? 16 : 8;
  for (int more = 2; at < line.size() && more > 0 && digit_of(line[at]) < base; --more)
    value = value * base + digit_of(line[at++]);
  return static_cast<char>(value & 0xFF);
}

}  // namespace

Character first_character(std::string_view text) {
  const Character broken{.code = kReplacement, .bytes = 1, .valid = false};
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {.code = lead, .bytes = 1, .valid = true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return broken;
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return broken;
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return broken;
  return {.code = code, .bytes = length, .valid = true};
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(first_character(text).bytes);
  return count;
}

std::size_t width_of(char32_t code) {
  if (in(kZero, code)) return 0;
  return in(kWide, code) ? 2 : 1;
}

std::size_t display_width(std::string_view text, std::size_t start) {
  std::size_t column = start;
  while (!text.empty()) {
    const Character character = first_character(text);
    column =
        character.code == '\t' ? (column / kTab + 1) * kTab : column + width_of(character.code);
    text.remove_prefix(character.bytes);
  }
  return column - start;
}

std::string printable(std::string_view text, std::size_t start) {
  std::string out;
  std::size_t column = start;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.code == '\t') {
      const std::size_t next = (column / kTab + 1) * kTab;
      out.append(next - column, ' ');
      column = next;
    } else {
      append_utf8(out, text, character);
      column += width_of(character.code);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string folded(std::string_view word) {
  std::string out(word);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == '-') letter = '_';
  }
  return out;
}

std::size_t spelling_distance(std::string_view one, std::string_view other) {
  // Optimal string alignment over three rows; words are short.
  constexpr std::size_t kLongest = 48;
  if (one.size() > kLongest || other.size() > kLongest) return kLongest;
  std::array<std::array<std::size_t, kLongest + 1>, 3> rows{};
  for (std::size_t j = 0; j <= other.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    const auto& above2 = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (swapped) row[j] = std::min(row[j], above2[j - 2] + 1);
    }
  }
  return rows[one.size() % 3][other.size()];
}

std::string seconds_text(core::Duration value) {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  const std::int64_t whole = value.count() / kMicroseconds;
  const std::int64_t fraction = value.count() % kMicroseconds;
  if (fraction == 0) return fmt::format("{}", whole);
  std::string digits = fmt::format("{:06}", fraction);
  digits.erase(digits.find_last_not_of('0') + 1);
  return fmt::format("{}.{}", whole, digits);
}

std::size_t count_of(std::string_view text, char letter) {
  // Eight letters at a time: a byte of `other` is zero where the letter stands, and `hit` then has
  // the highest bit of that byte.
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kLow = kOnes * 0x7F;
  const std::uint64_t pattern = kOnes * static_cast<unsigned char>(letter);
  std::size_t count = 0;
  std::size_t at = 0;
  for (; at + sizeof pattern <= text.size(); at += sizeof pattern) {
    std::uint64_t other = 0;
    std::memcpy(&other, text.data() + at, sizeof other);
    other ^= pattern;
    const std::uint64_t hit = ~(((other & kLow) + kLow) | other | kLow);
    count += ((hit >> 7) * kOnes) >> 56;
  }
  for (; at < text.size(); ++at) count += text[at] == letter ? 1 : 0;
  return count;
}

std::string from_utf16(std::string_view bytes) {
  const bool little = bytes.starts_with("\xFF\xFE");
  if (!little && !bytes.starts_with("\xFE\xFF")) return {};
  std::string out;
  const auto unit = [&](std::size_t i) -> char32_t {
    const auto low = static_cast<unsigned char>(bytes[little ? i : i + 1]);
    const auto high = static_cast<unsigned char>(bytes[little ? i + 1 : i]);
    return static_cast<char32_t>(high << 8 | low);
  };
  for (std::size_t i = 2; i + 1 < bytes.size(); i += 2) {
    char32_t code = unit(i);
    const bool pair =
        code >= 0xD800 && code < 0xDC00 && i + 3 < bytes.size() && (unit(i + 2) & 0xFC00) == 0xDC00;
    if (pair) {
      code = 0x10000 + ((code & 0x3FF) << 10) + (unit(i + 2) & 0x3FF);
      i += 2;
    }
    append_code(out, code >= 0xD800 && code < 0xE000 ? kReplacement : code);
  }
  return out;
}

CommandLine read_command(std::string_view line) {
  CommandLine command;
  char quote = 0;
  bool inside = false;
  for (std::size_t at = 0; at < line.size();) {
    const char letter = line[at];
    if (quote == 0 && (letter == ' ' || (letter >= '\t' && letter <= '\r'))) {
      inside = false;
      ++at;
      continue;
    }
    if (!inside) command.words.push_back({.text = {}, .begin = at, .end = at});
    inside = true;
    std::string& word = command.words.back().text;
    ++at;
    if (letter == '\\' && at < line.size()) {
      if (const char meant = escaped(line, at); meant != 0) word += meant;
    } else if (letter == quote) {
      quote = 0;
    } else if (quote == 0 && (letter == '"' || letter == '\'')) {
      quote = letter;
    } else {
      word += letter;
    }
    command.words.back().end = at;
  }
  command.closed = quote == 0;
  return command;
}

std::vector<std::string> split_command(std::string_view line) {
  std::vector<std::string> words;
  for (CommandWord& word : read_command(line).words) words.push_back(std::move(word.text));
  return words;
}

}  // namespace holdfast::config
