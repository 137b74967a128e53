#include "core/utf8.hpp"

#include <algorithm>

namespace holdfast::core {
namespace {

unsigned char byte_of(char letter) {
  return static_cast<unsigned char>(letter);
}

/// By what stands first; 0: nothing begins so.
std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

/// Neither longer than needed, nor half of a pair, nor beyond U+10FFFF.
bool may_follow(unsigned char first, unsigned char second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second < 0xa0;
  if (first == 0xf0) return second >= 0x90;
  return first != 0xf4 || second < 0x90;
}

/// Of the letters that a text begins with.
std::size_t valid_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = byte_of(text[at]) < 0x80 ? 1 : utf8_letter_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace

std::size_t utf8_letter_length(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t length = announced_length(byte_of(text.front()));
  if (length == 0 || text.size() < length) return 0;
  const bool continues = std::ranges::all_of(
      text.substr(1, length - 1), [](char next) { return (byte_of(next) & 0xc0) == 0x80; });
  if (!continues) return 0;
  return length == 1 || may_follow(byte_of(text[0]), byte_of(text[1])) ? length : 0;
}

std::string as_utf8(std::string text) {
  std::size_t valid = valid_length(text);
  if (valid == text.size()) return text;
  std::string out;
  std::string_view rest = text;
  while (true) {
    out += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) return out;
    out += kReplacementLetter;
    rest.remove_prefix(1);
    valid = valid_length(rest);
  }
}

}  // namespace holdfast::core
