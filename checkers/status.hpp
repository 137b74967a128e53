// What the control socket tells about services and servers, as JSON. Read-only.
#pragma once

#include "checkers/core/engine.hpp"
#include "checkers/table_keeper.hpp"

#include <boost/json/object.hpp>

#include <cstdint>

namespace holdfast::checkers {

/// How often things happened since the process started.
struct Counters {
  std::uint64_t probes_started = 0;
  std::uint64_t probes_passed = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t probes_not_tried = 0;
  std::uint64_t server_transitions = 0;
  std::uint64_t quorum_transitions = 0;
};

[[nodiscard]] boost::json::object status_json(const Engine& engine, const TableKeeper& keeper,
                                              const Counters& counters, std::uint64_t generation);

}  // namespace holdfast::checkers
