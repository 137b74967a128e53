// Where the reader's parts say what they found: turns an offset into file, line, column and the
// source line. One mistake, one error: the second finding at one place is dropped, and lists of
// findings are bounded.
#pragma once

#include "config/diagnostic.hpp"
#include "config/source_set.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::config {

/// After this many findings of one severity the rest is only counted as one last sentence.
inline constexpr std::size_t kMaxFindings = 1000;

/// A stretch of the expanded text that a message is about.
struct TextRange {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

class Reporter {
 public:
  Reporter(const Snapshot& snapshot, Diagnostics& out);

  void error(TextRange range, std::string message, std::string help = {});
  void warning(TextRange range, std::string message, std::string help = {});
  void note(TextRange range, std::string message, std::string help = {});
  /// A warning about something that may be harmless: an error found later at the same place follows
  /// from it, and makes this one an error instead of standing beside it.
  void suspect(TextRange range, std::string message, std::string help = {});
  /// A warning about what is right, but old or without effect in this version.
  void hint(TextRange range, std::string message, std::string help = {});
  /// The same, given once for each distinct message.
  void hint_once(TextRange range, const std::string& message, std::string help = {});
  /// For findings about an object of the model; marks the word at the object's place.
  void at(Severity severity, const SourceLocation& location, std::string message,
          std::string help = {});

  [[nodiscard]] SourceLocation locate(std::uint32_t offset) { return cursor_.locate(offset); }

 private:
  void add(Severity severity, Kind kind, TextRange range, std::string message, std::string help);
  [[nodiscard]] bool has_room(Severity severity, const std::string& file);
  [[nodiscard]] std::uint32_t offset_of(const SourceLocation& location);

  const Snapshot* snapshot_;  // both outlive the reporter: it lives inside one parse
  Diagnostics* out_;
  LocationCursor cursor_;
  LocationCursor report_cursor_;
  std::unordered_set<std::string> said_;
  std::unordered_set<std::uint64_t> marked_;  // (offset, severity) of what was reported
  std::unordered_set<std::uint32_t> suspects_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      line_at_;  // (file, line) → offset, filled at first use
  std::size_t counts_[3] = {0, 0, 0};
};

}  // namespace holdfast::config
