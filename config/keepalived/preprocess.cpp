#include "config/keepalived/preprocess.hpp"

#include "config/keepalived/expander.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::config::keepalived {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Where the comment of a line begins, or its end.
std::size_t comment_start(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '\\' && !quoted) {
      ++i;
    } else if (!quoted && (line[i] == '#' || line[i] == '!')) {
      return i;
    }
  }
  return line.size();
}

// Line ends, and letters with which a line may say something to the expander, wherever they stand.
constexpr std::array<bool, 256> kStops = [] {
  std::array<bool, 256> stops{};
  for (const char letter : std::string_view("\n$\r\0", 4))
    stops[static_cast<unsigned char>(letter)] = true;
  return stops;
}();
constexpr std::string_view kGlobals = "global_defs";
constexpr std::string_view kSpeakingWords[] = {"include", "random_seed", "glob"};

constexpr std::array<bool, 256> kBlanks = [] {
  std::array<bool, 256> blanks{};
  for (const char letter : std::string_view(" \t\f\v"))
    blanks[static_cast<unsigned char>(letter)] = true;
  return blanks;
}();

// Whether the line that `code` begins with may say something by its first word.
bool begins_with_speaking_word(std::string_view code) {
  const char first = code.empty() ? ' ' : code.front();
  // A wide blank may stand before the word.
  if (first == '@' || first == '~' || static_cast<unsigned char>(first) >= 0x80) return true;
  if (code.starts_with(kGlobals)) {  // as a rule it is alone on its line
    const std::string_view line = code.substr(0, code.find('\n'));
    return line.find_first_not_of(" \t{", kGlobals.size()) != std::string_view::npos;
  }
  return (first == 'i' || first == 'r' || first == 'g') &&
         std::ranges::any_of(kSpeakingWords,
                             [&](std::string_view word) { return code.starts_with(word); });
}

struct Stretch {
  std::size_t bytes = 0;
  std::uint32_t lines = 0;
};

// The whole lines at the front that say nothing to the expander. Most lines are like that, and go
// to the snapshot many at once.
Stretch plain_lines(std::string_view text) {
  Stretch plain;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && kBlanks[static_cast<unsigned char>(text[at])]) ++at;
    if (begins_with_speaking_word(text.substr(at))) return plain;
    while (at < text.size() && !kStops[static_cast<unsigned char>(text[at])]) ++at;
    if (at == text.size() || text[at] != '\n') return plain;
    plain = {++at, plain.lines + 1};
  }
}

}  // namespace

void Expander::begin_segment(std::uint32_t line, std::size_t column, bool fixed) {
  const Segment segment{static_cast<std::uint32_t>(snapshot_.text.size()), file_, line,
                        static_cast<std::uint32_t>(column), fixed};
  snapshot_.segments.push_back(segment);
}

bool Expander::has_room_for(std::size_t bytes) {
  if (snapshot_.text.size() + bytes > kMaxSnapshotBytes) {
    if (too_long_) return false;
    too_long_ = true;
    Diagnostic diagnostic;
    diagnostic.file = chain_.empty() ? std::string() : chain_.front();
    diagnostic.message = fmt::format("the configuration is longer than {} MB after expansion",
                                     kMaxSnapshotBytes >> 20);
    diagnostics_.add(std::move(diagnostic));
    return false;
  }
  return true;
}

void Expander::append(std::string_view text) {
  if (has_room_for(text.size())) snapshot_.text += text;
}

void Expander::report(Severity severity, const Line& line, std::string_view word,
                      std::string message, std::string help) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.file = snapshot_.files[file_];
  diagnostic.line = line.number;
  diagnostic.source_line = std::string(line.text.substr(0, 400));
  const auto is_inside = [&line](std::string_view part) {
    return part.data() >= line.text.data() && part.data() <= line.text.data() + line.text.size();
  };
  if (!is_inside(word)) word = use_;  // found inside a definition: its use is marked
  if (!is_inside(word)) word = trimmed(line.text.substr(0, line.code));
  const auto offset = static_cast<std::size_t>(word.data() - line.text.data());
  diagnostic.byte_offset = static_cast<std::uint32_t>(offset);
  if (line.number != 0)
    diagnostic.byte_length = static_cast<std::uint32_t>(std::max<std::size_t>(word.size(), 1));
  diagnostic.column = static_cast<std::uint32_t>(count_characters(line.text.substr(0, offset))) + 1;
  diagnostic.message = std::move(message);
  diagnostic.help = std::move(help);
  diagnostics_.add(std::move(diagnostic));
}

