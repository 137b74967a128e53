#include "config/diagnostic.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace holdfast::config {
namespace {

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid) {
      out += "\\ufffd";
    } else if (character.code == '"' || character.code == '\\') {
      out += '\\';
      out += text[0];
    } else if (character.code < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(character.code));
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  out += '"';
}

std::string place_of(const Diagnostic& diagnostic) {
  if (diagnostic.line == 0) return diagnostic.file;
  if (diagnostic.column == 0) return fmt::format("{}:{}", diagnostic.file, diagnostic.line);
  return fmt::format("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column);
}

std::string counted(std::size_t count, std::string_view what) {
  if (count == 0) return fmt::format("no {}s", what);
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// The place and the message without its digits; empty for what has no place.
std::string fold_key(const Diagnostic& diagnostic) {
  if (diagnostic.line == 0 || diagnostic.column == 0) return {};
  std::string key = fmt::format("{}:{}:{}:{}:", static_cast<int>(diagnostic.severity),
                                diagnostic.line, diagnostic.column, diagnostic.file);
  for (const char letter : diagnostic.message) {
    if (letter < '0' || letter > '9') key += letter;
  }
  return key;
}

// SGR parameters; bold, and for the kinds the colours that compilers have made customary.
constexpr std::string_view kBold = "1";
constexpr std::string_view kMark = "1;32";

std::string_view colour_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "1;31";
    case Severity::warning:
      return "1;35";
    case Severity::note:
      return "1;36";
  }
  return kBold;
}

std::string painted(std::string_view text, std::string_view parameters, Colour colour) {
  if (colour == Colour::never) return std::string(text);
  return fmt::format("\x1B[{}m{}\x1B[0m", parameters, text);
}

}  // namespace

bool Diagnostics::fold(const Diagnostic& diagnostic) {
  const std::string key = fold_key(diagnostic);
  const auto same = key.empty() ? by_place_.end() : by_place_.find(key);
  if (same == by_place_.end()) return false;
  list_[same->second].repeats += diagnostic.repeats + 1;
  return true;
}

void Diagnostics::promote(std::string_view file, std::uint32_t line) {
  for (Diagnostic& one : list_) {
    if (one.severity != Severity::warning || one.line != line || one.file != file) continue;
    one.severity = Severity::error;
    --warnings_;
    ++errors_;
  }
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (fold(diagnostic)) return;
  if (std::string key = fold_key(diagnostic); !key.empty())
    by_place_.emplace(std::move(key), list_.size());
  if (diagnostic.severity == Severity::error) ++errors_;
  if (diagnostic.severity == Severity::warning) ++warnings_;
  list_.push_back(std::move(diagnostic));
}

void Diagnostics::append(const Diagnostics& others) {
  for (const Diagnostic& diagnostic : others.list_) add(diagnostic);
}

void Diagnostics::sort_by_place() {
  std::unordered_map<std::string, std::size_t> order;
  for (const Diagnostic& diagnostic : list_) order.emplace(diagnostic.file, order.size());
  std::stable_sort(list_.begin(), list_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(order.at(a.file), a.line, a.column) <
           std::tuple(order.at(b.file), b.line, b.column);
  });
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if (const auto found = by_place_.find(fold_key(list_[i])); found != by_place_.end())
      found->second = i;
  }
}

std::size_t Diagnostics::hints() const {
  return static_cast<std::size_t>(
      std::count_if(list_.begin(), list_.end(), [](const Diagnostic& one) {
        return one.severity == Severity::warning && one.kind == Kind::hint;
      }));
}

std::string Diagnostics::summary() const {
  return fmt::format("{}, {}", counted(errors_, "error"), counted(warnings_, "warning"));
}

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "error";
}

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::mistake:
      return "mistake";
    case Kind::hint:
      return "hint";
  }
  return "mistake";
}

std::string render(const Diagnostic& diagnostic, Colour colour) {
  const std::string kind = fmt::format("{}:", to_string(diagnostic.severity));
  std::string out =
      fmt::format("{} {} {}", painted(printable(place_of(diagnostic)) + ":", kBold, colour),
                  painted(kind, colour_of(diagnostic.severity), colour),
                  painted(printable(diagnostic.message), kBold, colour));
  if (diagnostic.repeats != 0) out += fmt::format(" (and {} more like this)", diagnostic.repeats);
  out += '\n';
  if (diagnostic.byte_length != 0 && diagnostic.byte_offset <= diagnostic.source_line.size()) {
    const std::string_view line = diagnostic.source_line;
    const std::string_view word = line.substr(diagnostic.byte_offset, diagnostic.byte_length);
    const std::size_t start = display_width(line.substr(0, diagnostic.byte_offset));
    const std::size_t width = std::max<std::size_t>(display_width(word, start), 1);
    out += fmt::format("    {}\n    {}{}\n", printable(line), std::string(start, ' '),
                       painted(fmt::format("^{}", std::string(width - 1, '~')), kMark, colour));
  }
  if (!diagnostic.help.empty()) out += fmt::format("    help: {}\n", printable(diagnostic.help));
  return out;
}

std::string render_text(const Diagnostics& diagnostics, Colour colour) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out += render(diagnostic, colour);
  return out;
}

std::string render_json(const Diagnostics& diagnostics) {
  std::string out = fmt::format("{{\"errors\":{},\"warnings\":{},\"diagnostics\":[",
                                diagnostics.errors(), diagnostics.warnings());
  std::string_view separator;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    out += fmt::format("{}{{\"severity\":\"{}\"", separator, to_string(diagnostic.severity));
    if (diagnostic.severity == Severity::warning)
      out += fmt::format(",\"kind\":\"{}\"", to_string(diagnostic.kind));
    out += ",\"file\":";
    append_json_string(out, diagnostic.file);
    out +=
        fmt::format(",\"line\":{},\"column\":{},\"message\":", diagnostic.line, diagnostic.column);
    append_json_string(out, diagnostic.message);
    out += ",\"help\":";
    append_json_string(out, diagnostic.help);
    out += ",\"source\":";
    append_json_string(out, diagnostic.source_line);
    if (diagnostic.repeats != 0) out += fmt::format(",\"repeats\":{}", diagnostic.repeats);
    out += '}';
    separator = ",";
  }
  return out + "]}";
}

std::string_view nearest_word(std::string_view word,
                              const std::vector<std::string_view>& candidates) {
  const std::string wanted = folded(word);
  std::string_view best;
  std::size_t best_distance =
      wanted.size() <= 3 ? 2 : std::min<std::size_t>(wanted.size() / 3, 3) + 1;
  for (const std::string_view candidate : candidates) {
    // Every letter more or less is one step: most words are out without being compared.
    const std::size_t longer = std::max(wanted.size(), candidate.size());
    if (longer - std::min(wanted.size(), candidate.size()) >= best_distance) continue;
    const std::size_t distance = spelling_distance(wanted, folded(candidate));
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace holdfast::config
