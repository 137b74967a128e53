// Which files an include means: braces, patterns, what is left out, and how strict it is. Looks at
// file names and modes only; the expander reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config::keepalived {

/// What makes an include an error instead of a warning. keepalived: include_check in global_defs
/// for all includes, or the last letter of includer, includem, includew, includeb, includea for
/// one.
struct IncludeCheck {
  bool read = false;            ///< a file cannot be read
  bool match = false;           ///< a name without a pattern is not there
  bool wildcard_match = false;  ///< a pattern matches nothing
  bool brace_match = false;     ///< one of the alternatives in braces matches nothing

  [[nodiscard]] IncludeCheck with(const IncludeCheck& other) const;
  bool operator==(const IncludeCheck&) const = default;
};

/// The strictness that a word asks for when it is an include; nullopt for any other word.
[[nodiscard]] std::optional<IncludeCheck> include_word(std::string_view word);
/// After the words behind include_check: "read match" sets, "+read -match" changes, none means all.
[[nodiscard]] IncludeCheck read_include_check(IncludeCheck now, std::string_view words);

/// a{b,c}d → abd, acd; nested braces too. At most kMaxAlternatives, then the rest is left out.
[[nodiscard]] std::vector<std::string> expand_braces(std::string_view pattern);
inline constexpr std::size_t kMaxAlternatives = 1000;

/// True for a name with *, ? or [.
[[nodiscard]] bool is_pattern(std::string_view name);
/// What exists under one alternative, sorted.
[[nodiscard]] std::vector<std::string> matches_of(const std::string& pattern);
/// The name in the same directory that `path` most probably misspells; empty when none is near.
[[nodiscard]] std::string near_file(const std::string& path);

}  // namespace holdfast::config::keepalived
