// A regular expression of the operator (PCRE2), and whether a text has it. Bounded in time: a text
// that would take too long is an error, not a hang. Pure.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::core {

/// As a configuration has it.
struct PatternText {
  std::string regex{};
  std::vector<std::string> options{};  ///< Names as in keepalived's regex_options.
  /// Where a match may begin at first, and at last; bytes from the beginning of the text.
  std::optional<std::uint32_t> min_offset{};
  std::optional<std::uint32_t> max_offset{};
  bool operator==(const PatternText&) const = default;
};

class Pattern {
 public:
  /// Fails with what PCRE2 says about the expression.
  [[nodiscard]] static Result<Pattern> compile(const PatternText& from);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// Fails when it takes too long.
  [[nodiscard]] Result<bool> is_in(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace holdfast::core
