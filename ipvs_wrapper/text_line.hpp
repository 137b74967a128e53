// A line of a rules file, cut into words, with errors that name line and column.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::ipvs {

struct Word {
  std::string_view text;
  std::size_t column = 0;  ///< from 1
};

/// Its first word is the command; the others are taken one by one.
class TextLine {
 public:
  using Problem = std::optional<core::Error>;  ///< nullopt: none

  TextLine(std::string_view line, std::size_t number);

  /// Nothing but blanks or a comment.
  [[nodiscard]] bool is_empty() const {
    return words_.empty() || words_.front().text.front() == '#';
  }
  [[nodiscard]] const Word& first_word() const { return words_.front(); }
  template <class... Args>
  [[nodiscard]] core::Error problem(const Word& word, fmt::format_string<Args...> text,
                                    Args&&... args) const {
    return core::fail("line {}, column {}: {}", number_, word.column,
                      fmt::format(text, std::forward<Args>(args)...));
  }

 protected:
  [[nodiscard]] bool has_more() const { return next_ < words_.size(); }
  [[nodiscard]] Word next_word() { return words_[next_++]; }
  /// For what is missing.
  [[nodiscard]] Word end_of_line() const { return {{}, end_column_}; }
  /// The option's value: attached by '=', or the next word.
  [[nodiscard]] core::Result<Word> value(const Word& option, const std::optional<Word>& attached);
  /// The next word unless that is an option; an empty word then.
  [[nodiscard]] Word value_that_may_follow();

  template <class Number>
  Problem number(const Word& word, std::uint32_t low, std::uint32_t high, Number& out) const {
    std::uint32_t parsed = 0;
    const auto* end = word.text.data() + word.text.size();
    const auto [rest, error] = std::from_chars(word.text.data(), end, parsed);
    if (error != std::errc{} || rest != end || parsed < low || parsed > high)
      return problem(word, "expected a number from {} to {}, found '{}'", low, high, word.text);
    out = static_cast<Number>(parsed);
    return {};
  }

  /// ADDRESS[:PORT], [ADDRESS]:PORT
  [[nodiscard]] core::Result<core::Endpoint> endpoint_value(const Word& word) const;

 private:
  std::vector<Word> words_;
  std::size_t number_;
  std::size_t end_column_;
  std::size_t next_ = 1;
};

}  // namespace holdfast::ipvs
