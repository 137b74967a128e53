#include "config/keepalived/preprocess.hpp"

#include "config/keepalived/include.hpp"
#include "config/keepalived/lexer.hpp"
#include "config/keepalived/macro.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <unordered_map>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxFiles = 1000;
constexpr std::size_t kMaxSteps = 4'000'000;  // made lines and replacements, in all
constexpr std::string_view kSeldomEnds = "a definition can use others, but not itself";
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

bool ends_quoted(std::string_view text, bool quoted) {
  return (std::count(text.begin(), text.end(), '"') % 2 != 0) != quoted;
}

class Expander {
 public:
  Expander(const LoadOptions& options, const std::vector<std::string>& chain,
           Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics), chain_(chain) {}

  void file(std::string_view text, const std::string& name);
  Expanded take() { return {std::move(snapshot_), std::move(foreign_)}; }

 private:
  struct Line {
    std::string_view text;  // as written, without its line end
    std::size_t code = 0;   // bytes before the comment
    std::uint32_t number = 0;
  };

  // A stretch of text on its way to the snapshot: a line as written or the end of one, or what a
  // definition made of it.
  struct Piece {
    const Line* origin;      // the line that was written, for messages
    std::string_view text;   // with its comment
    std::size_t code = 0;    // bytes before the comment
    std::size_t column = 1;  // of the first byte in the origin; when made, of the use
    bool made = false;       // by a definition: all of it belongs to the place of its use
  };

