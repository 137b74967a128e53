#include "tests/sim/lan.hpp"

#include <algorithm>

namespace holdfast::sim {

std::size_t Lan::plug_in(Receiver receiver) {
  ports_.push_back(std::move(receiver));
  return ports_.size() - 1;
}

void Lan::send(std::size_t from, const Bytes& packet) {
  for (std::size_t to = 0; to < ports_.size(); ++to) {
    if (to == from || cuts_.contains({from, to})) continue;
    const int copies = rng_.chance(duplicate_percent) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      if (rng_.chance(loss_percent)) continue;
      Instant arrives = world_.now() + std::chrono::microseconds(50) + rng_.below(longest_delay);
      // Only a segment in trouble lets packets overtake each other.
      Instant& last = last_arrival_[{from, to}];
      if (longest_delay <= kUsualDelay) arrives = std::max(arrives, last);
      last = arrives;
      world_.at(arrives, [this, to, packet] { ports_[to](packet); });
    }
  }
}

}  // namespace holdfast::sim
