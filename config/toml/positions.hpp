// From the lines and columns of toml++ to offsets in the snapshot.
#pragma once

#include "config/report.hpp"
#include "config/toml/library.hpp"

#include <string_view>
#include <vector>

namespace holdfast::config {

class TomlPositions {
 public:
  TomlPositions(const Snapshot& snapshot, TextRange part);

  /// Constant time for positions that ascend within a line.
  [[nodiscard]] std::uint32_t offset_of(const ::toml::source_position& position);
  /// Within one line: what goes on is left out.
  [[nodiscard]] TextRange range_of(const ::toml::source_region& region);
  /// All of it, as written.
  [[nodiscard]] std::string_view written(const ::toml::source_region& region);

 private:
  std::string_view text_;  // of the whole snapshot, up to the end of the part
  std::vector<std::uint32_t> lines_;
  ::toml::source_position last_{0, 0};
  std::uint32_t last_offset_ = 0;
};

}  // namespace holdfast::config
