#include "tests/sim/world.hpp"

#include <algorithm>

namespace holdfast::sim {

void World::at(Instant when, std::function<void()> what) {
  queue_.push_back({std::max(when, now_), next_sequence_++, std::move(what)});
  std::push_heap(queue_.begin(), queue_.end());
}

void World::run_until(Instant end, const std::function<void()>& before_each) {
  while (!queue_.empty() && queue_.front().when <= end) {
    std::pop_heap(queue_.begin(), queue_.end());
    const Planned next = std::move(queue_.back());
    queue_.pop_back();
    now_ = next.when;
    before_each();
    next.what();
  }
  now_ = end;
}

}  // namespace holdfast::sim
