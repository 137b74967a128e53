#include "config/assemble.hpp"

#include "config/keepalived/preprocess.hpp"
#include "config/report.hpp"
#include "config/toml/read.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

constexpr std::size_t kMaxFiles = 1000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

using Chain = std::vector<std::string>;

class Assembly {
 public:
  Assembly(const LoadOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  void add(std::string text, const std::string& name, const Chain& chain);
  [[nodiscard]] Snapshot take() { return std::move(snapshot_); }

 private:
  void add_toml(std::string_view text, const std::string& name, const Chain& chain);
  void follow(const TomlInclude& include, const std::string& name, const Chain& chain);
  [[nodiscard]] bool has_room_for(std::size_t bytes, const std::string& name);
  void error(TextRange range, std::string message, std::string help = {}) {
    Reporter(snapshot_, diagnostics_).error(range, std::move(message), std::move(help));
  }

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  Snapshot snapshot_;
};

bool Assembly::has_room_for(std::size_t bytes, const std::string& name) {
  if (snapshot_.text.size() + bytes <= kMaxSnapshotBytes) return true;
  Diagnostic diagnostic;
  diagnostic.file = name;
  diagnostic.message =
      fmt::format("the configuration is longer than {} MB with this file", kMaxSnapshotBytes >> 20);
  diagnostics_.add(std::move(diagnostic));
  return false;
}

void Assembly::add(std::string text, const std::string& name, const Chain& chain) {
  if (syntax_of(name, text) == Syntax::toml) {
    add_toml(text, name, chain);
    return;
  }
  keepalived::Expanded expanded =
      keepalived::expand(std::move(text), name, chain, options_, diagnostics_);
  if (!has_room_for(expanded.snapshot.text.size(), name)) return;
  append(snapshot_, std::move(expanded.snapshot), Syntax::keepalived);
  for (const keepalived::ForeignFile& file : expanded.foreign)
    add_toml(file.text, file.path, file.chain);
}

void Assembly::add_toml(std::string_view text, const std::string& name, const Chain& chain) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!has_room_for(text.size() + 1, name)) return;
  Snapshot own;
  own.text = text;
  if (!own.text.ends_with('\n')) own.text += '\n';
  own.files.push_back(name);
  own.segments.push_back({});
  TextRange part;
  part.offset = static_cast<std::uint32_t>(snapshot_.text.size());
  part.length = static_cast<std::uint32_t>(own.text.size());
  append(snapshot_, std::move(own), Syntax::toml);

  Chain longer = chain;
  longer.push_back(name);
  for (const TomlInclude& include : toml_includes(snapshot_, part)) follow(include, name, longer);
}

void Assembly::follow(const TomlInclude& include, const std::string& name, const Chain& chain) {
  if (!include.problem.empty()) {
    error(include.range, include.problem);
    return;
  }
  const FileMatches matches = match_files(include.pattern, name);
  if (matches.paths.empty() && !matches.is_pattern)
    error(include.range, fmt::format("no file '{}' to include", matches.sought));
  for (const std::string& path : matches.paths) {
    if (is_same_file_as_any(path, chain)) {
      error(include.range, fmt::format("'{}' includes itself", path),
            fmt::format("the chain is {} → {}", fmt::join(chain, " → "), path));
      continue;
    }
    if (chain.size() > keepalived::kMaxDepth || snapshot_.files.size() >= kMaxFiles) {
      error(include.range,
            chain.size() > keepalived::kMaxDepth
                ? fmt::format("includes are nested more than {} deep", keepalived::kMaxDepth)
                : fmt::format("more than {} files are included", kMaxFiles));
      return;
    }
    core::Result<std::string> text = read_text_file(path);
    if (text)
      add(*std::move(text), path, chain);
    else
      error(include.range, text.error().message);
  }
}

}  // namespace

Snapshot assemble(std::string text, const std::string& name, const LoadOptions& options,
                  Diagnostics& diagnostics) {
  Assembly assembly(options, diagnostics);
  assembly.add(std::move(text), name, {});
  return assembly.take();
}

}  // namespace holdfast::config
