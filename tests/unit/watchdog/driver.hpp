// Drives a Supervisor in tests: keeps the time, collects the actions of each step.
#pragma once

#include "watchdog/core/supervisor.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace holdfast::watchdog::test {

using namespace holdfast::core;

inline const Instant kStart{1h};

/// "was killed by signal 11" and friends, short.
inline ExitStatus crash() {
  return {.kind = ExitStatus::Kind::signalled, .value = 11};
}
inline ExitStatus exit_with(int code) {
  return {.kind = ExitStatus::Kind::exited, .value = code};
}

class Driver {
 public:
  explicit Driver(const SupervisorSettings& settings = {}) : supervisor(settings) {}

  Actions step(const Event& event) {
    Actions out;
    supervisor.step(event, now, out);
    return out;
  }
  /// Lets time pass in small steps with heartbeats of everybody alive, ticking when due. Returns
  /// all actions.
  Actions pass(Duration length) {
    Actions all;
    const Instant end = now + length;
    int steps = 0;
    while (now < end) {
      // A deadline that stays in the past would let the real loop spin.
      if (++steps > 10'000) throw std::logic_error("the supervisor's deadline does not move");
      Instant next = std::min(end, now + 500ms);
      if (const auto due = supervisor.deadline(); due && *due < next) next = std::max(*due, now);
      const bool was_due = supervisor.deadline() && *supervisor.deadline() <= next;
      now = next;
      if (beats)
        for (const Role role : kRoles) append(all, step(HeartbeatReceived{role}));
      if (was_due) append(all, step(Tick{}));
    }
    return all;
  }
  static void append(Actions& to, const Actions& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  Actions load(RoleSet roles = RoleSet::all(), std::string diagnostics = {}) {
    return step(LoaderFinished{.usable = true,
                               .roles = roles,
                               .diagnostics = std::move(diagnostics),
                               .exit_code = ExitCode::ok});
  }
  /// A usable configuration with what the loader says about it.
  Actions load_with(std::string changes, std::string refused_unless_forced) {
    return step(LoaderFinished{.usable = true,
                               .roles = RoleSet::all(),
                               .diagnostics = {},
                               .exit_code = ExitCode::ok,
                               .changes = std::move(changes),
                               .refused_unless_forced = std::move(refused_unless_forced)});
  }
  /// A reload that both children take, to be confirmed within `within`.
  Actions reload_on_trial(Duration within, RoleSet roles = RoleSet::all()) {
    Actions all = step(ReloadRequested{{.force = false, .confirm_within = within}});
    append(all, load(roles));
    append(all, agree(only_generation(all), roles));
    return all;
  }
  Actions refuse_load(std::string diagnostics, ExitCode code = ExitCode::bad_config) {
    return step(LoaderFinished{
        .usable = false, .roles = {}, .diagnostics = std::move(diagnostics), .exit_code = code});
  }
  Actions prepared(Role role, Generation generation) {
    return step(PreparedReceived{role, generation});
  }
  Actions committed(Role role, Generation generation) {
    return step(CommittedReceived{role, generation});
  }
  Actions refused(Role role, Generation generation, std::string why) {
    return step(RefusedReceived{role, generation, std::move(why)});
  }
  Actions exited(Role role, ExitStatus status, std::string sentence = "died") {
    return step(ChildExited{role, status, std::move(sentence)});
  }
  /// The vrrp process dies as master: peers take over at `holds_until`.
  Actions master_died(Instant holds_until) {
    return step(ChildExited{Role::vrrp, crash(), "died", holds_until});
  }
  /// What the shell does when deadline() has come.
  Actions tick(bool vrrp_is_stopped, std::optional<Instant> holds_until) {
    Actions all = step(Observed{Role::vrrp, vrrp_is_stopped, holds_until});
    append(all, step(Tick{}));
    return all;
  }
  /// Time passes without a word from anybody, and the shell ticks when it is due. Returns all
  /// actions before `until`; what is due then is the caller's.
  Actions silence(Instant until, bool vrrp_is_stopped, std::optional<Instant> holds_until) {
    Actions all;
    while (supervisor.deadline() && *supervisor.deadline() < until) {
      now = std::max(now, *supervisor.deadline());
      append(all, tick(vrrp_is_stopped, holds_until));
    }
    now = until;
    return all;
  }
  /// The same, while the vrrp process works.
  Actions busy(Instant until, std::optional<Instant> holds_until) {
    Actions all;
    while (supervisor.deadline() && *supervisor.deadline() <= until) {
      now = std::max(now, *supervisor.deadline());
      worked += 10ms;
      append(all, step(Observed{.role = Role::vrrp, .holds_until = holds_until, .worked = worked}));
      append(all, step(Tick{}));
    }
    now = until;
    return all;
  }
  /// Both answer both questions of the barrier.
  Actions agree(Generation generation, RoleSet roles = RoleSet::all()) {
    Actions all;
    for (const Role role : kRoles)
      if (roles.contains(role)) append(all, prepared(role, generation));
    for (const Role role : kRoles)
      if (roles.contains(role)) append(all, committed(role, generation));
    return all;
  }
  /// Up to steady with generation 1.
  Driver& run(RoleSet roles = RoleSet::all()) {
    (void)step(StartRequested{});
    (void)load(roles);
    (void)agree(1, roles);
    if (!roles.contains(Role::vrrp)) (void)step(AddressesReleased{});
    return *this;
  }
  /// A restarted child takes the current generation.
  Actions settle(Role role) {
    Actions all = prepared(role, supervisor.generation());
    append(all, committed(role, supervisor.generation()));
    return all;
  }

  /// The generation that the one StartLoader or ReuseSnapshot of `actions` is about.
  static Generation only_generation(const Actions& actions) {
    Generation found = 0;
    for (const Action& action : actions) {
      if (const auto* loader = std::get_if<StartLoader>(&action)) found = loader->generation;
      if (const auto* reuse = std::get_if<ReuseSnapshot>(&action)) found = reuse->generation;
    }
    return found;
  }

  template <class State>
  [[nodiscard]] const State* state(Role role) const {
    return std::get_if<State>(&supervisor.child(role).state);
  }

  Supervisor supervisor;
  Instant now = kStart;
  bool beats = true;
  Duration worked{};
};

/// The actions of one kind.
template <class Wanted>
std::vector<Wanted> only(const Actions& actions) {
  std::vector<Wanted> found;
  for (const Action& action : actions)
    if (const auto* wanted = std::get_if<Wanted>(&action)) found.push_back(*wanted);
  return found;
}

/// Everything but reports for the log.
inline Actions deeds(const Actions& actions) {
  Actions found;
  for (const Action& action : actions)
    if (!std::holds_alternative<Report>(action)) found.push_back(action);
  return found;
}

}  // namespace holdfast::watchdog::test
