// One Ethernet segment: carries wire bytes from one host to all others, late, twice or not at all.
#pragma once

#include "core/rng.hpp"
#include "tests/sim/packet.hpp"
#include "tests/sim/world.hpp"

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace holdfast::sim {

class Lan {
 public:
  Lan(World& world, core::Rng& rng) : world_(world), rng_(rng) {}

  using Receiver = std::function<void(const Bytes&)>;
  /// Returns the new port's number: 0, 1, …
  std::size_t plug_in(Receiver receiver);
  void send(std::size_t from, const Bytes& packet);
  /// From a host that is none of ours: to all of them.
  static constexpr std::size_t kStranger = 99;

  /// Cuts are one-way: `from` is no longer heard by `to`.
  void cut(std::size_t from, std::size_t to) { cuts_.insert({from, to}); }
  void mend(std::size_t from, std::size_t to) { cuts_.erase({from, to}); }

  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  static constexpr Duration kUsualDelay = std::chrono::microseconds(500);
  Duration longest_delay = kUsualDelay;

 private:
  World& world_;
  core::Rng& rng_;
  std::vector<Receiver> ports_;
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  std::map<std::pair<std::size_t, std::size_t>, Instant> last_arrival_;
};

}  // namespace holdfast::sim
