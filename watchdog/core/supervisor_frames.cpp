// What the children say: every frame is a sign of life, and most answer a question.
#include "watchdog/core/supervisor.hpp"

#include <fmt/format.h>

namespace holdfast::watchdog {

void Supervisor::note_frame(Live& live) const {
  live.heard_at = now_;
  live.has_spoken = true;
  live.look.reset();
  live.is_late = false;
}

void Supervisor::on(const HeartbeatReceived& event) {
  if (auto* live = std::get_if<Live>(&record(event.role).state)) note_frame(*live);
}

void Supervisor::on(const PreparedReceived& event) {
  auto* live = std::get_if<Live>(&record(event.role).state);
  if (live == nullptr) return;
  note_frame(*live);
  if (live->stage != Live::Stage::preparing || live->asked != event.generation) return;
  live->stage = Live::Stage::prepared;
  live->answer_by.reset();
  if (is_stopping()) return;  // its turn to stop has not come yet, but it starts nothing new
  if (is_in_barrier(*live)) {
    follow(barrier_.on_prepared(event.role, event.generation));
    return;
  }
  if (event.role == Role::vrrp) keep_the_clock();
  commit_alone(event.role);
}

void Supervisor::on(const RefusedReceived& event) {
  auto* live = std::get_if<Live>(&record(event.role).state);
  if (live == nullptr) return;
  note_frame(*live);
  if (live->stage != Live::Stage::preparing || live->asked != event.generation) return;
  if (is_in_barrier(*live)) {
    candidate_exit_ = ExitCode::bad_config;
    follow(barrier_.on_refused(event.role, event.generation, event.reason));
    return;
  }
  // It refuses what its predecessor ran: something on the host has changed. Treated like a death,
  // so that it is tried again.
  report(ReportId::child_refused,
         fmt::format("the {} process refuses generation {}, which ran before: {}",
                     to_string(event.role), event.generation, event.reason));
  const Live refuser = *live;
  out_->push_back(SendStop{.role = event.role});
  set_state(event.role, Dying{.why = Dying::Why::misbehaved,
                              .applied = refuser.applied,
                              .spawned_at = refuser.spawned_at,
                              .strike_at = now_ + settings_.stop_limit,
                              .killed = false});
}

void Supervisor::on(const CommittedReceived& event) {
  auto* live = std::get_if<Live>(&record(event.role).state);
  if (live == nullptr) return;
  note_frame(*live);
  if (live->stage != Live::Stage::committing || live->asked != event.generation) return;
  live->stage = Live::Stage::settled;
  live->applied = event.generation;
  if (event.role == Role::vrrp) statics_stay_ = false;  // it has them in its care
  live->answer_by.reset();
  if (record(event.role).parting) {
    stop_child(event.role, *live);
    return;
  }
  follow(barrier_.on_committed(event.role, event.generation));
  begin_barrier_when_settled();
}

}  // namespace holdfast::watchdog
