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

/// An included file that is not written in keepalived's syntax. Its includer reads on without it.
struct ForeignFile {
  std::string path;
  std::string text;
  std::vector<std::string> chain;  ///< the files that led here, outermost first
};

struct Expanded {
  Snapshot snapshot;
  std::vector<ForeignFile> foreign;
};

/// Expands `text`, which stands for the file `name`, which the files of `chain` led to. Reads
/// included files.
[[nodiscard]] Expanded expand(std::string text, const std::string& name,
                              const std::vector<std::string>& chain, const LoadOptions& options,
                              Diagnostics& diagnostics);

}  // namespace holdfast::config::keepalived
