// Start, reload and stop of the whole: a load, then the barrier; the vrrp child ends first.
#include "core/assertion.hpp"
#include "watchdog/core/seconds.hpp"
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

#include <utility>

namespace holdfast::watchdog {

namespace {

/// Several requests that are answered by one reload: each gets at least what it asked for.
ReloadOptions merged(const ReloadOptions& one, const ReloadOptions& other) {
  ReloadOptions both{.force = one.force || other.force, .confirm_within = one.confirm_within};
  if (!both.confirm_within ||
      (other.confirm_within && *other.confirm_within < *both.confirm_within))
    both.confirm_within = other.confirm_within ? other.confirm_within : both.confirm_within;
  return both;
}

}  // namespace

void Supervisor::on(const StartRequested& event) {
  if (!std::holds_alternative<Fresh>(phase_)) return;
  interrupted_ = event.interrupted;
  if (interrupted_) newest_ = interrupted_->former;
  if (interrupted_ && now_ >= interrupted_->until)
    start_former("its time ran out while no parent ran");
  else
    start_load({});
}

void Supervisor::on(const ReloadRequested& event) {
  if (is_stopping()) {
    out_->push_back(ReloadStarted{});
    out_->push_back(ReloadFinished{
        .ok = false, .generation = current_, .text = "holdfast is stopping", .changes = {}});
  } else if (const auto why = why_no_reload(now_); why && (is_steady() || going_back_)) {
    report(ReportId::reload_not_taken, *why);
  } else if (is_steady()) {
    start_load(event.options);
  } else {
    // Files may have changed after the present load read them.
    reload_again_ = reload_again_ ? merged(*reload_again_, event.options) : event.options;
  }
}

void Supervisor::on(const StopRequested&) {
  if (auto* stopping = std::get_if<Stopping>(&phase_)) {
    hurry_stop(*stopping);
  } else {
    stop_everything(ExitCode::ok);  // nothing, when it has ended already
  }
}

// A second SIGTERM, Ctrl-C or stop command: nobody wants to wait for a successor any more. The
// checkers process waits for nobody, and clearing a large table may take its time.
void Supervisor::hurry_stop(Stopping& stopping) {
  if (std::exchange(stopping.hurried, true)) return;
  report(ReportId::hurried, "asked again: not waiting for a successor any more");
  auto* dying = std::get_if<Dying>(&record(Role::vrrp).state);
  if (dying == nullptr || dying->killed) return;
  dying->strike_at = std::min(dying->strike_at, now_ + settings_.hurried_stop_limit);
  if (dying->why == Dying::Why::stop) out_->push_back(SendStop{.role = Role::vrrp});
}

void Supervisor::start_load(const ReloadOptions& options) {
  reload_again_.reset();
  candidate_options_ = options;
  ++newest_;
  phase_ = Loading{.candidate = newest_, .kill_at = now_ + settings_.load_limit, .killed = false};
  out_->push_back(ReloadStarted{});
  out_->push_back(StartLoader{.generation = newest_});
}

void Supervisor::on(const LoaderFinished& event) {
  const auto* loading = std::get_if<Loading>(&phase_);
  if (loading == nullptr) return;  // killed because we stop
  const Generation candidate = loading->candidate;
  candidate_diagnostics_ = event.diagnostics;
  candidate_roles_ = event.roles;
  candidate_changes_ = event.changes;
  candidate_exit_ = event.usable ? ExitCode::fatal : event.exit_code;
  phase_ = Settling{.candidate = candidate};
  const bool held_back =
      !event.refused_unless_forced.empty() && !candidate_options_.force && current_ != 0;
  if (event.usable && held_back)
    candidate_diagnostics_ = event.refused_unless_forced + "\n" + candidate_diagnostics_;
  if (event.usable && !held_back) {
    begin_barrier_when_settled();
  } else {
    abort_candidate();
  }
}

bool Supervisor::is_settled() const {
  if (releasing_) return false;
  return std::all_of(children_.begin(), children_.end(), [](const ChildRecord& child) {
    if (const auto* live = std::get_if<Live>(&child.state))
      return live->stage == Live::Stage::settled;
    return !std::holds_alternative<Dying>(child.state);
  });
}

std::optional<Generation> Supervisor::candidate() const {
  if (const auto* reloading = std::get_if<Reloading>(&phase_)) return reloading->candidate;
  if (const auto* settling = std::get_if<Settling>(&phase_)) return settling->candidate;
  return std::nullopt;
}

bool Supervisor::is_in_barrier(const Live& live) const {
  // After the commit a restarted child is on its own again: its successor takes the new generation
  // by itself.
  const auto* reloading = std::get_if<Reloading>(&phase_);
  return reloading != nullptr && live.asked == reloading->candidate &&
         current_ != reloading->candidate;
}

void Supervisor::begin_barrier_when_settled() {
  const auto* settling = std::get_if<Settling>(&phase_);
  if (settling == nullptr || !is_settled()) return;
  const Generation candidate = settling->candidate;
  phase_ = Reloading{.candidate = candidate};
  for (const Role role : kRoles) {
    if (!candidate_roles_.contains(role)) continue;
    if (auto* live = std::get_if<Live>(&record(role).state)) {
      ask_to_prepare(role, *live, candidate);
    } else {
      // Newly wanted, or waiting after a crash: a new configuration is a new chance.
      record(role).policy.forgive();
      spawn(role, candidate);
    }
  }
  follow(barrier_.begin(candidate, candidate_roles_, now_ + settings_.answer_limit));
}

void Supervisor::follow(ReloadBarrier::Verdict verdict) {
  switch (verdict) {
    case ReloadBarrier::Verdict::waiting:
      return;
    case ReloadBarrier::Verdict::commit:
      commit_candidate();
      return;
    case ReloadBarrier::Verdict::abort:
      abort_candidate();
      return;
    case ReloadBarrier::Verdict::finished:
      finish_reload();
      return;
  }
}

void Supervisor::commit_candidate() {
  const Confirmation::Former former{.generation = current_, .roles = wanted_};
  current_ = barrier_.generation();
  wanted_ = candidate_roles_;
  if (going_back_) confirmation_.end();
  if (candidate_options_.confirm_within && former.generation != 0)
    confirmation_.begin(current_, former, now_ + *candidate_options_.confirm_within);
  else if (const auto left = std::exchange(interrupted_, std::nullopt))
    confirmation_.begin(current_, {left->former, left->roles}, left->until);
  out_->push_back(
      AdoptGeneration{.generation = current_, .former = confirmation_.former().generation});
  for (const Role role : kRoles) {
    auto* live = std::get_if<Live>(&record(role).state);
    if (wanted_.contains(role)) {
      HOLDFAST_ASSERT(live != nullptr && live->stage == Live::Stage::prepared,
                      "the barrier says commit only when every wanted child is prepared");
      live->stage = Live::Stage::committing;
      live->answer_by = now_ + settings_.answer_limit;
      out_->push_back(SendCommit{.role = role, .generation = current_});
    } else if (live != nullptr) {
      stop_child(role, *live);  // the new configuration has nothing for it
    } else if (!std::holds_alternative<Dying>(record(role).state)) {
      // Nobody else would take off what an earlier life, killed with everything, has left.
      if (role == Role::vrrp && former.generation == 0) release_addresses();
      set_state(role, Idle{});
    }
  }
  follow(barrier_.begin_commit(wanted_, now_ + settings_.answer_limit));
}

void Supervisor::abort_candidate() {
  const std::optional<Generation> given_up = candidate();
  HOLDFAST_ASSERT(given_up.has_value(), "only a candidate can be aborted");
  const bool was_in_barrier = std::holds_alternative<Reloading>(phase_);
  std::string text = candidate_diagnostics_;
  if (was_in_barrier) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += barrier_.why();
  }
  phase_ = Steady{};

