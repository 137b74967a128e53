// Statements → model. Globals first, then instances and services, each with the defaults that are
// then known: the order in the files never matters. Called by load.cpp for every reader's tree.
#pragma once

#include "config/tree.hpp"

namespace holdfast::config {

/// Understands the whole tree; findings go to `reporter`.
[[nodiscard]] Model build_model(const Tree& tree, Reporter& reporter);

/// Words of the table that claim to be read but that no builder acts on; empty, or a test fails.
[[nodiscard]] std::vector<KeywordId> words_without_meaning();

}  // namespace holdfast::config
