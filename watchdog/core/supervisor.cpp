#include "watchdog/core/supervisor.hpp"

#include "core/assertion.hpp"
#include "watchdog/core/seconds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::watchdog {

namespace {

constexpr std::size_t index_of(Role role) {
  return static_cast<std::size_t>(role);
}

/// Several requests that are answered by one reload: each gets at least what it asked for.
ReloadOptions merged(const ReloadOptions& one, const ReloadOptions& other) {
  ReloadOptions both{.force = one.force || other.force, .confirm_within = one.confirm_within};
  if (!both.confirm_within ||
      (other.confirm_within && *other.confirm_within < *both.confirm_within))
    both.confirm_within = other.confirm_within ? other.confirm_within : both.confirm_within;
  return both;
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

// ---- start, reload, stop ------------------------------------------------------------------------

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
    if (role == Role::vrrp && releasing_) return;
    set_state(role, Idle{});
  }
  const ExitCode code = stopping->code;
  phase_ = Done{};
  out_->push_back(Exit{.code = code});
}

// ---- children -----------------------------------------------------------------------------------

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
  // In the barrier its deadline decides, and ends the reload; alone, a child that never answers is
  // of no use.
  live.answer_by =
      is_in_barrier(live) ? std::nullopt : std::optional(now_ + settings_.answer_limit);
  out_->push_back(SendPrepare{.role = role, .generation = generation});
}

void Supervisor::stop_child(Role role, const Live& live) {
  if (role == Role::vrrp && live.applied != 0) look_at_ = now_ + settings_.word_time;
  out_->push_back(SendStop{.role = role});
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
      // A successor that was stopped before it ran anything knows nothing of what its predecessor
      // left on the interfaces, however cleanly it ends.
      const bool took_nothing_over = dying->applied == 0 && wanted_.contains(role);
      if (role == Role::vrrp && (!status.is_clean() || took_nothing_over)) release_addresses();
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
    release_addresses();
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
  if (role == Role::vrrp) release_addresses();
  if (role == Role::vrrp || settings_.respawn == Respawn::no) {
    stop_everything(status.is_permanent() ? static_cast<ExitCode>(status.value) : ExitCode::fatal);
  } else {
    // Without checkers the table stays as it is and traffic goes on: better than leaving.
    follow(barrier_.on_lost(role, sentence));
  }
}

// ---- time ---------------------------------------------------------------------------------------

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
