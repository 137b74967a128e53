// The words of a scenario line: separated by blanks, quoted where a value needs it. Pure text.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vrrp::scenario {

/// A line that cannot be understood. Stays inside this room: play() makes a value of it.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The words of a line; `#` begins a comment. Quotes may begin inside a word (why="a b"); inside
/// them \" \\ and \xHH stand for one byte. Throws FormatError.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line);

/// The word as a line must have it so that split_words gives it back.
[[nodiscard]] std::string quote(std::string_view word);

/// The rest of a decision's line: bytes below the blank as \xHH, so that it stays one line.
[[nodiscard]] std::string one_line(std::string_view text);

/// Lower-case hexadecimal, and back. Throws FormatError.
[[nodiscard]] std::string to_hex(const std::uint8_t* bytes, std::size_t count);
[[nodiscard]] std::vector<std::uint8_t> from_hex(std::string_view text);

/// A part of a list inside one value: `%`, `;`, `,`, `=` and control bytes as %HH, and back.
[[nodiscard]] std::string escape_part(std::string_view text);
[[nodiscard]] std::string unescape_part(std::string_view text);
/// The parts between `separator`; an empty text has none.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text, char separator);

}  // namespace holdfast::vrrp::scenario
