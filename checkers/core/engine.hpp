// The brain of the checkers process: due probes out, outcomes in, desired IPVS table out. Driven by
// checkers/runner.cpp and by tests; never touches a socket, a clock or the kernel. Cost follows
// what happens, not the size of the configuration: a step without anything due looks at the top of
// a heap.
#pragma once

#include "checkers/core/action.hpp"
#include "checkers/core/event.hpp"
#include "checkers/core/pool.hpp"
#include "core/rng.hpp"

#include <optional>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>

namespace holdfast::checkers {

/// A check as it stands. Parallel to ServerSettings::checks.
struct CheckState {
  ProbeId probe{};
  Health health;
  std::uint64_t record_key = 0;
  /// Said by its last run that passed.
  std::optional<WeightClaim> weight{};
};

/// A server as it stands. Parallel to ServiceSettings::servers.
struct ServerView {
  Standing standing{};
  /// Nothing has been heard from any of its checks yet.
  bool pending = true;
  /// ServerSettings::is_held.
  bool is_held = false;
  core::Instant since;
  std::vector<CheckState> checks;
};

/// A service as it stands. Parallel to Settings::services.
struct ServiceView {
  bool quorum_up = false;
  /// Nobody probes for it: it has ha_suspend, and its addresses are elsewhere.
  bool suspended = false;
  std::uint64_t up_weight = 0;
  std::vector<ServerView> servers;
};

/// What the last run of a probe gave.
struct LastRun {
  core::Instant at;
  Outcome outcome;
};

class Engine {
 public:
  explicit Engine(core::Rng rng) : rng_(rng) {}

  void step(const Event& event, core::Instant now, Actions& out);
  /// When the next probe is due.
  [[nodiscard]] std::optional<core::Instant> deadline() const;

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const std::vector<ServiceView>& services() const { return services_; }
  [[nodiscard]] const std::map<core::Endpoint, std::uint32_t>& steered() const { return steered_; }
  /// The table that the kernel should have.
  [[nodiscard]] const ipvs::Table& desired() const { return desired_; }
  [[nodiscard]] const ProbeSettings& probe_settings(ProbeId probe) const;
  /// nullopt: it has not run yet.
  [[nodiscard]] const std::optional<LastRun>& last_run(ProbeId probe) const;
  /// Probes whose answer is awaited.
  [[nodiscard]] std::vector<ProbeId> under_way() const;
  /// Probes that run; fewer than checks when services share them.
  [[nodiscard]] std::size_t probe_count() const { return probes_.size(); }

 private:
  struct CheckIndex {
    std::size_t service = 0, server = 0, check = 0;
  };
  struct Probe {
    /// Everybody who wants the answer; never empty between steps.
    std::vector<CheckIndex> subscribers;
    /// Empty while a run is under way.
    std::optional<core::Instant> due;
    /// When the run that is under way, or was last, should have begun.
    core::Instant was_due;
    bool running = false;
    std::optional<LastRun> last;
  };
  struct Due {
    core::Instant at;
    ProbeId probe{};
    bool operator>(const Due& other) const { return at > other.at; }
  };
  struct Former;  // what the configuration before knew, by key

  void on_event(const Tick& tick, core::Instant now, Actions& out);
  void on_event(const ProbeFinished& finished, core::Instant now, Actions& out);
  void on_event(const FileChanged& changed, core::Instant now, Actions& out);
  void on_event(const Configure& configure, core::Instant now, Actions& out);
  void on_event(const AddressesHere& here, core::Instant now, Actions& out);
  void on_event(const Steered& steered, core::Instant now, Actions& out);
  void on_event(const CheckNow& check, core::Instant now, Actions& out);
  void on_event(const Stop& stop, core::Instant now, Actions& out);

  [[nodiscard]] HealthChange tell_subscriber(const CheckIndex& at, const Outcome& outcome,
                                             core::Instant now, Actions& out);
  void judge_server(const CheckIndex& at, const std::string& why, core::Instant now, Actions& out);
  /// `only_server`: nothing else of the service has changed, which is cheap however many there are.
  /// The answer: the quorum was won or lost, of which the caller tells the operator.
  [[nodiscard]] bool judge_quorum(std::size_t service, std::optional<std::size_t> only_server,
                                  core::Instant now, Actions& out);
  void publish(std::size_t service, Actions& out);
  void publish_server(std::size_t service, std::size_t server, Actions& out);
  void notify_server(std::size_t service, std::size_t server, bool up, Actions& out);
  void notify_quorum(std::size_t service, bool up, Actions& out);

  /// Who is suspended now, and when probes are due therefore.
  void follow_addresses(core::Instant now);
  [[nodiscard]] bool is_wanted(const Probe& probe) const;

  [[nodiscard]] Former take_former();
  void adopt_service(std::size_t index, const Former& former, const Memory& memory,
                     core::Instant now, Actions& out);
  void adopt_server(std::size_t service, std::size_t server, Former& former, const Memory& memory,
                    core::Instant now, Actions& out);
  [[nodiscard]] ProbeId find_or_make_probe(const CheckIndex& at, Former& former);
  void schedule_first(const CheckState& check, const Pace& pace, core::Instant now);
  void forget_former(const Former& former, const Memory& memory, Actions& out);

  [[nodiscard]] Lane lane_of(const Probe& probe) const;
  void arm(ProbeId id, Probe& probe, core::Instant at);
  [[nodiscard]] const CheckSettings& check_settings(const CheckIndex& at) const;
  [[nodiscard]] CheckState& check_state(const CheckIndex& at);
  [[nodiscard]] std::vector<Standing> standings(std::size_t service) const;
  [[nodiscard]] Standing standing_of(std::size_t service, std::size_t server) const;

  core::Rng rng_;
  Settings settings_;
  std::vector<ServiceView> services_;
  ipvs::Table desired_;
  std::set<core::IpAddress> here_;
  std::map<core::Endpoint, std::uint32_t> steered_;  // weights that operators asked for
  std::unordered_map<ProbeId, Probe> probes_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> heap_;
  std::uint64_t next_probe_ = 1;
  bool stopped_ = false;
};

}  // namespace holdfast::checkers
