// What a configuration keeps secret, and findings without it. The table says which words hold
// secrets (Keyword::secret); what was meant to be such a word counts as well, so that a slip of the
// pen does not show a password: a misspelt word, a quotation without an end, a word too many, a
// definition, a value in a line of its own. Rather too much is hidden than too little.
#pragma once

#include "config/diagnostic.hpp"

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace holdfast::config {

/// What stands in the place of a secret.
inline constexpr std::string_view kMask = "****";

/// Of a text.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Secrets {
 public:
  /// Learns those of a configuration, in either syntax, best with its definitions replaced.
  void read(std::string_view text);

  /// Message, help and excerpt without secrets; the mark stays where it was.
  void hide_in(Diagnostic& diagnostic) const;
  /// A sentence that may quote words of the configuration; passwords in URLs go as well.
  [[nodiscard]] std::string without_secrets(std::string_view sentence) const;
  /// The whole text, line by line. What its words do not show to be a secret stays: a password
  /// among the arguments of a command, unless it stands in a URL.
  [[nodiscard]] std::string configuration_without_secrets(std::string_view text) const;

 private:
  enum class Cut : std::uint8_t { front, back };

  [[nodiscard]] bool is_known(std::string_view word) const;
  [[nodiscard]] bool is_part_of_one(std::string_view piece, Cut cut) const;
  [[nodiscard]] std::vector<Stretch> known_in(std::string_view text) const;
  [[nodiscard]] std::vector<Stretch> secret_in_excerpt(std::string_view line) const;
  void learn(std::string_view words);

  std::unordered_set<std::string> words_;
};

/// In all findings.
void hide_secrets(std::string_view text, Diagnostics& diagnostics);

}  // namespace holdfast::config
