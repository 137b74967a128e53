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

// Lower-case letters only, so that "Priority" is as near to "priority" as a word can be.
std::string folded(std::string_view word) {
  std::string out(word);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == '-') letter = '_';
  }
  return out;
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
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

std::string render(const Diagnostic& diagnostic) {
  std::string out = fmt::format("{}: {}: {}\n", place_of(diagnostic),
                                to_string(diagnostic.severity), printable(diagnostic.message));
  if (diagnostic.byte_length != 0 && diagnostic.byte_offset <= diagnostic.source_line.size()) {
    const std::string_view line = diagnostic.source_line;
    const std::string_view word = line.substr(diagnostic.byte_offset, diagnostic.byte_length);
    const std::size_t start = display_width(line.substr(0, diagnostic.byte_offset));
    const std::size_t width = std::max<std::size_t>(display_width(word, start), 1);
    out += fmt::format("    {}\n    {}^{}\n", printable(line), std::string(start, ' '),
                       std::string(width - 1, '~'));
  }
  if (!diagnostic.help.empty()) out += fmt::format("    help: {}\n", printable(diagnostic.help));
  return out;
}

std::string render_text(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out += render(diagnostic);
  return out;
}

std::string render_json(const Diagnostics& diagnostics) {
  std::string out = fmt::format("{{\"errors\":{},\"warnings\":{},\"diagnostics\":[",
                                diagnostics.errors(), diagnostics.warnings());
  std::string_view separator;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    out +=
        fmt::format("{}{{\"severity\":\"{}\",\"file\":", separator, to_string(diagnostic.severity));
    append_json_string(out, diagnostic.file);
    out +=
        fmt::format(",\"line\":{},\"column\":{},\"message\":", diagnostic.line, diagnostic.column);
    append_json_string(out, diagnostic.message);
    out += ",\"help\":";
    append_json_string(out, diagnostic.help);
    out += ",\"source\":";
    append_json_string(out, diagnostic.source_line);
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
    const std::size_t distance = spelling_distance(wanted, folded(candidate));
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace holdfast::config
