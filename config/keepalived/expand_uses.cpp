// What stands where $NAME, ${NAME} or a built-in value is used.
#include "config/keepalived/expander.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

namespace holdfast::config::keepalived {

bool ends_quoted(std::string_view text, bool quoted) {
  return (std::count(text.begin(), text.end(), '"') % 2 != 0) != quoted;
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

// Values that are always there. keepalived: ${_PWD}, ${_INSTANCE}, ${_ENV NAME},
// ${_RANDOM MIN MAX}, ${_HASH}, ${_BANG}.
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
    report(Severity::warning, line, use.arguments,
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
    report(
        Severity::error, line, use.name,
        fmt::format("the definition of '${}' contains itself, or is more than {} definitions deep",
                    use.name, kMaxDepth),
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

}  // namespace holdfast::config::keepalived
