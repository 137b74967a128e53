// What the status tells of IPVS in the kernel: its table, the synchronisation, the switches.
#pragma once

#include "checkers/core/reconciler.hpp"
#include "checkers/core/switches.hpp"
#include "checkers/core/synchroniser.hpp"

#include <boost/json/object.hpp>

namespace holdfast::checkers {

/// At most so many differences between the kernel's table and ours are told one by one.
inline constexpr std::size_t kMaxDifferencesTold = 20;

/// What differs now, and how often others changed something so far.
[[nodiscard]] boost::json::object ipvs_json(const Reconciler& table, const ipvs::Table& desired);
/// Of the sync daemons and timeouts; null where none are configured.
[[nodiscard]] boost::json::value sync_json(const Synchroniser& sync);
/// Of the switches that are set; null where none are.
[[nodiscard]] boost::json::value switches_json(const SwitchState& state);

}  // namespace holdfast::checkers
