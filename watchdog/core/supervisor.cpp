#include "watchdog/core/supervisor.hpp"

#include "watchdog/core/seconds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::watchdog {

namespace {

constexpr std::size_t index_of(Role role) {
  return static_cast<std::size_t>(role);
}

void keep_earliest(std::optional<core::Instant>& earliest, std::optional<core::Instant> other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

Supervisor::Supervisor(const SupervisorSettings& settings)
    : settings_(settings),
      children_{ChildRecord(settings.restart), ChildRecord(settings.restart)},
      confirmation_(settings.confirmation) {}

void Supervisor::step(const Event& event, core::Instant now, Actions& out) {
  now_ = now;
  out_ = &out;
  forgive_silence_after_own_pause();
  std::visit([this](const auto& what) { on(what); }, event);
  out_ = nullptr;
  expected_tick_ = deadline();
}

std::optional<core::Instant> Supervisor::deadline() const {
  std::optional<core::Instant> earliest = barrier_.deadline();
  if (const auto* loading = std::get_if<Loading>(&phase_); loading != nullptr && !loading->killed)
    keep_earliest(earliest, loading->kill_at);
  if (is_steady()) keep_earliest(earliest, confirmation_.deadline());
  keep_earliest(earliest, look_at_);
  keep_earliest(earliest, release_deadline());
  keep_earliest(earliest, replacement_deadline());
  for (const ChildRecord& child : children_) {
    if (const auto* live = std::get_if<Live>(&child.state)) {
      keep_earliest(earliest, silence_deadline(*live));
      if (!live->is_late) keep_earliest(earliest, live->answer_by);
    } else if (const auto* dying = std::get_if<Dying>(&child.state)) {
      if (!dying->killed) keep_earliest(earliest, dying->strike_at);
    } else if (const auto* backoff = std::get_if<Backoff>(&child.state)) {
      if (!releasing_ && !is_stopping()) keep_earliest(earliest, backoff->until);
    }
  }
  return earliest;
}

const ChildRecord& Supervisor::child(Role role) const {
  return children_[index_of(role)];
}
ChildRecord& Supervisor::record(Role role) {
  return children_[index_of(role)];
}
bool Supervisor::is_stopping() const {
  return std::holds_alternative<Stopping>(phase_) || std::holds_alternative<Done>(phase_);
}
bool Supervisor::is_steady() const {
  return std::holds_alternative<Steady>(phase_);
}

void Supervisor::report(ReportId id, std::string text) {
  out_->push_back(Report{.id = id, .text = std::move(text)});
}

void Supervisor::set_state(Role role, ChildState state) {
  ChildRecord& child = record(role);
  if (child.state.index() != state.index()) child.since = now_;
  child.state = state;
}

// A watchdog that was not running cannot say that its children were silent: their heartbeats may
// not have been sent either (paused machine), or lie unread. Everybody gets the full time again.
void Supervisor::forgive_silence_after_own_pause() {
  if (!expected_tick_ || now_ <= *expected_tick_ + settings_.pause_tolerance) return;
  const core::Duration late = now_ - *expected_tick_;
  bool anyone = false;
  for (ChildRecord& child : children_) {
    auto* live = std::get_if<Live>(&child.state);
    if (live == nullptr) continue;
    anyone = true;
    live->heard_at = now_;
    live->look.reset();
    if (live->answer_by) *live->answer_by += late;
  }
  barrier_.extend(late);
  if (anyone)
    report(ReportId::paused, fmt::format("this process did not run for {:.1f} s", seconds(late)));
}

void Supervisor::on(const Tick&) {
  look_at_.reset();
  if (auto* loading = std::get_if<Loading>(&phase_);
      loading != nullptr && !loading->killed && now_ >= loading->kill_at) {
    loading->killed = true;  // the shell reports LoaderFinished when it is gone
    out_->push_back(KillLoader{});
  }
  follow(barrier_.on_tick(now_));
  for (const Role role : kRoles) tick_child(role);
  keep_the_clock();
  go_back_when_due();
}

void Supervisor::tick_child(Role role) {
  ChildRecord& child = record(role);
  if (const auto* live = std::get_if<Live>(&child.state)) {
    if (now_ >= silence_deadline(*live)) {
      judge_silence(role);
    } else if (!live->is_late && live->answer_by && now_ >= *live->answer_by) {
      end_hung(role, fmt::format("did not {} generation {} in time",
                                 live->stage == Live::Stage::preparing ? "prepare" : "commit",
                                 live->asked));
    }
  } else if (const auto* dying = std::get_if<Dying>(&child.state)) {
    if (!dying->killed && now_ >= dying->strike_at) kill(role);
  } else if (const auto* backoff = std::get_if<Backoff>(&child.state)) {
    if (now_ >= backoff->until && !releasing_ && !is_stopping()) spawn(role, current_);
  }
}

}  // namespace holdfast::watchdog
