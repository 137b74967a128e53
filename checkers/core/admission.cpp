#include "checkers/core/admission.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::checkers {

namespace {

/// In the order of precedence.
constexpr std::array kLanes{Lane::serving, Lane::fallen};

std::size_t index(Lane lane) {
  return lane == Lane::serving ? 0 : 1;
}

}  // namespace

std::size_t probe_limit(std::size_t descriptors) {
  return descriptors - std::min(kReservedDescriptors, descriptors / 2);
}

void Admission::enqueue(ProbeId id, Lane lane) {
  const bool is_new = probes_.try_emplace(id, Entry{lane, Place::waits}).second;
  HOLDFAST_ASSERT(is_new, "the engine starts no probe that has not finished");
  queues_[index(lane)].push_back(id);
}

std::optional<ProbeId> Admission::admit() {
  for (const Lane lane : kLanes) {
    auto& queue = queues_[index(lane)];
    while (!queue.empty() && has_room(lane)) {
      const ProbeId id = queue.front();
      queue.pop_front();
      const auto found = probes_.find(id);
      if (found == probes_.end()) continue;  // removed while it waited
      found->second.place = Place::open;
      ++open_[index(lane)];
      return id;
    }
  }
  return std::nullopt;
}

bool Admission::has_next() const {
  return std::ranges::any_of(
      kLanes, [this](Lane lane) { return !queues_[index(lane)].empty() && has_room(lane); });
}

void Admission::remove(ProbeId id) {
  const auto found = probes_.find(id);
  if (found == probes_.end()) return;
  if (found->second.place == Place::open) --open_[index(found->second.lane)];
  probes_.erase(found);
}

bool Admission::has_room(Lane lane) const {
  if (open() >= limit_) return false;
  return lane == Lane::serving || open_[index(lane)] < limit_ - limit_ / 4;
}

}  // namespace holdfast::checkers
