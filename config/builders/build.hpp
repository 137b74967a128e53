// Statements → model. Globals first, then instances and services, each with the defaults that are
// then known: the order in the files never matters. Called by load.cpp for every reader's tree.
#pragma once

#include "config/tree.hpp"

namespace holdfast::config {

/// Understands a whole configuration; findings go to `reporter`.
/// The trees follow each other; they go as soon as they are built.
[[nodiscard]] Model build_model(Trees trees, Reporter& reporter);

/// Words of the table that claim to be read but that no builder acts on; empty, or a test fails.
[[nodiscard]] std::vector<KeywordId> words_without_meaning();

}  // namespace holdfast::config
