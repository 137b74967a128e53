// The braces of a whole text: how many are missing or too many, and where the indentation says so.
// Called by the parser when its count shows that something is wrong.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast::config::keepalived {

/// One place where the indentation contradicts the braces.
struct BraceFault {
  enum class Kind : std::uint8_t { missing_close, extra_close };
  Kind kind = Kind::missing_close;
  std::uint32_t offset =
      0;  ///< of the token before which a '}' is missing, or of the superfluous one
};

struct Braces {
  std::size_t missing_closes = 0;  ///< blocks still open at the end
  std::size_t extra_closes = 0;    ///< '}' where no block is open
  /// In the order of the text. Empty unless they explain the whole imbalance: indentation is only
  /// believed when it accounts for every brace.
  std::vector<BraceFault> faults;
};

/// Reads from `begin` on; offsets count from the start of the text.
[[nodiscard]] Braces examine_braces(std::string_view text, std::size_t begin = 0);

/// False when the numbers of '{' and '}' differ, those in comments and quotations included: cheap,
/// and enough to decide whether to look closer.
[[nodiscard]] bool look_balanced(std::string_view text);

}  // namespace holdfast::config::keepalived
