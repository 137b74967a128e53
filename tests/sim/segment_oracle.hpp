// All machines together: one master in the end, the right one, never two holders for long, and no
// mastership that wanders to and fro.
#pragma once

#include "tests/sim/situation.hpp"

#include <map>
#include <utility>

namespace holdfast::sim {

class SegmentOracle {
 public:
  explicit SegmentOracle(const Situation& situation) : situation_(situation) {}
  void woke(const Child& child, const Wake& wake);
  /// Between any two happenings of the world.
  void look();

 private:
  void check_settled(std::size_t number) const;
  void check_doubles();
  void check_holders(std::size_t number, const core::IpAddress& address);
  void count_takes(const Child& child, const Wake& wake);
  void check_handover(const Child& child, const Wake& wake);
  [[nodiscard]] unsigned takes_allowed(std::size_t number) const;

  const Situation& situation_;
  std::map<core::IpAddress, Instant> doubled_since_;
  std::map<const Machine*, Instant> unguarded_at_;
  std::map<std::pair<const Machine*, core::RouterKey>, unsigned> takes_;
  Instant counted_since_{};
};

}  // namespace holdfast::sim
