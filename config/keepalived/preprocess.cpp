#include "config/keepalived/preprocess.hpp"

#include "config/keepalived/lexer.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <glob.h>
#include <unordered_map>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxFiles = 1000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct IncludeWord {
  std::string_view word;
  bool must_match;  // keepalived: also a pattern that matches nothing is an error
};
constexpr std::array<IncludeWord, 6> kIncludeWords = {{{"include", false},
                                                       {"includer", false},
                                                       {"includem", true},
                                                       {"includew", true},
                                                       {"includeb", true},
                                                       {"includea", true}}};

bool is_name_start(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}
bool is_name_letter(char letter) {
  return is_name_start(letter) || (letter >= '0' && letter <= '9');
}

std::size_t name_length(std::string_view text) {
  if (text.empty() || !is_name_start(text.front())) return 0;
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name_letter) -
                                  text.begin());
}

// keepalived: $NAME counts only before a blank, a comma, a closing parenthesis or the end of the
// line.
bool ends_plain_name(std::string_view rest) {
  return rest.empty() || rest.front() == ' ' || rest.front() == '\t' || rest.front() == ',' ||
         rest.front() == ')' || rest.front() == '\n' || rest.front() == '\r';
}

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

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank_length(text) != 0) text.remove_prefix(blank_length(text));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

class Expander {
 public:
  Expander(const LoadOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  void file(std::string_view text, const std::string& name);
  Snapshot take() { return std::move(snapshot_); }

 private:
  struct Line {
    std::string_view text;  // as written, without its line end
    std::size_t code = 0;   // bytes before the comment
    std::uint32_t number = 0;
  };

  void line(const Line& line);
  bool directive(const Line& line, std::string_view code);
  void condition(const Line& line, std::string_view code);
  bool definition(const Line& line, std::string_view code);
  void continue_definition(const Line& line);
  void include(const Line& line, std::string_view pattern, bool must_match);
  void include_file(const Line& line, std::string_view pattern, const std::string& path);
  void substitute(const Line& line, std::string_view text, std::size_t column);
  bool expand_name(const Line& line, std::string_view name, std::size_t column, std::size_t depth,
                   std::string& out);
  bool expand_text(const Line& line, std::string_view text, std::size_t column, std::size_t depth,
                   std::string& out);
  void blank_line() { append("\n"); }
  void append(std::string_view text);
  void begin_segment(std::uint32_t line, std::size_t column, bool fixed);
  void report(Severity severity, const Line& line, std::string_view word, std::string message,
              std::string help = {});

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  Snapshot snapshot_;
  std::unordered_map<std::string, std::string> definitions_;
  std::vector<std::string> chain_;  // the files that are being read, outermost first
  std::uint32_t file_ = 0;
  std::string open_definition_;  // of several lines, not ended yet
  std::string open_value_;
  bool too_long_ = false;
  bool resync_ = false;  // what follows has to say again where it stands
};

void Expander::begin_segment(std::uint32_t line, std::size_t column, bool fixed) {
  const Segment segment{static_cast<std::uint32_t>(snapshot_.text.size()), file_, line,
                        static_cast<std::uint32_t>(column), fixed};
  snapshot_.segments.push_back(segment);
}

void Expander::append(std::string_view text) {
  if (snapshot_.text.size() + text.size() > kMaxSnapshotBytes) {
    if (too_long_) return;
    too_long_ = true;
    Diagnostic diagnostic;
    diagnostic.file = chain_.empty() ? std::string() : chain_.front();
    diagnostic.message = fmt::format("the configuration is longer than {} MB after expansion",
                                     kMaxSnapshotBytes >> 20);
    diagnostics_.add(std::move(diagnostic));
    return;
  }
  snapshot_.text += text;
}

void Expander::report(Severity severity, const Line& line, std::string_view word,
                      std::string message, std::string help) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.file = snapshot_.files[file_];
  diagnostic.line = line.number;
  diagnostic.source_line = std::string(line.text.substr(0, 400));
  const bool inside =
      word.data() >= line.text.data() && word.data() <= line.text.data() + line.text.size();
  const std::size_t offset = inside ? static_cast<std::size_t>(word.data() - line.text.data()) : 0;
  diagnostic.byte_offset = static_cast<std::uint32_t>(offset);
  diagnostic.byte_length = static_cast<std::uint32_t>(std::max<std::size_t>(word.size(), 1));
  diagnostic.column = static_cast<std::uint32_t>(count_characters(line.text.substr(0, offset))) + 1;
  diagnostic.message = std::move(message);
  diagnostic.help = std::move(help);
  diagnostics_.add(std::move(diagnostic));
}

