// keepalived's syntax as tokens: words, braces, line ends. Comments (# and !), quotes and white
// space end here. Called by the parser, one token at a time. Understands bytes: what is above 127
// belongs to a word.
#pragma once

#include "config/tree.hpp"

#include <deque>
#include <string_view>

namespace holdfast::config::keepalived {

enum class TokenKind : std::uint8_t { word, open, close, newline, end };

struct Token {
  TokenKind kind = TokenKind::end;
  Word word;  ///< for every kind: where it stands
};

/// As blank_length, of those that are no single byte.
[[nodiscard]] std::size_t wide_blank_length(std::string_view text);

/// Length of the white space at the front: blank, tab, FF, VT, CR, and the no-break and ideographic
/// spaces that editors and web pages put into configurations (keepalived takes those for letters;
/// nobody means that).
[[nodiscard]] inline std::size_t blank_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text.front());
  if (first >= 0x80) return wide_blank_length(text);
  return first == ' ' || (first >= '\t' && first <= '\r' && first != '\n') ? 1 : 0;
}

class Lexer {
 public:
  /// `unescaped` receives the words with \# or \! in them and has to outlive the tokens. Reads from
  /// `begin` on; what is before it only counts for the offsets.
  Lexer(std::string_view text, Reporter& reporter, std::deque<std::string>& unescaped,
        std::size_t begin = 0)
      : text_(text), at_(begin), reporter_(&reporter), unescaped_(&unescaped) {}

  [[nodiscard]] Token next();

 private:
  [[nodiscard]] Token make(TokenKind kind, std::size_t begin, std::size_t end) const {
    const TextRange range{static_cast<std::uint32_t>(begin),
                          static_cast<std::uint32_t>(end - begin)};
    return {kind, {std::string_view(text_.data() + begin, end - begin), range, false}};
  }
  [[nodiscard]] Token quoted_word();
  [[nodiscard]] Token bare_word();
  void skip_blanks_and_comment();

  std::string_view text_;
  std::size_t at_;
  Reporter* reporter_;
  std::deque<std::string>* unescaped_;
};

}  // namespace holdfast::config::keepalived
