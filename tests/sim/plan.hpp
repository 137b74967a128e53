// What one run will be: a seed draws machines, virtual routers, settings and which kinds of faults
// exist at all (a swarm).
#pragma once

#include "tests/sim/frame.hpp"
#include "tests/sim/situation.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::sim {

enum class WireFault : std::uint8_t { loss, delay, duplicates, cut, partition, stranger };
enum class KernelFault : std::uint8_t {
  link_down,
  renamed,
  made_anew,
  address_refused,
  all_refused,
  address_stolen,
  address_taken,
  strange_address,
  source_lost,
  sending_fails
};
enum class ProcessFault : std::uint8_t {
  child_stopped,
  child_hangs,
  child_busy,
  watchdog_stopped,
  everything_stopped,
  child_killed,
  watchdog_killed,
  everything_killed,
  slow_birth,
  stop_before_birth,
  stop_while_hanging,
  power_off
};
enum class PeoplesFault : std::uint8_t {
  stop_and_start,
  reload,
  other_priority,
  other_interval,
  without_peer,
  other_addresses,
  without_instance,
  renumbered,
  renamed,
  without_vrrp
};
/// Of what is tracked: another verdict or number, or another weight in the file.
enum class TrackerFault : std::uint8_t { says_otherwise, other_weight };
using FaultKind = std::variant<WireFault, KernelFault, ProcessFault, PeoplesFault, TrackerFault>;
[[nodiscard]] std::string_view to_string(const FaultKind& kind);

struct Fault {
  Duration at{};  ///< from the begin of the run
  FaultKind kind{};
  std::size_t host = 0;
  std::size_t other = 0;
  std::size_t router = 0;
  Duration lasts{};
  unsigned amount = 0;
};

struct Director {
  File file;
  Host host;
  Duration starts_at{};
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<VirtualRouter> routers;
  std::vector<Director> directors;
  std::vector<Fault> faults;
  Duration settle_bound{};
  /// A master is stopped in order, in peace.
  Duration last_stop_at{};
  Duration ends_at{};
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed);
[[nodiscard]] std::string describe(const Plan& plan);

}  // namespace holdfast::sim