void Expander::file(std::string_view text, const std::string& name) {
  chain_.push_back(name);
  file_ = static_cast<std::uint32_t>(snapshot_.files.size());
  const std::uint32_t own_file = file_;
  snapshot_.files.push_back(name);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  begin_segment(1, 1, false);
  bool said_nul = false;
  std::uint32_t number = 0;
  while (!text.empty() && !too_long_) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Line current;
    current.text = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    current.number = ++number;
    if (resync_) begin_segment(number, 1, false);
    resync_ = false;
    while (!current.text.empty() && current.text.back() == '\r') current.text.remove_suffix(1);
    if (current.text.find('\0') != std::string_view::npos) {
      if (!said_nul) {
        report(Severity::error, current, {}, "this line holds NUL bytes and is skipped",
               "is the file UTF-16? Save it as UTF-8");
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
  if (!open_definition_.empty()) {
    continue_definition(line);
    return;
  }
  const std::string_view code = line.text.substr(0, line.code);
  if (directive(line, code)) return;
  substitute(line, line.text, 1);
  append("\n");
}

bool Expander::directive(const Line& line, std::string_view code) {
  const std::string_view start = trimmed(code);
  if (start.empty()) return false;
  if (start.front() == '@') {
    condition(line, start);
    return true;
  }
  if (start.front() == '$' && definition(line, start)) return true;
  if (start.starts_with("~SEQ") || start.starts_with("~LST")) {
    report(Severity::error, line, start.substr(0, 4),
           fmt::format("Holdfast does not do '{}' yet", start.substr(0, 4)),
           "write the repeated lines out");
    blank_line();
    return true;
  }
  if (start.front() != 'i') return false;
  const std::size_t word_end = std::min(start.find_first_of(" \t"), start.size());
  for (const IncludeWord& include_word : kIncludeWords) {
    if (start.substr(0, word_end) != include_word.word) continue;
    std::string expanded;
    const std::string_view rest = trimmed(start.substr(word_end));
    if (rest.find('$') == std::string_view::npos) {
      include(line, rest, include_word.must_match);
    } else if (expand_text(line, rest, 1, 0, expanded)) {
      include(line, expanded, include_word.must_match);
    }
    return true;
  }
  return false;
}

// "@NAME words": kept for the configuration NAME; "@^NAME words": for all others.
void Expander::condition(const Line& line, std::string_view code) {
  const std::size_t end = std::min(code.find_first_of(" \t"), code.size());
  std::string_view name = code.substr(1, end - 1);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  const std::string_view rest = trimmed(code.substr(end));
  if ((name == options_.config_id) == negated || rest.empty()) {
    blank_line();
    return;
  }
  if (directive(line, rest)) return;
  const auto column = static_cast<std::size_t>(rest.data() - line.text.data());
  begin_segment(line.number, column + 1, false);
  substitute(line, line.text.substr(column), column + 1);
  append("\n");
  resync_ = true;
}

bool Expander::definition(const Line& line, std::string_view code) {
  const std::size_t length = name_length(code.substr(1));
  if (length == 0 || code.size() <= length + 1 || code[length + 1] != '=') return false;
  const std::string name(code.substr(1, length));
  std::string_view value = trimmed(code.substr(length + 2));
  if (value.ends_with('\\')) {
    open_definition_ = name;
    open_value_ = std::string(trimmed(value.substr(0, value.size() - 1)));
  } else {
    if (value.size() >= 2 && value.front() == '"' && value.find('"', 1) == value.size() - 1) {
      value = value.substr(0, value.size());  // quotes stay: they count where the value is put
    }
    definitions_[name] = std::string(value);
  }
  static_cast<void>(line);
  blank_line();
  return true;
}

void Expander::continue_definition(const Line& line) {
  std::string_view value = trimmed(line.text.substr(0, line.code));
  const bool goes_on = value.ends_with('\\');
  if (goes_on) value = trimmed(value.substr(0, value.size() - 1));
  if (!value.empty()) {
    if (!open_value_.empty()) open_value_ += '\n';
    open_value_ += value;
  }
  if (!goes_on) definitions_[std::exchange(open_definition_, {})] = std::exchange(open_value_, {});
  blank_line();
}

// Copies a line, replacing definitions before its comment; replacements become segments of their
// own.
void Expander::substitute(const Line& line, std::string_view text, std::size_t column) {
  const std::size_t code =
      line.code > column - 1 ? std::min(line.code - (column - 1), text.size()) : 0;
  std::size_t copied = 0;
  for (std::size_t at = text.find('$'); at < code; at = text.find('$', at)) {
    const std::string_view rest = text.substr(at + 1, code - at - 1);
    const bool braces = rest.starts_with('{');
    const std::size_t length = name_length(rest.substr(braces ? 1 : 0));
    const std::string_view name = rest.substr(braces ? 1 : 0, length);
    const std::string_view after = rest.substr(length + (braces ? 1 : 0));
    const std::size_t close = braces ? std::min(after.find('}'), after.size()) : 0;
    const bool is_use = length != 0 && (braces ? close != after.size() : ends_plain_name(after));
    std::string value;
    if (!is_use || (!braces && !definitions_.contains(std::string(name)))) {
      ++at;
      continue;
    }
    append(text.substr(copied, at - copied));
    begin_segment(line.number, column + at, true);
    if (braces && close != 0) {
      report(Severity::error, line, text.substr(at, length + close + 3),
             fmt::format("Holdfast does not do '${{{}{}}}' yet", name, after.substr(0, close)),
             "write the value out");
    } else {
      static_cast<void>(
          expand_name(line, text.substr(at + (braces ? 2 : 1), length), at, 0, value));
    }
    append(value);
    copied = at + 1 + length + (braces ? close + 2 : 0);
    begin_segment(line.number, column + copied, false);
    at = copied;
    resync_ = true;
  }
  append(text.substr(std::min(copied, text.size())));
}

bool Expander::expand_name(const Line& line, std::string_view name, std::size_t column,
                           std::size_t depth, std::string& out) {
  if (depth > kMaxDepth) {
    report(Severity::error, line, name,
           fmt::format("the definition of '${}' contains itself", name),
           "a definition can use others, but not itself");
    return false;
  }
  if (name == "_PWD") {
    out += std::filesystem::path(snapshot_.files[file_]).parent_path().string();
    return true;
  }
  if (name == "_INSTANCE") {
    out += options_.config_id;
    return true;
  }
  const auto found = definitions_.find(std::string(name));
  if (found == definitions_.end()) {
    report(Severity::error, line, name,
           name.starts_with('_') ? fmt::format("Holdfast does not do '${{{}}}' yet", name)
                                 : fmt::format("'{}' is not defined", name),
           name.starts_with('_') ? "write the value out"
                                 : fmt::format("define it above with ${}=VALUE", name));
    return false;
  }
  return expand_text(line, found->second, column, depth + 1, out);
}

bool Expander::expand_text(const Line& line, std::string_view text, std::size_t column,
                           std::size_t depth, std::string& out) {
  std::size_t copied = 0;
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at < copied) continue;
    const std::string_view rest = text.substr(at + 1);
    const bool braces = rest.starts_with('{');
    const std::size_t length = name_length(rest.substr(braces ? 1 : 0));
    const std::string_view name = rest.substr(braces ? 1 : 0, length);
    const std::string_view after = rest.substr(length + (braces ? 1 : 0));
    const bool is_use = length != 0 && (braces ? after.starts_with('}') : ends_plain_name(after));
    if (!is_use || (!braces && !definitions_.contains(std::string(name)))) continue;
    out += text.substr(copied, at - copied);
    if (!expand_name(line, name, column, depth, out) || out.size() > kMaxSnapshotBytes)
      return false;
    copied = at + 1 + length + (braces ? 2 : 0);
  }
  out += text.substr(copied);
  return true;
}

