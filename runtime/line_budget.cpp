#include "runtime/line_budget.hpp"

#include <utility>

namespace holdfast::runtime {

std::optional<std::uint64_t> LineBudget::admit(core::Instant now) {
  if (!began_ || now - *began_ >= period_) {
    began_ = now;
    told_ = 0;
  }
  if (told_ >= lines_) {
    ++held_back_;
    return std::nullopt;
  }
  ++told_;
  return std::exchange(held_back_, 0);
}

}  // namespace holdfast::runtime
