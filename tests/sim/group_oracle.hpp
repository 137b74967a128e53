// Sync groups: members are master together or not at all.
#pragma once

#include "tests/sim/situation.hpp"

namespace holdfast::sim {

class GroupOracle {
 public:
  explicit GroupOracle(const Situation& situation) : situation_(situation) {}
  void woke(const Child& child) const;

 private:
  const Situation& situation_;
};

}  // namespace holdfast::sim
