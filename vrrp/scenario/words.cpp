#include "vrrp/scenario/words.hpp"

#include <fmt/format.h>

namespace holdfast::vrrp::scenario {
namespace {

bool is_control(char letter) {
  return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
}

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  throw FormatError(fmt::format("'{}' is no hexadecimal digit", one_line({&letter, 1})));
}

char byte_of(std::string_view digits) {
  if (digits.size() < 2) throw FormatError("a hexadecimal byte has two digits");
  return static_cast<char>(digit_of(digits[0]) * 16 + digit_of(digits[1]));
}

/// Appends what is inside the quotes; `at` is behind the first one, and behind the last afterwards.
void take_quoted(std::string_view line, std::size_t& at, std::string& word) {
  for (; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] != '\\') {
      word += line[at];
    } else if (line.substr(at + 1).starts_with('x')) {
      word += byte_of(line.substr(at + 2));
      at += 3;
    } else if (++at < line.size()) {
      word += line[at];
    }
  }
  if (at >= line.size()) throw FormatError("a quote is not closed");
  ++at;
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    if (at >= line.size() || line[at] == '#') return words;
    std::string& word = words.emplace_back();
    while (at < line.size() && line[at] != ' ' && line[at] != '\t' && line[at] != '#') {
      if (line[at] == '"') {
        take_quoted(line, ++at, word);
      } else {
        word += line[at++];
      }
    }
  }
}

std::string quote(std::string_view word) {
  bool plain = !word.empty();
  for (const char letter : word) {
    plain = plain && !is_control(letter) && letter != ' ' && letter != '"' && letter != '#';
  }
  if (plain) return std::string(word);
  std::string text = "\"";
  for (const char letter : word) {
    if (is_control(letter)) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    } else {
      if (letter == '"' || letter == '\\') text += '\\';
      text += letter;
    }
  }
  return text + '"';
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char letter : text) {
    if (is_control(letter)) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
    } else {
      line += letter;
    }
  }
  return line;
}

std::string to_hex(const std::uint8_t* bytes, std::size_t count) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 0x0f];
  }
  return text;
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) throw FormatError("hexadecimal bytes have two digits each");
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2)
    bytes.push_back(static_cast<std::uint8_t>(byte_of(text.substr(at, 2))));
  return bytes;
}

std::string escape_part(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (is_control(letter) || std::string_view("%;,=").find(letter) != std::string_view::npos) {
      escaped += fmt::format("%{:02x}", static_cast<unsigned char>(letter));
    } else {
      escaped += letter;
    }
  }
  return escaped;
}

std::string unescape_part(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain += text[at];
      continue;
    }
    plain += byte_of(text.substr(at + 1));
    at += 2;
  }
  return plain;
}

std::vector<std::string_view> split_list(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace holdfast::vrrp::scenario
