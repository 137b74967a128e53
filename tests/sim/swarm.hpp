// One run of a plan: makes the machines, lets the faults happen, listens to the oracles. The same
// plan gives the same run, to the packet.
#pragma once

#include "tests/sim/plan.hpp"
#include "tests/sim/situation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

struct Outcome {
  std::optional<Violation> violation;
  std::vector<std::string> trace;  ///< the last events, when asked for
  std::uint64_t wakes = 0;
};

enum class Trace : std::uint8_t { no, yes };

[[nodiscard]] Outcome run(const Plan& plan, Trace trace);

}  // namespace holdfast::sim
