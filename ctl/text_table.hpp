// Rows of cells → aligned lines. Widths count what a terminal shows, not bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::ctl {

enum class Align : unsigned char { left, right };
enum class Paint : unsigned char { plain, bold, dim, good, bad, warn };
enum class Colours : unsigned char { no, yes };

/// `content` between the escape sequences of `paint`; unchanged without colours.
[[nodiscard]] std::string painted(std::string_view content, Paint paint, Colours colours);

struct Cell {
  std::string content;
  Paint paint = Paint::plain;
};

class TextTable {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns; `below`: lines to print under the row, further indented.
  void add(std::vector<Cell> cells, std::vector<std::string> below = {});
  /// Every line starts with `indent` blanks and ends with a newline; columns without any content
  /// are left out.
  [[nodiscard]] std::string render(std::size_t indent, Colours colours) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<std::string> below;
  };
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace holdfast::ctl
