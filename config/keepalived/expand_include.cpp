// include, the words that say how strict it is, and what the expander reads of global_defs.
#include "config/keepalived/expander.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

namespace holdfast::config::keepalived {
namespace {

constexpr std::size_t kMaxFiles = 1000;

}  // namespace

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
  core::Result<std::string> text = read_text_file(path);
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
  file(*std::move(text), path);
}

}  // namespace holdfast::config::keepalived
