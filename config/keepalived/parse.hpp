// keepalived's syntax → statements of the schema table, with recovery that knows the blocks: a
// misspelt word, a missing or a superfluous brace is one error, and the rest of the file is still
// read where it belongs.
#pragma once

#include "config/tree.hpp"

namespace holdfast::config::keepalived {

/// Reads a stretch of the snapshot and adds its statements to `tree`. Findings go to `reporter`;
/// the tree holds what could be placed. Its words point into the snapshot, which has to outlive it.
/// Where `finished` is given, it gets what is read whenever kTreeStatements are there, and `tree`
/// the rest.
void parse(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree,
           const TreeSink* finished = nullptr);

}  // namespace holdfast::config::keepalived
