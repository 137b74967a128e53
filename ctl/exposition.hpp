// Numbers as a scraper reads them: OpenMetrics 1.0, or the older text format 0.0.4 of Prometheus,
// which differ in how counters are declared and in the last line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::ctl {

enum class Dialect : unsigned char { openmetrics, prometheus };

/// What a scraper accepts, by its Accept header; empty: the older format.
[[nodiscard]] Dialect dialect_for(std::string_view accept);
/// The Content-Type of a dialect.
[[nodiscard]] std::string_view content_type(Dialect dialect);

/// `a="b",c="d"` for the braces of samples; what a label must not hold is escaped or replaced.
[[nodiscard]] std::string labels(
    const std::vector<std::pair<std::string_view, std::string>>& pairs);

class Exposition {
 public:
  enum class Type : unsigned char { gauge, counter, info };

  explicit Exposition(Dialect dialect) : dialect_(dialect) {}

  /// Begins a family; all its samples follow at once. `name` is that of the samples without the
  /// ending _total or _info. One without samples is left out.
  void family(std::string_view name, Type type, std::string_view help);
  void sample(std::string_view labels, double value);
  [[nodiscard]] std::string finished() &&;

 private:
  void open_family();

  Dialect dialect_;
  std::string text_;
  std::string name_;
  std::string_view help_;
  Type type_ = Type::gauge;
  bool is_open_ = false;
};

}  // namespace holdfast::ctl
