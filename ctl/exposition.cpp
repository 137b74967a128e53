#include "ctl/exposition.hpp"

#include "core/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace holdfast::ctl {
namespace {

std::string_view type_word(Exposition::Type type, Dialect dialect) {
  switch (type) {
    case Exposition::Type::gauge:
      return "gauge";
    case Exposition::Type::counter:
      return "counter";
    case Exposition::Type::info:
      return dialect == Dialect::openmetrics ? "info" : "gauge";
  }
  return "gauge";
}

std::string_view ending(Exposition::Type type) {
  switch (type) {
    case Exposition::Type::gauge:
      return "";
    case Exposition::Type::counter:
      return "_total";
    case Exposition::Type::info:
      return "_info";
  }
  return "";
}

/// Names may hold any byte, a scrape must be UTF-8: one that is not would cost all of it.
void append_escaped(std::string& to, std::string_view words) {
  while (!words.empty()) {
    const std::size_t length = core::utf8_letter_length(words);
    const std::string_view letter = words.substr(0, std::max<std::size_t>(length, 1));
    words.remove_prefix(letter.size());
    if (length == 0)
      to += core::kReplacementLetter;
    else if (letter == "\\" || letter == "\"")
      (to += '\\') += letter;
    else if (letter == "\n")
      to += "\\n";
    else
      to += letter;
  }
}

}  // namespace

Dialect dialect_for(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
             ? Dialect::openmetrics
             : Dialect::prometheus;
}

std::string_view content_type(Dialect dialect) {
  return dialect == Dialect::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string labels(const std::vector<std::pair<std::string_view, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, content] : pairs) {
    if (!text.empty()) text += ',';
    (text += name) += "=\"";
    append_escaped(text, content);
    text += '"';
  }
  return text;
}

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  help_ = help;
  type_ = type;
  is_open_ = false;
}

// OpenMetrics declares a counter without its ending, the older format with it.
void Exposition::open_family() {
  const std::string_view shown = dialect_ == Dialect::prometheus ? ending(type_) : "";
  fmt::format_to(std::back_inserter(text_), "# HELP {0}{1} {2}\n# TYPE {0}{1} {3}\n", name_, shown,
                 help_, type_word(type_, dialect_));
  is_open_ = true;
}

void Exposition::sample(std::string_view labels, double value) {
  if (!std::isfinite(value)) return;
  if (!is_open_) open_family();
  ((text_ += name_) += ending(type_));
  if (!labels.empty()) (((text_ += '{') += labels) += '}');
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

std::string Exposition::finished() && {
  if (dialect_ == Dialect::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace holdfast::ctl