void Expander::include(const Line& line, std::string_view pattern, bool must_match) {
  if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"')
    pattern = pattern.substr(1, pattern.size() - 2);
  resync_ = true;
  if (pattern.empty()) {
    report(Severity::error, line, trimmed(line.text.substr(0, line.code)),
           "'include' needs the name of a file");
    blank_line();
    return;
  }
  std::filesystem::path full(pattern);
  if (full.is_relative()) full = std::filesystem::path(snapshot_.files[file_]).parent_path() / full;
  glob_t matches{};
  const int result = ::glob(full.c_str(), GLOB_BRACE, nullptr, &matches);
  std::vector<std::string> paths;
  for (std::size_t i = 0; result == 0 && i < matches.gl_pathc; ++i)
    paths.emplace_back(matches.gl_pathv[i]);
  ::globfree(&matches);
  const bool is_pattern = pattern.find_first_of("*?[{") != std::string_view::npos;
  if (paths.empty() && (must_match || !is_pattern)) {
    report(Severity::error, line, pattern, fmt::format("no file '{}' to include", full.string()));
  }
  const std::uint32_t own_file = file_;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (is_pattern && !std::filesystem::is_regular_file(path, ignored)) continue;
    include_file(line, pattern, path);
    file_ = own_file;
  }
  // The directive's own line stays as a blank one.
  begin_segment(line.number, 1, false);
  blank_line();
}

void Expander::include_file(const Line& line, std::string_view pattern, const std::string& path) {
  const auto same = [&path](const std::string& other) {
    std::error_code error;
    return other == path || std::filesystem::equivalent(other, path, error);
  };
  if (std::any_of(chain_.begin(), chain_.end(), same)) {
    report(Severity::error, line, pattern, fmt::format("'{}' includes itself", path),
           fmt::format("the chain is {} → {}", fmt::join(chain_, " → "), path));
    return;
  }
  if (chain_.size() > kMaxDepth || snapshot_.files.size() >= kMaxFiles) {
    report(Severity::error, line, pattern,
           chain_.size() > kMaxDepth
               ? fmt::format("includes are nested more than {} deep", kMaxDepth)
               : fmt::format("more than {} files are included", kMaxFiles));
    return;
  }
  const core::Result<std::string> text = read_text_file(path);
  if (!text) {
    report(Severity::error, line, pattern, text.error().message);
    return;
  }
  file(*text, path);
}

}  // namespace

Snapshot expand(std::string_view text, const std::string& name, const LoadOptions& options,
                Diagnostics& diagnostics) {
  Expander expander(options, diagnostics);
  expander.file(text, name);
  return expander.take();
}

}  // namespace holdfast::config::keepalived
