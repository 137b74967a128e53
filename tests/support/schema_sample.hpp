// Configurations made from the rows of the schema table: one with each word in turn, and random
// ones. For the tests that hold every row, whatever it is, to the same promises.
#pragma once

#include "config/write/write.hpp"
#include "core/rng.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config::test {

/// A legal word; different ones for different numbers, the first one seldom the default.
[[nodiscard]] std::string legal_word(const Arg& arg, std::uint64_t number);
/// A word that is refused; nullopt when every word is legal.
[[nodiscard]] std::optional<std::string> illegal_word(const Arg& arg);

/// Legal words for what follows a keyword; optional ones, too, unless `number` says otherwise.
[[nodiscard]] std::vector<std::string> legal_args(const Keyword& keyword, std::uint64_t number);

/// A small configuration that has every block and nothing to complain about.
[[nodiscard]] const Document& skeleton();
[[nodiscard]] std::string_view skeleton_text();

/// The skeleton with the word in it, once for each place where the word is valid: in each block,
/// behind each entry of a list, behind each word that takes it as an option.
[[nodiscard]] std::vector<Document> with_word(KeywordId id, const std::vector<std::string>& args,
                                              const Document& base = skeleton());
/// The text of a configuration as a document.
[[nodiscard]] Document document_from(std::string_view text);
[[nodiscard]] Document random_document(core::Rng& rng);

}  // namespace holdfast::config::test
