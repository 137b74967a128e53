// Text that must be UTF-8 where names may hold any byte: JSON and what is scraped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::core {

/// U+FFFD, which stands in the place of a byte that begins no letter.
inline constexpr std::string_view kReplacementLetter = "\xef\xbf\xbd";

/// Bytes of the letter that a text begins with, as RFC 3629 allows it; 0: there is none.
[[nodiscard]] std::size_t utf8_letter_length(std::string_view text);
/// With each byte replaced that belongs to no letter.
[[nodiscard]] std::string as_utf8(std::string text);

}  // namespace holdfast::core
