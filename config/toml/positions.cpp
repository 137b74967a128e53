#include "config/toml/positions.hpp"

#include <algorithm>

namespace holdfast::config {
namespace {

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

TomlPositions::TomlPositions(const Snapshot& snapshot, TextRange part)
    : text_(std::string_view(snapshot.text).substr(0, std::size_t{part.offset} + part.length)) {
  lines_.push_back(part.offset);
  for (std::size_t at = text_.find('\n', part.offset); at != std::string_view::npos;
       at = text_.find('\n', at + 1))
    lines_.push_back(static_cast<std::uint32_t>(at + 1));
}

// toml++ counts lines and characters from 1.
std::uint32_t TomlPositions::offset_of(const ::toml::source_position& position) {
  const std::size_t line = std::min<std::size_t>(std::max(position.line, 1U), lines_.size()) - 1;
  std::uint32_t column = 1;
  std::size_t at = lines_[line];
  if (position.line == last_.line && position.column >= last_.column) {
    column = last_.column;
    at = last_offset_;
  }
  const std::size_t end = line + 1 < lines_.size() ? lines_[line + 1] - 1 : text_.size();
  for (; column < position.column && at < end; ++column) {
    ++at;
    while (at < end && continues_character(text_[at])) ++at;
  }
  last_ = {position.line, column};
  last_offset_ = static_cast<std::uint32_t>(at);
  return last_offset_;
}

TextRange TomlPositions::range_of(const ::toml::source_region& region) {
  TextRange range;
  range.offset = offset_of(region.begin);
  const std::size_t line_end = std::min(text_.find('\n', range.offset), text_.size());
  const std::size_t end = region.end.line == region.begin.line ? offset_of(region.end) : line_end;
  range.length =
      static_cast<std::uint32_t>(std::max<std::size_t>(end, range.offset) - range.offset);
  return range;
}

std::string_view TomlPositions::written(const ::toml::source_region& region) {
  const std::uint32_t begin = offset_of(region.begin);
  const std::uint32_t end = offset_of(region.end);
  return text_.substr(begin, std::max(end, begin) - begin);
}

}  // namespace holdfast::config
