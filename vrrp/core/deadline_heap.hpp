// Deadlines of many owners (slots), earliest first: earliest() is O(1), a change O(log n). Used by
// the router.
#pragma once

#include "core/time.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace holdfast::vrrp {

/// A binary heap that knows where each slot sits, so that a slot's deadline can change or vanish.
class DeadlineHeap {
 public:
  /// Sets, moves or (nullopt) removes the deadline of a slot. Slots are small and dense; new ones
  /// are made on demand.
  void set(std::size_t slot, std::optional<core::Instant> deadline);
  [[nodiscard]] std::optional<core::Instant> earliest() const;
  /// Slot of the earliest deadline; ties go to the lower slot, so that runs are repeatable. Only
  /// when earliest() has a value.
  [[nodiscard]] std::size_t earliest_slot() const;

 private:
  struct Entry {
    core::Instant at;
    std::size_t slot = 0;
    auto operator<=>(const Entry&) const = default;
  };
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<std::size_t> position_of_;  // by slot; kAbsent: not in the heap
};

}  // namespace holdfast::vrrp
