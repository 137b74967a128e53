// The machine behind preprocess.hpp: one line at a time, and definitions that make further lines.
#pragma once

#include "config/keepalived/include.hpp"
#include "config/keepalived/macro.hpp"
#include "config/keepalived/preprocess.hpp"

#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::config::keepalived {

inline constexpr std::size_t kMaxSteps = 4'000'000;  // made lines and replacements, in all
inline constexpr std::string_view kSeldomEnds = "a definition can use others, but not itself";

/// Whether the end of the text stands within quotes; `quoted` says it for its beginning.
[[nodiscard]] bool ends_quoted(std::string_view text, bool quoted);

class Expander {
 public:
  Expander(const LoadOptions& options, const std::vector<std::string>& chain,
           Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics), chain_(chain) {}

  void file(std::string written, const std::string& name);
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
  [[nodiscard]] bool has_room_for(std::size_t bytes);
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

}  // namespace holdfast::config::keepalived
