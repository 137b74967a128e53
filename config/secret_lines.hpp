// From where on the lines of a configuration are secret, as their words tell: those of the table
// (Keyword::secret), and what was meant for one of them.
#pragma once

#include "config/schema/schema.hpp"
#include "config/secrets.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::config::secret {

/// Between blanks, quotation marks and braces.
[[nodiscard]] std::vector<Stretch> words_of(std::string_view text);
/// Without what stands around words in sentences.
[[nodiscard]] Stretch bare(std::string_view text, Stretch word);
/// A word of the blocks that hold secrets says nothing, although it may stand where one should.
[[nodiscard]] bool is_harmless(std::string_view word);
/// From where on a line is secret, when a word on it says so.
[[nodiscard]] std::optional<std::size_t> begins_at(std::string_view line);

[[nodiscard]] inline std::string_view in(std::string_view text, Stretch span) {
  return text.substr(span.begin, span.end - span.begin);
}
[[nodiscard]] inline bool begins_comment(std::string_view word) {
  return word.starts_with('#') || word.starts_with('!');
}
template <class Part>
[[nodiscard]] bool has(std::string_view text, Part part) {
  return text.find(part) != std::string_view::npos;
}

/// Follows the blocks of a text, line by line, and says from where on each line is secret.
class Lines {
 public:
  [[nodiscard]] std::optional<std::size_t> begins_at(std::string_view line);

 private:
  [[nodiscard]] std::optional<std::size_t> from_above(std::string_view line);
  [[nodiscard]] std::optional<std::size_t> from_within(std::string_view line) const;
  void follow(std::string_view line);

  std::optional<Block> block_;
  bool waits_ = false;  // for the value of a word that stood alone
};

}  // namespace holdfast::config::secret
