// What must hold whatever happens: all oracles together.
#pragma once

#include "tests/sim/address_oracle.hpp"
#include "tests/sim/election_oracle.hpp"
#include "tests/sim/group_oracle.hpp"
#include "tests/sim/priority_oracle.hpp"
#include "tests/sim/segment_oracle.hpp"

namespace holdfast::sim {

class Oracles : public Watcher {
 public:
  explicit Oracles(const Situation& situation)
      : election_(situation),
        addresses_(situation),
        segment_(situation),
        groups_(situation),
        priorities_(situation),
        situation_(situation) {}

  void woke(Child& child, const Wake& wake) override {
    ++wakes_;
    election_.woke(child, wake);
    addresses_.woke(child, wake);
    segment_.woke(child, wake);
    groups_.woke(child);
    priorities_.woke(child, wake);
  }
  void settled(Child& child) override { addresses_.settled(child); }
  void announced(Child& child, const core::RouterKey& key,
                 const core::IpAddress& address) override {
    addresses_.announced(child, key, address);
  }
  /// Busy is not hung: only peers that take over end a process that works.
  void struck(Child& child) override {
    const auto ends = child.machine().page().mastership_ends();
    if (!child.is_busy() || child.was_told_to_stop() || (ends && *ends <= situation_.now())) return;
    situation_.violated("patience", child.name(), "is ended although it works");
  }
  /// Before each happening; what holds now has held since the last one.
  void look() {
    if (situation_.now() - looked_at_ < kEvery) return;
    looked_at_ = situation_.now();
    election_.look();
    addresses_.look();
    segment_.look();
    priorities_.look();
  }
  [[nodiscard]] std::uint64_t wakes() const { return wakes_; }

 private:
  static constexpr Duration kEvery = std::chrono::milliseconds(10);
  ElectionOracle election_;
  AddressOracle addresses_;
  SegmentOracle segment_;
  GroupOracle groups_;
  PriorityOracle priorities_;
  const Situation& situation_;
  Instant looked_at_{};
  std::uint64_t wakes_ = 0;
};

}  // namespace holdfast::sim
