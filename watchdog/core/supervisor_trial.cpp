// A generation on trial: confirmed, given up, or replaced by the one before.
#include "watchdog/core/seconds.hpp"
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::watchdog {

std::optional<std::string> Supervisor::why_no_reload(core::Instant now) const {
  if (!confirmation_.is_waiting() || is_stopping()) return std::nullopt;
  if (going_back_)
    return fmt::format("the configuration before generation {} is returning; reload afterwards",
                       confirmation_.generation());
  const core::Duration left = std::max(*confirmation_.deadline() - now, core::Duration::zero());
  return fmt::format(
      "generation {} awaits confirmation for another {:.0f} s: keep it with `holdfastctl confirm` "
      "or give it up with `holdfastctl revert`, then reload",
      confirmation_.generation(), seconds(left));
}

void Supervisor::on(const ConfirmRequested&) {
  if (!confirmation_.is_waiting() || going_back_ || is_stopping()) return;
  report(ReportId::confirmed,
         fmt::format("generation {} is confirmed", confirmation_.generation()));
  confirmation_.end();
  out_->push_back(AdoptGeneration{.generation = current_, .former = 0});
}

void Supervisor::on(const RevertRequested&) {
  confirmation_.expire(now_);
  go_back_when_due();
}

void Supervisor::go_back_when_due() {
  if (!is_steady() || !confirmation_.is_due(now_)) return;
  going_back_ = true;
  return_to(confirmation_.former(),
            fmt::format("generation {} was not confirmed", confirmation_.generation()));
}

// The parent was killed during a trial, and what was on trial is not what the next one runs.
void Supervisor::start_former(const std::string& why) {
  const InterruptedTrial trial = *std::exchange(interrupted_, std::nullopt);
  return_to({trial.former, trial.roles},
            fmt::format("the configuration on trial when the former parent was killed was not "
                        "confirmed ({})",
                        why));
}

// The former generation goes through the same barrier as a new one, under a number of its own, so
// that a late answer to its first life cannot be mistaken.
void Supervisor::return_to(const Confirmation::Former& former, const std::string& why) {
  ++newest_;
  candidate_diagnostics_ =
      fmt::format("{}: generation {} returns as generation {}", why, former.generation, newest_);
  report(ReportId::going_back, candidate_diagnostics_);
  candidate_options_ = {};
  candidate_changes_.clear();
  candidate_roles_ = former.roles;
  candidate_exit_ = ExitCode::fatal;
  phase_ = Settling{.candidate = newest_};
  out_->push_back(ReloadStarted{});
  out_->push_back(ReuseSnapshot{.former = former.generation, .generation = newest_});
  begin_barrier_when_settled();
}

// A child that cannot run the generation on trial is a verdict on it: nobody needs to wait for the
// end of the countdown.
bool Supervisor::rescue_by_going_back(Role role, const std::string& what) {
  if (!confirmation_.is_waiting() || !is_steady()) return false;
  report(ReportId::child_died, fmt::format("{}; the generation on trial is given up", what));
  if (role == Role::vrrp) release_addresses();
  set_state(role, Backoff{.until = now_ + settings_.restart.longest_pause});
  confirmation_.expire(now_);
  go_back_when_due();
  return true;
}

}  // namespace holdfast::watchdog
