#include "config/report.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

// A line of any length is shown through a window of about this many bytes.
constexpr std::size_t kShownBefore = 160;
constexpr std::size_t kShown = 320;

std::uint64_t key(std::uint32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

bool ends_word(char letter) {
  return letter == ' ' || letter == '\t' || letter == '{' || letter == '}' || letter == '\n';
}

}  // namespace

Reporter::Reporter(const Snapshot& snapshot, Diagnostics& out)
    : snapshot_(&snapshot), out_(&out), cursor_(snapshot), report_cursor_(snapshot) {}

void Reporter::error(TextRange range, std::string message, std::string help) {
  add(Severity::error, Kind::mistake, range, std::move(message), std::move(help));
}

void Reporter::warning(TextRange range, std::string message, std::string help) {
  add(Severity::warning, Kind::mistake, range, std::move(message), std::move(help));
}

void Reporter::note(TextRange range, std::string message, std::string help) {
  add(Severity::note, Kind::mistake, range, std::move(message), std::move(help));
}

void Reporter::suspect(TextRange range, std::string message, std::string help) {
  suspects_.insert(range.offset);
  warning(range, std::move(message), std::move(help));
}

void Reporter::hint(TextRange range, std::string message, std::string help) {
  add(Severity::warning, Kind::hint, range, std::move(message), std::move(help));
}

void Reporter::hint_once(TextRange range, const std::string& message, std::string help) {
  if (said_.insert(message).second) hint(range, message, std::move(help));
}

void Reporter::at(Severity severity, const SourceLocation& location, std::string message,
                  std::string help) {
  TextRange range;
  range.offset = offset_of(location);
  const std::string_view rest = std::string_view(snapshot_->text).substr(range.offset);
  std::size_t length = 0;
  while (length < rest.size() && !ends_word(rest[length])) ++length;
  range.length = static_cast<std::uint32_t>(length);
  // Two sentences about one object are two mistakes.
  marked_.erase(key(range.offset, static_cast<std::uint32_t>(severity)));
  add(severity, Kind::mistake, range, std::move(message), std::move(help));
}

bool Reporter::has_room(Severity severity, const std::string& file) {
  std::size_t& count = counts_[static_cast<std::size_t>(severity)];
  if (++count <= kMaxFindings) return true;
  if (count == kMaxFindings + 1) {
    Diagnostic last;
    last.severity = Severity::note;
    last.file = file;
    last.message = fmt::format("further {}s are not shown", to_string(severity));
    out_->add(std::move(last));
  }
  return false;
}

void Reporter::add(Severity severity, Kind kind, TextRange range, std::string message,
                   std::string help) {
  if (!marked_.insert(key(range.offset, static_cast<std::uint32_t>(severity))).second) return;
  // A line may be long and full of mistakes: none is looked at once there are enough.
  if (counts_[static_cast<std::size_t>(severity)] > kMaxFindings) return;
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.kind = kind;
  const SourceLocation location = report_cursor_.locate(range.offset);
  if (location.file < snapshot_->files.size()) diagnostic.file = snapshot_->files[location.file];
  if (severity == Severity::error && suspects_.contains(range.offset)) {
    out_->promote(diagnostic.file, location.line);
    return;
  }

  const std::string_view line = snapshot_->line_around(range.offset);
  const std::size_t begin = static_cast<std::size_t>(line.data() - snapshot_->text.data());
  const std::size_t in_line = std::min<std::size_t>(range.offset - begin, line.size());
  std::size_t shown_from = in_line > kShownBefore ? in_line - kShownBefore : 0;
  while (shown_from < in_line && continues_character(line[shown_from])) ++shown_from;
  std::string_view shown = line.substr(shown_from, kShown);
  while (shown.size() == kShown && !shown.empty() && continues_character(shown.back()))
    shown.remove_suffix(1);

  while (!shown.empty() && (shown.back() == ' ' || shown.back() == '\t')) shown.remove_suffix(1);

  diagnostic.line = location.line;
  const bool as_written = location.column == in_line + 1;  // nothing was replaced before it
  diagnostic.column =
      as_written ? static_cast<std::uint32_t>(count_characters(line.substr(0, in_line))) + 1
                 : location.column;
  diagnostic.message = std::move(message);
  diagnostic.help = std::move(help);
  if (snapshot_->is_replaced(begin) && snapshot_->is_replaced(range.offset)) {
    diagnostic.help += fmt::format("{}the line is made by a definition that is used here",
                                   diagnostic.help.empty() ? "" : "; ");
  }
  diagnostic.source_line = std::string(shown);
  diagnostic.byte_offset = static_cast<std::uint32_t>(in_line - shown_from);
  diagnostic.byte_length = std::max<std::uint32_t>(range.length, 1);
  if (!out_->fold(diagnostic) && has_room(severity, diagnostic.file))
    out_->add(std::move(diagnostic));
}

std::uint32_t Reporter::offset_of(const SourceLocation& location) {
  if (line_at_.empty()) {
    LocationCursor cursor(*snapshot_);
    std::size_t offset = 0;
    while (offset < snapshot_->text.size()) {
      const SourceLocation start = cursor.locate(offset);
      line_at_.emplace(key(start.file, start.line), static_cast<std::uint32_t>(offset));
      const std::size_t end = snapshot_->text.find('\n', offset);
      if (end == std::string::npos) break;
      offset = end + 1;
    }
  }
  const auto found = line_at_.find(key(location.file, location.line));
  if (found == line_at_.end()) return 0;
  return static_cast<std::uint32_t>(std::min<std::size_t>(
      found->second + std::max(location.column, 1U) - 1, snapshot_->text.size()));
}

}  // namespace holdfast::config