  for (const Role role : kRoles) {
    auto* live = std::get_if<Live>(&record(role).state);
    if (live == nullptr || live->asked != *given_up) continue;
    out_->push_back(SendAbort{.role = role, .generation = *given_up});
    if (live->applied != 0) {
      live->stage = Live::Stage::settled;
      live->answer_by.reset();
    } else if (current_ != 0 && wanted_.contains(role)) {
      ask_to_prepare(role, *live,
                     current_);  // started for the candidate, needed for the old one too
    } else {
      stop_child(role, *live);
    }
  }
  out_->push_back(DropCandidate{.generation = *given_up});
  if (std::exchange(going_back_, false)) {
    confirmation_.on_return_failed(now_);
    report(ReportId::return_failed,
           fmt::format("the former configuration could not return, generation {} stays for the "
                       "moment: {}",
                       current_, text));
  }
  out_->push_back(ReloadFinished{.ok = false, .generation = current_, .text = text, .changes = {}});
  if (current_ == 0 && interrupted_) {
    start_former("it does not start");
  } else if (current_ == 0) {
    report(ReportId::start_failed, text);
    release_addresses();  // of an earlier life, all of which was killed: nobody else will
    stop_everything(candidate_exit_);
  } else {
    start_what_was_asked_meanwhile();
  }
}