void Expander::file(std::string written, const std::string& name) {
  std::string_view text = written;
  chain_.push_back(name);
  file_ = static_cast<std::uint32_t>(snapshot_.files.size());
  const std::uint32_t own_file = file_;
  snapshot_.files.push_back(name);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  begin_segment(1, 1, false);
  const std::string converted = from_utf16(text);
  if (!converted.empty()) {
    report(Severity::warning, {}, {}, "this file is written in UTF-16",
           "it is read, but keepalived cannot: save it as UTF-8");
    text = converted;
  }
  const bool old_line_ends = text.find('\n') == std::string_view::npos;  // CR alone
  bool said_nul = false;
  std::uint32_t number = 0;
  while (!text.empty() && !too_long_) {
    const Stretch plain = open_definition_.empty() ? plain_lines(text) : Stretch{};
    if (plain.lines > 0) {
      if (std::exchange(resync_, false)) begin_segment(number + 1, 1, false);
      if (snapshot_.text.empty() && plain.bytes == written.size() && has_room_for(plain.bytes)) {
        snapshot_.text = std::move(written);  // as nearly always: there is nothing to expand
        break;
      }
      append(text.substr(0, plain.bytes));
      text.remove_prefix(plain.bytes);
      number += plain.lines;
      continue;
    }
    const std::size_t end = std::min(text.find(old_line_ends ? '\r' : '\n'), text.size());
    Line current;
    current.text = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    current.number = ++number;
    if (resync_) begin_segment(number, 1, false);
    resync_ = false;
    while (!current.text.empty() && current.text.back() == '\r') current.text.remove_suffix(1);
    if (current.text.find('\0') != std::string_view::npos) {
      if (!said_nul) {
        report(Severity::error, current, {}, "this line holds zero bytes: the file is damaged",
               "restore it, or write the line anew");
      }
      said_nul = true;
      blank_line();
      continue;
    }
    current.code = comment_start(current.text);
    line(current);
    file_ = own_file;
  }
  if (!open_definition_.empty())
    definitions_[std::exchange(open_definition_, {})] = std::exchange(open_value_, {});
  chain_.pop_back();
}

void Expander::line(const Line& line) {
  use_ = {};
  if (!open_definition_.empty()) {
    continue_definition(line);
    return;
  }
  process({&line, line.text, line.code, 1, false}, 0);
}

void Expander::process(const Piece& piece, std::size_t depth) {
  const std::string_view code = trimmed(piece.text.substr(0, piece.code));
  if (piece.made) {
    ++steps_;
    if (endless_ || (code.empty() && steps_ <= kMaxSteps)) return;
  }
  if (piece.made && (depth > kMaxDepth || steps_ > kMaxSteps)) {
    endless_ = true;
    report(Severity::error, *piece.origin,
           trimmed(piece.origin->text.substr(0, piece.origin->code)),
           depth > kMaxDepth ? "a definition that is used here contains itself"
                             : "the definitions that are used here make too many lines",
           std::string(kSeldomEnds));
    return;
  }
  const char first = code.empty() ? ' ' : code.front();
  if (first == '@') {
    condition(piece, code, depth);
  } else if (first == '$' && definition(piece, code)) {
    vanish(piece);
  } else if (first == '$' && leading_use(piece, code, depth)) {
    vanish(piece);
  } else if (first == '~' && repetition(piece, code, depth)) {
    vanish(piece);
  } else if (first == 'i' && inclusion(piece, code)) {
    resync_ = true;
  } else {
    if (first == 'i' || first == 'r' || first == 'g') setting(code);
    substitute(piece, depth);
  }
}

Expanded expand(std::string text, const std::string& name, const std::vector<std::string>& chain,
                const LoadOptions& options, Diagnostics& diagnostics) {
  Expander expander(options, chain, diagnostics);
  expander.file(std::move(text), name);
  return expander.take();
}

}  // namespace holdfast::config::keepalived
