// The only randomness a core may use: seeded, passed in, the same on every machine. splitmix64
// (Steele, Lea, Flood 2014).
#pragma once

#include "core/time.hpp"

#include <cstdint>

namespace holdfast::core {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound); 0 when bound is 0. The bias of the modulo is below 2^-32 for bounds
  /// that fit 32 bits.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// Uniform in [0, bound).
  [[nodiscard]] Duration below(Duration bound) {
    return Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(bound.count()))));
  }
  /// True `percent` times of a hundred.
  [[nodiscard]] bool chance(unsigned percent) { return below(std::uint64_t{100}) < percent; }

 private:
  std::uint64_t state_;
};

}  // namespace holdfast::core