  void line(const Line& line);
  void process(const Piece& piece, std::size_t depth);
  void condition(const Piece& piece, std::string_view code, std::size_t depth);
  bool definition(const Piece& piece, std::string_view code);
  void continue_definition(const Line& line);
  bool repetition(const Piece& piece, std::string_view code, std::size_t depth);
  bool leading_use(const Piece& piece, std::string_view code, std::size_t depth);
  void made_lines(const Piece& piece, std::string_view lines, std::string_view rest,
                  std::size_t column, std::size_t depth);
  bool inclusion(const Piece& piece, std::string_view code);
  void include(const Line& line, std::string_view pattern, const IncludeCheck& check);
  void include_file(const Line& line, std::string_view pattern, const std::string& path,
                    const IncludeCheck& check);
  [[nodiscard]] bool is_to_be_read(const Line& line, std::string_view pattern,
                                   const std::string& path);
  void setting(std::string_view code);
  void substitute(const Piece& piece, std::size_t depth);
  bool expand_use(const Line& line, const Use& use, std::size_t depth, std::string& out);
  bool built_in(const Line& line, const Use& use, std::string& out);
  bool random_number(const Line& line, const Use& use, std::string& out);
  void undefined(const Line& line, const Use& use, std::string message, std::string help,
                 std::string& out);
  bool expand_text(const Line& line, std::string_view text, std::size_t depth, std::string& out);
  [[nodiscard]] bool is_known(const Use& use) const {
    return use.braces || definitions_.contains(std::string(use.name));
  }
  // A line that leaves nothing behind; one as written leaves its line end, so that lines keep their
  // numbers.
  void vanish(const Piece& piece) {
    if (!piece.made) blank_line();
  }
  // Where `code`, a stretch of the piece, was written.
  static std::size_t column_of(const Piece& piece, std::string_view code) {
    const auto skipped = static_cast<std::size_t>(code.data() - piece.text.data());
    return piece.made ? piece.column : piece.column + skipped;
  }
  [[nodiscard]] bool within_quotes() const;
  void blank_line() { append("\n"); }
  void append(std::string_view text);
  void begin_segment(std::uint32_t line, std::size_t column, bool fixed);
  void report(Severity severity, const Line& line, std::string_view word, std::string message,
              std::string help = {});

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  Snapshot snapshot_;
  std::vector<ForeignFile> foreign_;
  std::unordered_map<std::string, std::string> definitions_;
  std::vector<std::string> chain_;  // the files that are being read, outermost first
  std::uint32_t file_ = 0;
  std::string open_definition_;  // of several lines, not ended yet
  std::string open_value_;
  bool too_long_ = false;
  std::size_t steps_ = 0;  // lines that definitions made, and replacements
  bool endless_ = false;   // and there were too many: nothing more is made
  std::string_view use_;   // as written, of the line that is being read
  bool quoted_ = false;    // the use that is being replaced stands within quotes
  std::mt19937 random_{std::random_device{}()};
  IncludeCheck include_check_;  // for all includes
  bool resync_ = false;         // what follows has to say again where it stands
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

void Expander::file(std::string_view text, const std::string& name) {
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

// "@NAME words": kept for the configuration NAME; "@^NAME words": for all others.
void Expander::condition(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::size_t end = word_length(code);
  std::string_view name = code.substr(1, end - 1);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  const std::string_view rest = trimmed(code.substr(end));
  if ((name == options_.config_id) == negated || rest.empty()) {
    vanish(piece);
    return;
  }
  const auto skipped = static_cast<std::size_t>(rest.data() - piece.text.data());
  Piece kept = piece;
  kept.text.remove_prefix(skipped);
  kept.code -= skipped;
  if (!piece.made) {
    kept.column += skipped;
    begin_segment(piece.origin->number, kept.column, false);
    resync_ = true;
  }
  process(kept, depth);
}

bool Expander::definition(const Piece& piece, std::string_view code) {
  const std::size_t length = name_length(code.substr(1));
  const std::string_view rest = trimmed(code.substr(length + 1));
  if (length == 0 || !rest.starts_with('=')) return false;
  const std::string name(code.substr(1, length));
  if (rest.data() != code.data() + length + 1) {
    report(Severity::warning, *piece.origin, code.substr(0, length + 1),
           fmt::format("a blank before the '=' of the definition '{}'", name),
           fmt::format("write ${}={}: keepalived takes this line for a statement", name,
                       trimmed(rest.substr(1))));
  }
  std::string_view value = trimmed(rest.substr(1));  // quotes stay: they count at the use
  if (value.ends_with('\\') && !piece.made) {
    open_definition_ = name;
    open_value_ = std::string(trimmed(value.substr(0, value.size() - 1)));
  } else {
    definitions_[name] = std::string(value);
  }
  return true;
}

void Expander::continue_definition(const Line& line) {
  std::string_view value = trimmed(line.text.substr(0, line.code));
  blank_line();
  const bool is_comment = line.code < line.text.size();
  if (value.empty() && !is_comment) return;  // keepalived: a blank line does not end it
  // A line that was put into a comment with its backslash is left out; keepalived 2.4.3 ends the
  // definition there and reads its rest as statements.
  const bool goes_on =
      value.ends_with('\\') || (value.empty() && trimmed(line.text).ends_with('\\'));
  if (value.ends_with('\\')) value = trimmed(value.substr(0, value.size() - 1));
  if (!value.empty()) {
    if (!open_value_.empty()) open_value_ += '\n';
    open_value_ += value;
  }
  if (!goes_on) definitions_[std::exchange(open_definition_, {})] = std::exchange(open_value_, {});
}

// "~SEQ(NAME, 1, 9) words": the words once for every value of $NAME.
bool Expander::repetition(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::optional<Repetition> head = repetition_at(code);
  if (!head) {
    if (!code.starts_with("~SEQ") && !code.starts_with("~LST")) return false;
    report(Severity::error, *piece.origin, code, "this repetition has no arguments in parentheses",
           "such as: ~SEQ(N, 1, 9) real_server 192.168.1.$N 80 {");
    return true;
  }
  std::string arguments;
  if (!expand_text(*piece.origin, head->arguments, depth, arguments)) return true;
  const std::optional<Rounds> rounds = rounds_of(head->kind, arguments);
  if (!rounds) {
    const bool is_list = head->kind == Repetition::Kind::list;
    report(Severity::error, *piece.origin, code.substr(0, head->length),
           fmt::format("'{}({})' gives no values", is_list ? "~LST" : "~SEQ", arguments),
           is_list ? "write ~LST(NAME, first, second, …), or ~LST({ONE, OTHER}, {a, b}, {c, d}, …)"
                   : "write ~SEQ(NAME, LAST), ~SEQ(NAME, FIRST, LAST) or ~SEQ(NAME, FIRST, STEP, "
                     "LAST) with numbers");
    return true;
  }
  const std::string_view repeated = trimmed(code.substr(head->length));
  for (const std::vector<std::string>& values : rounds->values) {
    for (std::size_t i = 0; i < values.size(); ++i) definitions_[rounds->names[i]] = values[i];
    process({piece.origin, repeated, repeated.size(), column_of(piece, code), true}, depth + 1);
    if (endless_ || too_long_) break;
  }
  for (const std::string& name : rounds->names) definitions_.erase(name);
  resync_ = true;
  return true;
}

// A line that begins with a use is what the definition says: a condition, a repetition, several
// lines.
bool Expander::leading_use(const Piece& piece, std::string_view code, std::size_t depth) {
  const std::optional<Use> use = use_at(code);
  if (!use) return false;
  const auto found = definitions_.find(std::string(use->name));
  if (found == definitions_.end() || !use->arguments.empty()) return false;
  const std::string value = found->second;  // a copy: its lines may define it anew
  const char first = value.empty() ? ' ' : value.front();
  const bool is_plain = value.find('\n') == std::string::npos && first != '@' && first != '~' &&
                        first != '$' && !value.starts_with("include");
  if (is_plain) return false;
  made_lines(piece, value, code.substr(use->length), column_of(piece, code), depth);
  return true;
}

// The lines of a definition, in the order of the text: each may define what the next one uses.
void Expander::made_lines(const Piece& piece, std::string_view lines, std::string_view rest,
                          std::size_t column, std::size_t depth) {
  resync_ = true;
  while (true) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const bool last = end == lines.size();
    const std::string text = fmt::format("{}{}", lines.substr(0, end), last ? rest : "");
    process({piece.origin, text, text.size(), column, true}, depth + 1);
    if (last) return;
    lines.remove_prefix(end + 1);
  }
}

// What global_defs says to the expander itself.
void Expander::setting(std::string_view code) {
  if (code.starts_with("global_defs")) {
    const std::size_t open = code.find('{');
    code = open == std::string_view::npos ? std::string_view() : trimmed(code.substr(open + 1));
  }
  const std::string_view word = code.substr(0, word_length(code));
  const std::string_view rest = trimmed(code.substr(word.size()));
  const std::string_view values = trimmed(rest.substr(0, rest.find('}')));
  if (word == "glob_strict") include_check_ = read_include_check({}, "");
  if (word == "include_check") include_check_ = read_include_check(include_check_, values);
  std::uint32_t seed = 0;
  const auto [end, error] = std::from_chars(values.data(), values.data() + values.size(), seed);
  if (word == "random_seed" && error == std::errc() && end == values.data() + values.size())
    random_.seed(seed);
}

bool Expander::inclusion(const Piece& piece, std::string_view code) {
  const std::size_t word_end = word_length(code);
  const std::optional<IncludeCheck> word = include_word(code.substr(0, word_end));
  if (!word) return false;
  const IncludeCheck check = include_check_.with(*word);
  std::string expanded;
  const std::string_view rest = trimmed(code.substr(word_end));
  if (rest.find('$') == std::string_view::npos) {
    include(*piece.origin, rest, check);
    return true;
  }
  quoted_ = false;
  if (expand_text(*piece.origin, rest, 0, expanded)) {
    include(*piece.origin, expanded, check);
  } else {
    vanish(piece);
  }
  return true;
}

bool Expander::within_quotes() const {
  const std::size_t newline = snapshot_.text.rfind('\n');
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return ends_quoted(std::string_view(snapshot_.text).substr(begin), false);
}

// Copies a line, replacing definitions before its comment; replacements become segments of their
// own.
void Expander::substitute(const Piece& piece, std::size_t depth) {
  const std::string_view text = piece.text;
  const Line& line = *piece.origin;
  if (piece.made) begin_segment(line.number, piece.column, true);
  std::size_t copied = 0;
  for (std::size_t at = text.find('$'); at < piece.code; at = text.find('$', at)) {
    const std::optional<Use> use = use_at(text.substr(at, piece.code - at));
    if (!use || !is_known(*use)) {
      ++at;
      continue;
    }
    append(text.substr(copied, at - copied));
    if (!piece.made) use_ = text.substr(at, use->length);
    const std::size_t column = piece.made ? piece.column : piece.column + at;
    if (!piece.made) begin_segment(line.number, column, true);
    const auto found = definitions_.find(std::string(use->name));
    if (found != definitions_.end() && found->second.find('\n') != std::string::npos) {
      const std::string value = found->second;
      const std::size_t first = value.find('\n');
      std::string expanded;
      static_cast<void>(expand_text(line, value.substr(0, first), depth + 1, expanded));
      append(expanded);
      append("\n");
      made_lines(piece, std::string_view(value).substr(first + 1),
                 text.substr(at + use->length, piece.code - at - use->length), column, depth);
      return;
    }
    std::string value;
    quoted_ = within_quotes();
    static_cast<void>(expand_use(line, *use, depth, value));
    append(value);
    copied = at + use->length;
    at = copied;
    if (!piece.made) begin_segment(line.number, piece.column + copied, false);
    resync_ = true;
  }
  append(text.substr(std::min(copied, text.size())));
  append("\n");
}

// Values that are always there. keepalived: ${_PWD}, ${_INSTANCE}, ${_ENV NAME}, ${_RANDOM MIN
// MAX},
// ${_HASH}, ${_BANG}.
bool Expander::built_in(const Line& line, const Use& use, std::string& out) {
  if (use.name == "_PWD") {
    out += std::filesystem::path(snapshot_.files[file_]).parent_path().string();
  } else if (use.name == "_INSTANCE") {
    out += options_.config_id;
  } else if (use.name == "_HASH" || use.name == "_BANG") {
    if (!ends_quoted(out, quoted_)) out += '\\';
    out += use.name == "_HASH" ? '#' : '!';
  } else if (use.name == "_ENV") {
    const char* const value = std::getenv(std::string(use.arguments).c_str());
    if (value != nullptr) {
      out += value;
      return true;
    }
    report(Severity::warning, line, use.name,
           fmt::format("the environment has no '{}': it counts as empty", use.arguments),
           "set it where Holdfast is started, or write the value out");
  } else if (use.name == "_RANDOM") {
    return random_number(line, use, out);
  } else {
    undefined(line, use, fmt::format("there is no built-in '${{{}}}'", use.name),
              "built-in values are _PWD, _INSTANCE, _ENV NAME, _RANDOM MIN MAX, _HASH and _BANG",
              out);
  }
  return true;
}

bool Expander::random_number(const Line& line, const Use& use, std::string& out) {
  std::array<std::uint32_t, 2> bounds = {0, 32767};
  std::string_view rest = use.arguments;
  for (std::size_t i = 0; i < bounds.size() && !rest.empty(); ++i) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), bounds[i]);
    rest = error == std::errc() ? trimmed(rest.substr(static_cast<std::size_t>(end - rest.data())))
                                : std::string_view("?");
    if (error != std::errc()) break;
  }
  if (!rest.empty() || bounds[0] > bounds[1]) {
    report(Severity::error, line, use.name,
           fmt::format("'{}' are not the bounds of a random number", use.arguments),
           "write ${_RANDOM MIN MAX} with two numbers");
    return false;
  }
  out += fmt::format("{}",
                     std::uniform_int_distribution<std::uint32_t>(bounds[0], bounds[1])(random_));
  return true;
}

