// Virtual time: one queue of things to happen, ordered by moment and then by when they were
// planned, so that a run is the same on every machine. Nothing here knows VRRP.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace holdfast::sim {

using core::Duration;
using core::Instant;

class World {
 public:
  [[nodiscard]] Instant now() const { return now_; }
  void at(Instant when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  /// Runs everything up to and including `end`; `after_each` sees the world between two happenings.
  void run_until(Instant end, const std::function<void()>& after_each);

 private:
  struct Planned {
    Instant when;
    std::uint64_t sequence = 0;
    std::function<void()> what;
    bool operator<(const Planned& other) const {  // std::priority_queue has the greatest first
      return std::pair(when, sequence) > std::pair(other.when, other.sequence);
    }
  };
  Instant now_{std::chrono::hours(1)};
  std::uint64_t next_sequence_ = 0;
  std::priority_queue<Planned> queue_;
};

}  // namespace holdfast::sim
