// Text as people and shells see it: characters, terminal columns, spelling distance, the words of a
// command line. Pure functions for the reader and its diagnostics.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// One character off the front of a text that may not be UTF-8.
struct Character {
  char32_t code = 0;  ///< 0xFFFD for a byte that is not UTF-8
  std::size_t bytes = 1;
  bool valid = true;
};
[[nodiscard]] Character first_character(std::string_view text);
/// Characters up to `bytes`, a byte that is not UTF-8 counting as one.
[[nodiscard]] std::size_t count_characters(std::string_view text);
/// Terminal columns of one character (tabs aside): 0, 1 or 2.
[[nodiscard]] std::size_t width_of(char32_t code);
/// Fit for a terminal: tabs become blanks up to the next multiple of 8 from column `start`, control
/// characters and bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string printable(std::string_view text, std::size_t start = 0);
/// Without the difference of upper and lower case, and of '-' and '_'.
[[nodiscard]] std::string folded(std::string_view word);
/// Letters to insert, delete, replace or swap with their neighbour to make one word of the other.
[[nodiscard]] std::size_t spelling_distance(std::string_view one, std::string_view other);
/// "1.5", "60": a duration as keepalived writes seconds.
[[nodiscard]] std::string seconds_text(core::Duration value);
/// The same text in UTF-8 when it begins with a UTF-16 byte order mark; empty otherwise.
/// How often `letter` stands in a text, quickly.
[[nodiscard]] std::size_t count_of(std::string_view text, char letter);
[[nodiscard]] std::string from_utf16(std::string_view bytes);

/// The words of a command or a regular expression. Blanks separate; single and double quotes group,
/// also inside a word; \ escapes as in C (a b E e f n r t v, octal, xHH, cX), before anything else
/// it keeps that character, within both kinds of quotes. keepalived: keywords with quoted values.
struct CommandWord {
  std::string text;
  std::size_t begin = 0;  ///< where it stands in the line, quotes included
  std::size_t end = 0;
};
struct CommandLine {
  std::vector<CommandWord> words;
  bool closed = true;  ///< false: the last quotation has no end; it is taken to end with the line
};
[[nodiscard]] CommandLine read_command(std::string_view line);
/// The words alone.
[[nodiscard]] std::vector<std::string> split_command(std::string_view line);

}  // namespace holdfast::config