// The use stays, without braces that would open and close blocks; within quotes it stays as it is,
// perhaps for a shell. keepalived leaves it, braces and all.
void Expander::undefined(const Line& line, const Use& use, std::string message, std::string help,
                         std::string& out) {
  const std::string_view gap = use.arguments.empty() ? "" : " ";
  if (ends_quoted(out, quoted_)) {
    out += fmt::format("${{{}{}{}}}", use.name, gap, use.arguments);
    report(Severity::note, line, use.name, message + ", so it stays as it is", std::move(help));
    return;
  }
  out += fmt::format("${}", use.name);
  report(Severity::warning, line, use.name, std::move(message), std::move(help));
}

bool Expander::expand_use(const Line& line, const Use& use, std::size_t depth, std::string& out) {
  if (endless_) return false;
  if (depth > kMaxDepth) {
    report(Severity::error, line, use.name,
           fmt::format("the definition of '${}' contains itself", use.name),
           std::string(kSeldomEnds));
    return false;
  }
  if (++steps_ > kMaxSteps) {
    endless_ = true;
    report(Severity::error, line, use.name,
           fmt::format("'${}' takes too many replacements", use.name), std::string(kSeldomEnds));
    return false;
  }
  const auto found = definitions_.find(std::string(use.name));
  if (found != definitions_.end()) return expand_text(line, found->second, depth + 1, out);
  if (use.name.starts_with('_')) return built_in(line, use, out);
  undefined(line, use, fmt::format("'{}' is not defined", use.name),
            fmt::format("define it above with ${}=VALUE", use.name), out);
  return true;
}

