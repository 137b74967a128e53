// How many lines of one kind may be logged in a while, whoever causes them: for what many strangers
// can cause, or one under many names. A value without clock; the caller passes the time.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>

namespace holdfast::runtime {

class LineBudget {
 public:
  LineBudget(std::uint32_t lines, core::Duration period) : lines_(lines), period_(period) {}
  /// nullopt: hold it back. Otherwise log, and say how many were held back since the last time.
  [[nodiscard]] std::optional<std::uint64_t> admit(core::Instant now);

 private:
  std::uint32_t lines_;
  core::Duration period_;
  std::optional<core::Instant> began_;
  std::uint32_t told_ = 0;
  std::uint64_t held_back_ = 0;
};

}  // namespace holdfast::runtime
