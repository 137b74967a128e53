// The life of one child: started, asked, told to stop, struck, and what follows from its death.
#include "watchdog/core/seconds.hpp"
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::watchdog {

void Supervisor::spawn(Role role, Generation generation) {
  ChildRecord& child = record(role);
  if (child.was_started) ++child.restarts;
  child.was_started = true;
  child.stopped = false;
  child.parting.reset();
  out_->push_back(Spawn{.role = role});
  set_state(role, Live{.spawned_at = now_, .heard_at = now_, .answer_by = std::nullopt});
  child.since = now_;
  ask_to_prepare(role, std::get<Live>(child.state), generation);
}

void Supervisor::ask_to_prepare(Role role, Live& live, Generation generation) {
  live.stage = Live::Stage::preparing;
  live.asked = generation;
  // In the barrier its deadline decides, and ends the reload. Alone, a child that never answers is
  // of no use; one that reads beside its loop, and shows that it lives, may take its time.
  live.answer_by = is_in_barrier(live) ? std::nullopt : std::optional(now_ + settings_.busy_limit);
  out_->push_back(SendPrepare{.role = role, .generation = generation});
}

void Supervisor::stop_child(Role role, const Live& live) {
  if (role == Role::vrrp && live.applied != 0) look_at_ = now_ + settings_.word_time;
  const auto& parting = record(role).parting;
  const bool is_followed = parting && !parting->give_up && !is_stopping();
  if (is_followed) statics_stay_ = true;
  out_->push_back(SendStop{.role = role, .statics = is_followed ? Statics::stay : Statics::go});
  set_state(role, Dying{.why = Dying::Why::stop,
                        .applied = live.applied,
                        .spawned_at = live.spawned_at,
                        .strike_at = now_ + settings_.stop_limit,
                        .killed = false});
}

// A stopped process cannot die of SIGABRT, nor write a core file.
void Supervisor::end_hung(Role role, const std::string& how) {
  const Live live = std::get<Live>(record(role).state);
  report(ReportId::child_hung,
         fmt::format("the {} process (generation {}) {}", to_string(role), live.applied, how));
  set_state(role, Dying{.why = Dying::Why::misbehaved,
                        .applied = live.applied,
                        .spawned_at = live.spawned_at,
                        .strike_at = now_ + settings_.abort_limit,
                        .killed = false,
                        .was_busy = has_worked(record(role), live)});
  if (record(role).stopped)
    kill(role);
  else
    out_->push_back(Strike{.role = role, .blow = Blow::abort});
  follow(barrier_.on_lost(role, how));
}

void Supervisor::kill(Role role) {
  std::get<Dying>(record(role).state).killed = true;
  out_->push_back(Strike{.role = role, .blow = Blow::kill});
}

void Supervisor::on(const ChildExited& event) {
  if (event.role == Role::vrrp) holds_until_ = event.holds_until;
  on_gone(event.role, event.status, event.sentence);
}

// Counted as a death without any life: the causes (no memory, no process slots) may pass. It may
// have been asked to end meanwhile; nobody but this event will say that it is not there.
void Supervisor::on(const SpawnFailed& event) {
  on_gone(event.role, ExitStatus{.kind = ExitStatus::Kind::signalled, .value = 0}, event.sentence);
}

void Supervisor::on_gone(Role role, const ExitStatus& status, const std::string& sentence) {
  ChildRecord& child = record(role);
  child.last_exit = sentence;
  if (child.parting && !is_stopping()) {
    finish_parting(status);
  } else if (const auto* live = std::get_if<Live>(&child.state)) {
    after_death(role, status, sentence, live->spawned_at);
  } else if (const auto* dying = std::get_if<Dying>(&child.state)) {
    const bool was_asked_to = dying->why == Dying::Why::stop;
    if (was_asked_to || is_stopping()) {
      if (role == Role::vrrp && !status.is_clean()) release_addresses();
      set_state(role, Idle{});
    } else {
      after_death(role, status, sentence, dying->spawned_at);
    }
  }
  advance_stop();
  begin_barrier_when_settled();
}

void Supervisor::after_death(Role role, const ExitStatus& status, const std::string& sentence,
                             core::Instant spawned_at) {
  const std::string what = fmt::format("the {} process {}", to_string(role), sentence);
  if (role == Role::vrrp) statics_stay_ = true;
  if (is_stopping()) {
    if (role == Role::vrrp) release_addresses();
    set_state(role, Idle{});
    return;
  }
  if (current_ == 0 || !wanted_.contains(role)) {
    // It never ran: the start (or the reload that wanted it) has failed.
    if (role == Role::vrrp) release_addresses();
    set_state(role, Idle{});
    if (current_ == 0)
      candidate_exit_ =
          status.is_permanent() ? static_cast<ExitCode>(status.value) : ExitCode::fatal;
    report(ReportId::child_died, what);
    follow(barrier_.on_lost(role, sentence));
    return;
  }
  if (status.is_permanent() && rescue_by_going_back(role, what)) return;
  if (settings_.respawn == Respawn::no || status.is_permanent()) {
    give_up_on(role, status, sentence);
    return;
  }
  const auto* dying = std::get_if<Dying>(&record(role).state);
  const bool was_busy = dying != nullptr && dying->was_busy;
  RestartDecision decision = record(role).policy.on_death(now_ - spawned_at);
  if (was_busy) decision.pause = std::max(decision.pause, settings_.restart.first_pause);
  if (resumes_at_once(role, was_busy)) decision.pause = {};
  if (decision.crash_loop && rescue_by_going_back(role, what)) return;
  if (decision.crash_loop && role == Role::vrrp) {
    report(ReportId::crash_loop,
           fmt::format("{}; {} deaths in a row: giving up so that a peer takes over", what,
                       record(role).policy.deaths_in_row()));
    if (can_part()) {
      begin_parting({.pause = {}, .give_up = true});
      follow(barrier_.on_lost(role, sentence));
      return;
    }
    release_addresses(Statics::go);
    stand_down();
    return;
  }
  if (decision.pause == core::Duration::zero()) {
    report(ReportId::child_died, fmt::format("{}; starting it again at once", what));
    set_state(role, Backoff{.until = now_});
  } else {
    report(ReportId::child_died,
           fmt::format("{}; death {} in a row, starting it again in {:.0f} s", what,
                       record(role).policy.deaths_in_row(), seconds(decision.pause)));
    // Peers take over while we wait: two directors must not hold one address.
    if (role == Role::vrrp && can_part()) {
      begin_parting({.pause = decision.pause, .give_up = false});
    } else {
      if (role == Role::vrrp) release_addresses();
      set_state(role, Backoff{.until = now_ + decision.pause});
    }
  }
  follow(barrier_.on_lost(role, sentence));
  if (role == Role::vrrp) keep_the_clock();
  tick_child(role);
}

void Supervisor::give_up_on(Role role, const ExitStatus& status, const std::string& sentence) {
  const char* reason = settings_.respawn == Respawn::no
                           ? "respawning is switched off"
                           : "starting it again would end the same way";
  report(ReportId::child_given_up,
         fmt::format("the {} process {}; {}", to_string(role), sentence, reason));
  set_state(role, Failed{});
  if (role == Role::vrrp) release_addresses(Statics::go);
  if (role == Role::vrrp || settings_.respawn == Respawn::no) {
    stop_everything(status.is_permanent() ? static_cast<ExitCode>(status.value) : ExitCode::fatal);
  } else {
    // Without checkers the table stays as it is and traffic goes on: better than leaving.
    follow(barrier_.on_lost(role, sentence));
  }
}

}  // namespace holdfast::watchdog
