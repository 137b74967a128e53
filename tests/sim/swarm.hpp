// One simulated run: a seed draws directors, settings and which kinds of faults exist at all (a
// swarm), then lets them happen. The same seed gives the same run, to the packet.
#pragma once

#include "tests/sim/oracles.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

enum class FaultKind : std::uint8_t {
  loss,
  delay,
  duplicates,
  cut,
  partition,
  pause,
  restart_with_page,
  restart_without_page,
  power_off,
  link_down,
  stop_and_start,
  reload_same,
  reload_priority,
  kernel_refuses,
  addresses_removed
};
inline constexpr std::size_t kFaultKinds = 15;

struct Fault {
  Duration at;  ///< from the begin of the run
  FaultKind kind{};
  std::size_t host = 0;
  std::size_t other = 0;
  Duration lasts;
  unsigned amount = 0;
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<vrrp::InstanceSettings> directors;
  std::vector<Duration> start_at;
  std::vector<Fault> faults;
  Duration ends_at;
};

struct Outcome {
  std::optional<Violation> violation;
  std::vector<std::string> trace;  ///< the last events, only with a violation
  std::uint64_t wakes = 0;
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed);
[[nodiscard]] Outcome run(const Plan& plan);
/// The plan and the trace as a text file for people; `--seed` replays it.
[[nodiscard]] std::string describe(const Plan& plan, const Outcome& outcome);

}  // namespace holdfast::sim
