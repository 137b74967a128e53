// keepalived's syntax → statements of the schema table, with recovery that knows the blocks: a
// misspelt word, a missing or a superfluous brace is one error, and the rest of the file is still
// read where it belongs.
#pragma once

#include "config/tree.hpp"

namespace holdfast::config::keepalived {

/// Reads the whole snapshot. Findings go to `reporter`; the tree holds what could be placed. Its
/// words point into the snapshot, which has to outlive it.
[[nodiscard]] Tree parse(const Snapshot& snapshot, Reporter& reporter);

}  // namespace holdfast::config::keepalived
