// What the control socket tells about services and servers, as JSON. Read-only.
#pragma once

#include "checkers/core/engine.hpp"
#include "checkers/core/reconciler.hpp"
#include "checkers/notifier.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>

namespace holdfast::checkers {

/// How often things happened since the process started.
struct Counters {
  std::uint64_t probes_started = 0;
  std::uint64_t probes_passed = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t probes_not_tried = 0;
  std::uint64_t server_transitions = 0;
  std::uint64_t quorum_transitions = 0;

  /// A probe has ended with this.
  void count(Result result);
};

/// The kernel's table as the keeper knows it.
struct TableState {
  const Reconciler& reconciler;
  const std::map<ipvs::ServiceKey, ipvs::ServiceCounters>& counters;
};

/// At most so many differences between the kernel's table and ours are told one by one.
inline constexpr std::size_t kMaxDifferencesTold = 20;

[[nodiscard]] boost::json::object status_json(const Engine& engine, const TableState& table,
                                              const Counters& counters, std::uint64_t generation,
                                              const ScriptRecords& scripts = {});

}  // namespace holdfast::checkers
