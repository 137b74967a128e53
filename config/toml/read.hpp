// TOML → statements of the schema table: tables for blocks, keys for words, arrays for what has
// several words or lines. The same tree that keepalived's syntax gives, so that meaning, checks and
// messages are shared. The only place that knows toml++.
#pragma once

#include "config/tree.hpp"

#include <string>
#include <vector>

namespace holdfast::config {

/// Reads a stretch of the snapshot and adds its statements to `tree`. Findings go to `reporter`;
/// text that is no TOML is one error. Words point into the snapshot, which has to outlive the tree.
void read_toml(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree);

/// One file or pattern of the top level's `include`.
struct TomlInclude {
  std::string pattern;
  TextRange range;
  std::string problem;  ///< not empty: this is no pattern, and why
};
/// Empty also when the text is no TOML: read_toml says so.
[[nodiscard]] std::vector<TomlInclude> toml_includes(const Snapshot& snapshot, TextRange part);

}  // namespace holdfast::config