bool Expander::expand_text(const Line& line, std::string_view text, std::size_t depth,
                           std::string& out) {
  std::size_t copied = 0;
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at < copied) continue;
    const std::optional<Use> use = use_at(text.substr(at));
    if (!use || !is_known(*use)) continue;
    out += text.substr(copied, at - copied);
    if (!expand_use(line, *use, depth, out) || out.size() > kMaxSnapshotBytes) return false;
    copied = at + use->length;
  }
  out += text.substr(copied);
  return true;
}

void Expander::include(const Line& line, std::string_view pattern, const IncludeCheck& check) {
  if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"')
    pattern = pattern.substr(1, pattern.size() - 2);
  resync_ = true;
  const std::uint32_t own_file = file_;
  const std::filesystem::path directory =
      std::filesystem::path(snapshot_.files[file_]).parent_path();
  if (pattern.empty()) {
    report(Severity::warning, line, trimmed(line.text.substr(0, line.code)),
           "'include' needs the name of a file");
  }
  const std::vector<std::string> names = expand_braces(pattern);
  for (const std::string& name : names) {
    if (name.empty()) continue;
    const std::string path = (directory / name).string();
    const std::vector<std::string> matches = matches_of(path);
    const bool strict = (names.size() > 1 && check.brace_match) ||
                        (is_pattern(name) ? check.wildcard_match : check.match);
    if (matches.empty() && (strict || !is_pattern(name))) {
      const std::string near = near_file(path);
      report(strict ? Severity::error : Severity::warning, line, pattern,
             fmt::format("no file '{}' to include", path),
             !near.empty() ? fmt::format("did you mean '{}'?", near)
                           : std::string(strict ? "" : "the rest is read without it"));
    }
    for (const std::string& match : matches) {
      if (is_to_be_read(line, pattern, match)) include_file(line, pattern, match, check);
      file_ = own_file;
    }
  }
  // The directive's own line stays as a blank one.
  begin_segment(line.number, 1, false);
  blank_line();
}

