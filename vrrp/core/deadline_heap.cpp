#include "vrrp/core/deadline_heap.hpp"

#include "core/assertion.hpp"

namespace holdfast::vrrp {

void DeadlineHeap::set(std::size_t slot, std::optional<core::Instant> deadline) {
  if (slot >= position_of_.size()) position_of_.resize(slot + 1, kAbsent);
  const std::size_t position = position_of_[slot];

  if (!deadline) {
    if (position == kAbsent) return;
    position_of_[slot] = kAbsent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (last.slot == slot) return;
    place(position, last);  // the last entry fills the hole and finds its level
    sift_up(position);
    sift_down(position_of_[last.slot]);
    return;
  }
  if (position == kAbsent) {
    heap_.push_back({*deadline, slot});
    position_of_[slot] = heap_.size() - 1;
    sift_up(heap_.size() - 1);
    return;
  }
  if (heap_[position].at == *deadline) return;
  heap_[position].at = *deadline;
  sift_up(position);
  sift_down(position_of_[slot]);
}

std::optional<core::Instant> DeadlineHeap::earliest() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

std::size_t DeadlineHeap::earliest_slot() const {
  HOLDFAST_ASSERT(!heap_.empty(), "the caller asked earliest() first");
  return heap_.front().slot;
}

void DeadlineHeap::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  position_of_[entry.slot] = position;
}

void DeadlineHeap::sift_up(std::size_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (heap_[parent] <= entry) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void DeadlineHeap::sift_down(std::size_t position) {
  const Entry entry = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (entry <= heap_[child]) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

}  // namespace holdfast::vrrp
