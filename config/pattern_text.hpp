// The regex of a url as the matcher takes it: for the reader, which tries it, and for the checkers.
#pragma once

#include "config/model_service.hpp"
#include "core/pattern.hpp"

namespace holdfast::config {

[[nodiscard]] inline core::PatternText pattern_text(const BodyPattern& pattern) {
  return {.regex = pattern.regex,
          .options = pattern.options,
          .min_offset = pattern.min_offset,
          .max_offset = pattern.max_offset};
}

}  // namespace holdfast::config
