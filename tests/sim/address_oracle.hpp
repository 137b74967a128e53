// One machine: its kernel has what its processes want, says and announces what is so, nothing of
// ours outlives us, and nothing of others is touched.
#pragma once

#include "tests/sim/situation.hpp"

#include <map>
#include <utility>

namespace holdfast::sim {

class AddressOracle {
 public:
  explicit AddressOracle(const Situation& situation) : situation_(situation) {}
  void woke(const Child& child, const Wake& wake);
  void settled(const Child& child) const;
  void announced(const Child& child, const core::RouterKey& key, const core::IpAddress& address);
  /// Between any two happenings of the world.
  void look();

 private:
  void check_kernel(const Child& child) const;
  void check_sources(const Child& child) const;
  void check_page(const Child& child) const;
  void check_counters(const Child& child, const Wake& wake);
  [[nodiscard]] std::uint64_t packets_of(const Child& child, const core::RouterKey& key) const;
  void check_leftovers(const Machine& machine);

  const Situation& situation_;
  /// Since when the watchdog of a machine runs, or the service manager lets everything rest.
  std::map<const Machine*, Instant> guarded_since_;
  std::map<std::pair<const Machine*, core::IpAddress>, Instant> without_holder_since_;
  /// Packets of instances that are gone, for a counter that begins anew in the same process.
  std::map<std::pair<const Child*, core::RouterKey>, std::uint64_t> packets_before_;
};

}  // namespace holdfast::sim