// keepalived leaves out what is no regular file, and every file with an executable bit.
bool Expander::is_to_be_read(const Line& line, std::string_view pattern, const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::is_regular_file(status) || !std::filesystem::exists(status)) return true;
  if (!is_pattern(pattern)) {
    report(Severity::warning, line, pattern, fmt::format("'{}' is not a file", path),
           std::filesystem::is_directory(status)
               ? fmt::format("to read what is in the directory: include {}/*.conf", pattern)
               : std::string("only regular files are included"));
  }
  return false;
}

void Expander::include_file(const Line& line, std::string_view pattern, const std::string& path,
                            const IncludeCheck& check) {
  if (is_same_file_as_any(path, chain_)) {
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
    report(check.read ? Severity::error : Severity::warning, line, pattern, text.error().message);
    return;
  }
  if (text->starts_with("#!") || text->starts_with("\x7F"
                                                   "ELF")) {
    report(Severity::warning, line, pattern,
           fmt::format("'{}' is a program, not a configuration: it is left out", path));
    return;
  }
  if (syntax_of(path, *text) == Syntax::toml) {
    foreign_.push_back({path, *text, chain_});
    return;
  }
  file(*text, path);
}

}  // namespace

Expanded expand(std::string_view text, const std::string& name,
                const std::vector<std::string>& chain, const LoadOptions& options,
                Diagnostics& diagnostics) {
  Expander expander(options, chain, diagnostics);
  expander.file(text, name);
  return expander.take();
}

}  // namespace holdfast::config::keepalived
