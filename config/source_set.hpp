// A configuration's files as one expanded text, with the way back from every byte to file, line and
// column. The loader makes a Snapshot from files; children read it from a sealed memfd, so no two
// processes see different text.
#pragma once

#include "config/model.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// From `offset` of the expanded text on, the text is that of `file` at `line` and `column`, byte
/// by byte, up to the next segment. A segment with `fixed` is replacement text: all of it belongs
/// to the one place it was put in.
struct Segment {
  std::uint32_t offset = 0;
  std::uint32_t file = 0;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  bool fixed = false;

  bool operator==(const Segment&) const = default;
};

/// How a stretch of the expanded text is to be read.
enum class Syntax : std::uint8_t { keepalived, toml };

/// From `offset` of the expanded text on, all is written in `syntax`, up to the next part. Parts
/// are read one by one: no block goes on from one to the next.
struct Part {
  std::uint32_t offset = 0;
  Syntax syntax = Syntax::keepalived;

  bool operator==(const Part&) const = default;
};

/// Longest configuration that is read, all files together. Unit: bytes. More is refused with an
/// error.
inline constexpr std::size_t kMaxSnapshotBytes = std::size_t{64} << 20;

/// The expanded text and its map. Immutable once made.
struct Snapshot {
  std::string text;
  std::vector<std::string> files;  ///< the first one is the file that was asked for
  std::vector<Segment> segments;   ///< ascending offsets; the first is 0 unless the text is empty
  std::vector<Part> parts;         ///< ascending offsets; empty: one part in keepalived's syntax
  std::vector<Account> accounts;   ///< that its scripts run as; see config/accounts.hpp

  bool operator==(const Snapshot&) const = default;
  /// File, line and column of a byte of `text`. O(distance to the segment's start): use a
  /// LocationCursor for many.
  [[nodiscard]] SourceLocation locate(std::size_t offset) const;
  /// True for replacement text, which stands somewhere else.
  [[nodiscard]] bool is_replaced(std::size_t offset) const;
  /// The line of `text` around `offset`, without its line end.
  [[nodiscard]] std::string_view line_around(std::size_t offset) const;
};

/// Puts `more` behind `to`, as a part of its own.
void append(Snapshot& to, Snapshot more, Syntax syntax);
/// TOML by its name (.toml), or by its first line that is no comment: a table or KEY = VALUE.
[[nodiscard]] Syntax syntax_of(std::string_view name, std::string_view text);

/// Locates offsets that mostly ascend, in constant time each.
class LocationCursor {
 public:
  explicit LocationCursor(const Snapshot& snapshot) : snapshot_(&snapshot) {}
  [[nodiscard]] SourceLocation locate(std::size_t offset);

 private:
  const Snapshot* snapshot_;  // outlives the cursor: both live in one parse
  std::size_t segment_ = 0;
  std::size_t offset_ = 0;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  bool started_ = false;
};

/// Versioned bytes for a memfd. from_bytes(to_bytes(s)) == s.
[[nodiscard]] std::vector<std::uint8_t> to_bytes(const Snapshot& snapshot);
/// Checks every length and index: bytes from a stranger give an error, never a crash.
[[nodiscard]] core::Result<Snapshot> from_bytes(std::span<const std::uint8_t> bytes);

/// What an include's pattern means on this host.
struct FileMatches {
  std::string sought;              ///< the pattern as a path
  std::vector<std::string> paths;  ///< sorted; of a pattern only regular files
  bool is_pattern = false;         ///< it may match nothing
};
/// Relative patterns start at the directory of `including_file`. * ? [] {} as in the shell.
[[nodiscard]] FileMatches match_files(std::string_view pattern, const std::string& including_file);
/// True when `path` is one of `others`, whatever their names are.
[[nodiscard]] bool is_same_file_as_any(const std::string& path,
                                       const std::vector<std::string>& others);

/// The bytes of a regular file (or a pipe); errors say what is wrong: missing, a directory,
/// unreadable, empty, too long.
[[nodiscard]] core::Result<std::string> read_text_file(const std::string& path);

}  // namespace holdfast::config
