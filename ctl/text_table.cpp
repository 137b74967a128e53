#include "ctl/text_table.hpp"

#include "config/diagnostic.hpp"
#include "core/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ctl {
namespace {

constexpr std::size_t kGap = 2;

std::string_view escape(Paint paint) {
  switch (paint) {
    case Paint::plain:
      return "";
    case Paint::bold:
      return "\x1b[1m";
    case Paint::dim:
      return "\x1b[2m";
    case Paint::good:
      return "\x1b[32m";
    case Paint::bad:
      return "\x1b[31m";
    case Paint::warn:
      return "\x1b[33m";
  }
  return "";
}

void trim_right(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

std::string painted(std::string_view content, Paint paint, Colours colours) {
  if (colours == Colours::no || paint == Paint::plain || content.empty()) {
    return std::string(content);
  }
  return fmt::format("{}{}\x1b[0m", escape(paint), content);
}

void TextTable::add(std::vector<Cell> cells, std::vector<std::string> below) {
  HOLDFAST_ASSERT(cells.size() == columns_.size(), "a row has a cell for every column");
  rows_.push_back({std::move(cells), std::move(below)});
}

std::string TextTable::render(std::size_t indent, Colours colours) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (std::size_t at = 0; at < columns_.size(); ++at) {
    for (const Row& row : rows_) {
      widths[at] = std::max(widths[at], config::display_width(row.cells[at].content));
    }
    if (widths[at] != 0) {
      widths[at] = std::max(widths[at], config::display_width(columns_[at].title));
    }
  }

  std::string text;
  const auto append = [&](const std::vector<Cell>& cells) {
    std::string line(indent, ' ');
    for (std::size_t at = 0; at < cells.size(); ++at) {
      if (widths[at] == 0) continue;
      const std::size_t used = config::display_width(cells[at].content);
      const std::string fill(widths[at] - used, ' ');
      const bool right = columns_[at].align == Align::right;
      if (right) line += fill;
      line += painted(cells[at].content, cells[at].paint, colours);
      if (!right) line += fill;
      line.append(kGap, ' ');
    }
    trim_right(line);
    text += line + '\n';
  };

  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Paint::dim});
  append(titles);
  for (const Row& row : rows_) {
    append(row.cells);
    for (const std::string& line : row.below) {
      text += std::string(indent + kGap, ' ') + line + '\n';
    }
  }
  return text;
}

}  // namespace holdfast::ctl
