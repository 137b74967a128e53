// What the reader has to say about a configuration: complete sentences with file, line, column and
// the source line. Readers append, callers render. Never decides whether a process goes on: that is
// has_errors() and the caller.
#pragma once

#include "config/model.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::config {

/// error: something that was written cannot have its meaning, so the configuration is not taken
/// into use. warning: taken into use, but not as the author may believe. note: worth knowing.
enum class Severity : std::uint8_t { error, warning, note };

/// What a warning is about. mistake: what was written cannot be meant so. hint: it is right, but
/// old or without effect in this version, and the author need not change anything.
enum class Kind : std::uint8_t { mistake, hint };

/// One finding. The rendered form is
///   file:line:column: error: message
///     source line
///     ^~~~
///     help: what to do
struct Diagnostic {
  Severity severity = Severity::error;
  Kind kind = Kind::mistake;
  std::string file;
  std::uint32_t line = 0;         ///< from 1; 0: the whole file
  std::uint32_t column = 0;       ///< from 1, counts characters as a person does; 0: the whole line
  std::string message;            ///< a sentence without a full stop at its end
  std::string help;               ///< the likely cure; may be empty
  std::string source_line;        ///< the line as written, without its line end
  std::uint32_t byte_offset = 0;  ///< of the marked word in source_line
  std::uint32_t byte_length = 0;  ///< of the marked word; 0: nothing to mark
  /// how often the same was found again at this place, which only a definition or a repetition can
  /// do
  std::uint32_t repeats = 0;

  [[nodiscard]] bool is_mistake_warning() const {
    return severity == Severity::warning && kind == Kind::mistake;
  }
  bool operator==(const Diagnostic&) const = default;
};

/// Findings in the order of the files; errors and warnings are counted apart.
class Diagnostics {
 public:
  /// Adds, or counts it when it is folded.
  void add(Diagnostic diagnostic);
  /// True when a finding of this severity in the same words but for numbers is there already at the
  /// same line and column: that one now counts it.
  [[nodiscard]] bool fold(const Diagnostic& diagnostic);
  /// Makes errors of the warnings at a line.
  void promote(std::string_view file, std::uint32_t line);
  void append(const Diagnostics& others);
  /// Words, not places: those keep what fold() knows.
  template <class Change>
  void change_each(const Change& change) {
    for (Diagnostic& one : list_) change(one);
  }
  /// By file (in order of first mention), line, column. Keeps the order of equals.
  void sort_by_place();
  [[nodiscard]] bool has_errors() const { return errors_ != 0; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t warnings() const { return warnings_; }
  /// Of the warnings.
  [[nodiscard]] std::size_t hints() const;
  /// No error, and no warning about a mistake: what `holdfast -t` answers with 0.
  [[nodiscard]] bool is_sound() const { return errors_ == 0 && warnings_ == hints(); }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return list_; }
  /// "no errors, no warnings", "1 error, 2 warnings".
  [[nodiscard]] std::string summary() const;
  bool operator==(const Diagnostics& other) const { return list_ == other.list_; }

 private:
  std::vector<Diagnostic> list_;
  std::unordered_map<std::string, std::size_t> by_place_;  // what fold() looks up → index in list_
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

[[nodiscard]] const char* to_string(Severity severity);  ///< "error", "warning", "note"
[[nodiscard]] const char* to_string(Kind kind);          ///< "mistake", "hint"
/// For terminals; who prints decides (a terminal, and no NO_COLOR in the environment).
enum class Colour : std::uint8_t { never, always };
/// Several lines, the last one ends with a newline.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, Colour colour = Colour::never);
/// Every finding and nothing else; empty when there is none.
[[nodiscard]] std::string render_text(const Diagnostics& diagnostics,
                                      Colour colour = Colour::never);
/// {"errors":1,"warnings":0,"diagnostics":[{…}]}, each with severity, file, line, column, message,
/// help and source, a warning's kind, and "repeats" when there are any.
[[nodiscard]] std::string render_json(const Diagnostics& diagnostics);

/// Columns that `text` takes on a terminal from column `start` (0-based): tabs to multiples of 8,
/// wide East Asian characters two, combining marks none, bytes that are not UTF-8 one each.
[[nodiscard]] std::size_t display_width(std::string_view text, std::size_t start = 0);
/// The word of `candidates` that `word` most probably misspells; empty when none is near enough.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            const std::vector<std::string_view>& candidates);

}  // namespace holdfast::config
