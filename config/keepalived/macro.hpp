// The small grammar inside a line of keepalived's language: uses of definitions ($NAME, ${NAME},
// ${_ENV NAME}) and the head of a repetition (~SEQ(…), ~LST(…)). Text in, values out; what a
// definition holds is the expander's affair.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config::keepalived {

/// A use of a definition or of a built-in value at the front of a text.
struct Use {
  std::size_t length = 0;      ///< of the whole use
  std::string_view name;       ///< without $ and braces
  std::string_view arguments;  ///< of a built-in value: what follows its name, trimmed
  bool braces = false;         ///< ${NAME}: then an unknown name is a mistake, else plain text
};

/// nullopt when the text, which begins with '$', is no use: keepalived replaces $NAME only before a
/// blank, a comma, a closing parenthesis or the end of the line.
[[nodiscard]] std::optional<Use> use_at(std::string_view text);
/// The letters of a name ([A-Za-z_][A-Za-z0-9_]*) at the front; 0 when there is none.
[[nodiscard]] std::size_t name_length(std::string_view text);

/// What a repetition sets before each round: variables, and their values round by round.
struct Rounds {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> values;  ///< as many in a round as there are names
};

/// Most rounds of one ~SEQ or ~LST.
inline constexpr std::size_t kMaxRounds = 1'000'000;

/// The head of a repetition at the front of a line: which kind, its arguments, where the repeated
/// text begins.
struct Repetition {
  enum class Kind : std::uint8_t { decimal, hexadecimal, list };
  Kind kind = Kind::decimal;
  std::string_view arguments;  ///< between the parentheses
  std::size_t length = 0;      ///< up to the repeated text
};
/// nullopt when the text does not begin with ~SEQ, ~SEQx or ~LST and a pair of parentheses.
[[nodiscard]] std::optional<Repetition> repetition_at(std::string_view text);
/// nullopt when the arguments make no sense; `arguments` have their definitions replaced already.
[[nodiscard]] std::optional<Rounds> rounds_of(Repetition::Kind kind, std::string_view arguments);

/// The bytes up to the first white space.
[[nodiscard]] std::size_t word_length(std::string_view text);
/// Without white space at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace holdfast::config::keepalived
