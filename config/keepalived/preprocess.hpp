// Files → one expanded text: include, @id conditions, $NAME definitions, ~SEQ repetitions. What is
// left is words, braces and comments, and the snapshot's map leads every byte back to where it was
// written. Lines keep their numbers: what is taken out leaves a blank line.
#pragma once

#include "config/diagnostic.hpp"
#include "config/load.hpp"
#include "config/source_set.hpp"

namespace holdfast::config::keepalived {

/// How deep includes may nest, and definitions inside definitions.
inline constexpr std::size_t kMaxDepth = 32;

/// Expands `text`, which stands for the file `name`. Reads included files.
[[nodiscard]] Snapshot expand(std::string_view text, const std::string& name,
                              const LoadOptions& options, Diagnostics& diagnostics);

}  // namespace holdfast::config::keepalived
