// What is tracked: the priority in every advert is the sum of what its process has been told, and
// in peace of what is so; also after a reload, a crash and a boot.
#pragma once

#include "tests/sim/situation.hpp"

#include <map>
#include <utility>

namespace holdfast::sim {

class PriorityOracle {
 public:
  explicit PriorityOracle(const Situation& situation) : situation_(situation) {}
  void woke(const Child& child, const Wake& wake);
  /// Between any two happenings of the world.
  void look() const;

 private:
  using Who = std::pair<const Child*, core::RouterKey>;

  void check(const Child& child, const Wake& wake, const vrrp::Instance& instance);

  const Situation& situation_;
  /// What predecessors advertised: it counts until all has been said again.
  std::map<Who, std::uint8_t> resumed_;
};

}  // namespace holdfast::sim
