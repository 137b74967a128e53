#include "runtime/log.hpp"

#include <algorithm>

namespace holdfast::runtime {

std::optional<std::uint64_t> RateLimiter::admit(const std::string& key, core::Instant now) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    Entry& entry = found->second;
    if (now < entry.admitted_at + interval_) {
      ++entry.held_back;
      return std::nullopt;
    }
    const std::uint64_t held_back = entry.held_back;
    entry = {now, 0};
    return held_back;
  }
  if (entries_.size() >= kMaxKeys) {
    // Rare and only under a flood of different senders: a scan is good enough.
    entries_.erase(std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.admitted_at < b.second.admitted_at; }));
  }
  entries_.emplace(key, Entry{now, 0});
  return 0;
}

}  // namespace holdfast::runtime
