// What differs inside two objects that are the same object of two models, as words of the
// configuration. Part of diff.cpp; nobody else includes it but its test.
#pragma once

#include "config/compare/diff.hpp"
#include "config/write/write.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// Stands for a value that is never shown: a password.
inline constexpr std::string_view kHiddenValue = "(hidden)";
/// Stands for a block that came or went as a whole.
inline constexpr std::string_view kWholeBlock = "{…}";

/// Two statements, compared word by word; both with all their values, so that what differs is
/// there on both sides.
[[nodiscard]] std::vector<FieldChange> compare_nodes(const Node& before, const Node& after);
[[nodiscard]] std::vector<FieldChange> compare_documents(const Document& before,
                                                         const Document& after);

/// A line of a list block as it is written.
[[nodiscard]] std::string line_of(const Node& entry);

}  // namespace holdfast::config
