#include "tests/sim/world.hpp"

#include <algorithm>

namespace holdfast::sim {

void World::at(Instant when, std::function<void()> what) {
  queue_.push({std::max(when, now_), next_sequence_++, std::move(what)});
}

void World::run_until(Instant end, const std::function<void()>& after_each) {
  while (!queue_.empty() && queue_.top().when <= end) {
    const Planned next = queue_.top();
    queue_.pop();
    now_ = next.when;
    next.what();
    after_each();
  }
  now_ = end;
}

}  // namespace holdfast::sim
