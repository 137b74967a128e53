// What is probably meant by a word that does not fit: cures for the reader's findings. Guesses from
// the word alone; nothing is looked up. Called by the decoder and the parser.
#pragma once

#include "config/schema/schema.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::config {

/// The cure for a word that an argument does not take, when one is evident; empty otherwise.
[[nodiscard]] std::string hint_for(const Arg& arg, std::string_view word);
/// The same for a word that is no IP address.
[[nodiscard]] std::string address_hint(std::string_view word);
/// For a word with characters that only look like ASCII ones, or cannot be seen: typographic
/// quotes, long dashes, full-width punctuation. Empty when there are none.
[[nodiscard]] std::string look_alike_hint(std::string_view word);

/// A word that does not fit as written, but whose meaning is plain: "51;", "0,5", "5s".
struct Repair {
  std::string text;  ///< what it is read as
  std::string cure;
};
/// nullopt when the word fits as it is, or means nothing plain.
[[nodiscard]] std::optional<Repair> repair(const Arg& arg, std::string_view word);

}  // namespace holdfast::config
