// The handover page as a map: runtime/handover_page.hpp without the memory. Owned by the watchdog,
// written by the child, read by both.
#pragma once

#include "core/router_key.hpp"
#include "runtime/handover_page.hpp"

#include <map>
#include <optional>

namespace holdfast::sim {

struct Page {
  using Record = runtime::VrrpRecord;

  std::map<core::RouterKey, Record> records;
  core::Instant void_until{};

  [[nodiscard]] bool counts(const Record& record) const { return record.stands_for() > void_until; }
  [[nodiscard]] std::optional<Record> load(const core::RouterKey& key) const {
    const auto found = records.find(key);
    if (found == records.end() || !counts(found->second)) return std::nullopt;
    return found->second;
  }
  /// As runtime::mastership_ends().
  [[nodiscard]] std::optional<core::Instant> mastership_ends() const {
    std::optional<core::Instant> earliest;
    for (const auto& [key, record] : records) {
      const bool holds =
          record.state == Record::State::master || record.state == Record::State::handing_over;
      if (!holds || !counts(record)) continue;
      const core::Instant end = record.last_advert_sent_at + record.silence_allowed;
      if (!earliest || end < *earliest) earliest = end;
    }
    return earliest;
  }
};

}  // namespace holdfast::sim
