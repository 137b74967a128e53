// How text looks to a person: characters, terminal columns, spelling distance. Pure functions for
// the diagnostics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
/// Letters to insert, delete, replace or swap with their neighbour to make one word of the other.
[[nodiscard]] std::size_t spelling_distance(std::string_view one, std::string_view other);

}  // namespace holdfast::config