void Supervisor::start_what_was_asked_meanwhile() {
  if (!reload_again_) return;
  const ReloadOptions options = *std::exchange(reload_again_, std::nullopt);
  const auto why = why_no_reload(now_);
  if (!why) {
    start_load(options);
    return;
  }
  report(ReportId::reload_not_taken, *why);
  out_->push_back(ReloadStarted{});
  out_->push_back(ReloadFinished{.ok = false, .generation = current_, .text = *why, .changes = {}});
}

void Supervisor::finish_reload() {
  const bool first = !announced_ready_;
  phase_ = Steady{};
  going_back_ = false;
  out_->push_back(ReloadFinished{.ok = true,
                                 .generation = current_,
                                 .text = candidate_diagnostics_,
                                 .changes = candidate_changes_});
  if (confirmation_.is_waiting())
    report(ReportId::on_trial,
           fmt::format("generation {} returns in {:.0f} s unless generation {} is confirmed",
                       confirmation_.former().generation, seconds(*confirmation_.deadline() - now_),
                       current_));
  if (first) {
    announced_ready_ = true;
    out_->push_back(AnnounceReady{});
  }
  start_what_was_asked_meanwhile();
}

void Supervisor::stop_everything(ExitCode code) {
  if (is_stopping()) return;
  const std::optional<Generation> unused = candidate();
  const bool was_loading = std::holds_alternative<Loading>(phase_);
  const bool was_committing = barrier_.phase() == ReloadBarrier::Phase::committing;
  phase_ = Stopping{.code = code};
  barrier_ = ReloadBarrier{};
  confirmation_.end();
  going_back_ = false;
  out_->push_back(AnnounceStopping{});
  if (was_loading) out_->push_back(KillLoader{});
  if (unused && !was_committing) out_->push_back(DropCandidate{.generation = *unused});
  if (was_loading || unused || reload_again_) {
    reload_again_.reset();
    out_->push_back(ReloadStarted{});
    out_->push_back(ReloadFinished{
        .ok = false, .generation = current_, .text = "holdfast is stopping", .changes = {}});
  }
  advance_stop();
}

// The vrrp child goes first: it keeps the addresses until the successor is heard, and the table
// must serve them until then.
void Supervisor::advance_stop() {
  const auto* stopping = std::get_if<Stopping>(&phase_);
  if (stopping == nullptr) return;
  for (const Role role : kRoles) {
    const ChildState& state = record(role).state;
    if (const auto* live = std::get_if<Live>(&state)) stop_child(role, *live);
    if (std::holds_alternative<Dying>(record(role).state)) return;
    // Who was stopped before it ran anything knows nothing of what its predecessor has left on the
    // interfaces, however cleanly it ended.
    if (role == Role::vrrp && statics_stay_ && !releasing_) release_addresses();
    if (role == Role::vrrp && releasing_) return;
    set_state(role, Idle{});
  }
  const ExitCode code = stopping->code;
  phase_ = Done{};
  out_->push_back(Exit{.code = code});
}

}  // namespace holdfast::watchdog
