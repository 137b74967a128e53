// Virtual time: one queue of things to happen, ordered by moment and then by when they were
// planned, so that a run is the same on every machine. Nothing here knows VRRP.
#pragma once

#include "core/time.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::sim {

using core::Duration;
using core::Instant;

class World {
 public:
  /// `trace` hears what happens, in words; without one no words are made.
  explicit World(std::function<void(std::string)> trace = {}) : trace_(std::move(trace)) {}

  [[nodiscard]] Instant now() const { return now_; }
  void at(Instant when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  /// Runs everything up to and including `end`; `before_each` sees the world when time has passed
  /// and nothing has happened yet.
  void run_until(Instant end, const std::function<void()>& before_each);

  [[nodiscard]] bool is_traced() const { return trace_ != nullptr; }
  template <class... Arguments>
  void note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (trace_) trace_(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

 private:
  struct Planned {
    Instant when;
    std::uint64_t sequence = 0;
    std::function<void()> what;
    bool operator<(const Planned& other) const {  // a heap has the greatest first
      return std::pair(when, sequence) > std::pair(other.when, other.sequence);
    }
  };
  std::function<void(std::string)> trace_;
  Instant now_{std::chrono::hours(1)};
  std::uint64_t next_sequence_ = 0;
  std::vector<Planned> queue_;
};

}  // namespace holdfast::sim
