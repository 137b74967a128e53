// Files → snapshot → model. The loader process calls load_files and passes the snapshot on;
// children call parse_snapshot. Nothing here ends a process, prints, logs or looks at the host's
// interfaces.
#pragma once

#include "config/diagnostic.hpp"
#include "config/model.hpp"
#include "config/source_set.hpp"
#include "config/tree.hpp"

#include <string>
#include <string_view>

namespace holdfast::config {

/// A model is usable when `diagnostics` has no errors; otherwise it holds what could be understood.
struct Parsed {
  Model model;
  Diagnostics diagnostics;
};

/// As Parsed, with the text that children are to read.
struct Loaded {
  Snapshot snapshot;
  Model model;
  Diagnostics diagnostics;
};

struct LoadOptions {
  /// The configuration's own name, for lines that start with @NAME. Empty: load_files takes the
  /// host's name up to its first dot. keepalived: -i.
  std::string config_id;
};

/// Reads `path` and all it includes, parses and validates. A missing, unreadable or empty file is
/// an error diagnostic.
[[nodiscard]] Loaded load_files(const std::string& path, const LoadOptions& options = {});
/// As load_files, for text that is already in memory; `name` stands for its file name in messages,
/// and includes are relative to its directory.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& name,
                               const LoadOptions& options = {});
/// Parses and validates. The same snapshot gives the same model and diagnostics in every process.
[[nodiscard]] Parsed parse_snapshot(const Snapshot& snapshot);
/// The statements of all parts, each read in its own syntax; findings of the syntax go to
/// `reporter`. The tree's words point into the snapshot.
[[nodiscard]] Tree read_tree(const Snapshot& snapshot, Reporter& reporter);
/// For children: from the bytes of a sealed memfd. Fails when they are no snapshot.
[[nodiscard]] core::Result<Parsed> parse_snapshot_bytes(std::string_view bytes);
/// As parse_snapshot_bytes, for who can do nothing with a model that is not usable: errors in the
/// configuration are a failure that lists them.
[[nodiscard]] core::Result<Model> usable_model(std::string_view bytes);

/// Every interface that the model mentions, sorted, once each: for the daemon, which can tell
/// whether they exist.
[[nodiscard]] std::vector<std::string> interfaces_named_in(const Model& model);

}  // namespace holdfast::config
