// Rows of the schema as text for people: word lists in Markdown and in the macros of man(7). Called
// by manual/main.cpp. Values only.
#pragma once

#include "config/schema/schema.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::config::manual {

/// Which words a list shows.
struct Selection {
  Block block = Block::root;
  /// Words that are the same in this block are only named, behind the list.
  std::optional<Block> beyond = {};
};

/// What may follow a word, as one would write it: "1–255", "COMMAND [USER [GROUP]]", "{ … }".
[[nodiscard]] std::string arguments_of(const Keyword& keyword);
/// A table of the words that Holdfast acts on, and one of those without effect yet.
[[nodiscard]] std::string markdown_words(const Selection& selection);
/// The same as tagged paragraphs.
[[nodiscard]] std::string man_words(const Selection& selection);
/// Text in which man(7) finds no commands.
[[nodiscard]] std::string man_text(std::string_view text);
/// Rows that say nothing about themselves, "block word".
[[nodiscard]] std::vector<std::string> undocumented();

}  // namespace holdfast::config::manual
