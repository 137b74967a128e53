#include "watchdog/core/confirmation.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::watchdog {

void Confirmation::begin(Generation generation, Former former, core::Instant until) {
  HOLDFAST_ASSERT(!trial_, "no reload is taken while one awaits its confirmation");
  HOLDFAST_ASSERT(former.generation != 0, "a start has nothing to return to");
  trial_ = Trial{.generation = generation, .former = former, .until = until};
}

void Confirmation::expire(core::Instant now) {
  if (trial_) trial_->until = std::min(trial_->until, now);
}

void Confirmation::on_return_failed(core::Instant now) {
  if (trial_) trial_->until = now + settings_.retry_after;
}

std::optional<core::Instant> Confirmation::deadline() const {
  if (!trial_) return std::nullopt;
  return trial_->until;
}

}  // namespace holdfast::watchdog
