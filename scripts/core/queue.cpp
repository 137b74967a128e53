#include "scripts/core/queue.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::scripts {

void Queue::step(const Event& event, Instant now, Actions& out) {
  std::visit([&](const auto& known) { on(known, now, out); }, event);
  start_ready(now, out);
}

std::optional<Instant> Queue::deadline() const {
  std::optional<Instant> earliest = resume_at_;
  const auto consider = [&](Instant at) { earliest = std::min(earliest.value_or(at), at); };
  if (!due_.empty()) consider(due_.begin()->first);
  for (const auto& [owner, at] : farewells_) consider(at);
  return earliest;
}

void Queue::on(const Submitted& event, Instant now, Actions& out) {
  farewells_.erase(event.subject.owner);  // who asks again has not left
  Job job{.id = event.job, .limits = event.limits};
  Subject& subject = subjects_[event.subject];
  if (subject.next) skip_rest(*subject.next, out);
  subject.next = std::move(job);
  overtake(subject, now, out);
  advance(event.subject);
}

void Queue::on(const Ended& event, Instant, Actions&) {
  const auto found = runs_.find(event.run);
  if (found == runs_.end()) return;
  const Run run = std::move(found->second);
  runs_.erase(found);
  if (run.armed) due_.erase({*run.armed, event.run});
  if (run.counted) --counted_;
  if (run.phase == Phase::abandoned) return;
  --subjects_.at(run.subject).current.running;
  advance(run.subject);
}

void Queue::on(const Farewell& event, Instant now, Actions&) {
  farewells_[event.owner] = now + kFarewell;
}

void Queue::on(const Tick&, Instant now, Actions& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const RunId id = due_.begin()->second;
    look_at(id, runs_.at(id), now, out);
  }
  std::vector<std::string> over;
  for (const auto& [owner, at] : farewells_)
    if (at <= now) over.push_back(owner);
  for (const std::string& owner : over) end_farewell(owner, now, out);
}

// What still waits will not be begun; what runs is asked to end.
void Queue::end_farewell(const std::string& owner, Instant now, Actions& out) {
  farewells_.erase(owner);
  for (auto& [id, subject] : subjects_) {
    if (id.owner != owner) continue;
    skip_rest(subject.current, out);
    if (subject.next) skip_rest(*subject.next, out);
  }
  for (auto& [id, run] : runs_)
    if (run.subject.owner == owner) end_by(id, run, now, EndedBy::farewell);
  std::erase_if(ready_, [&](const SubjectId& id) { return id.owner == owner; });
  std::vector<SubjectId> idle;
  for (auto& [id, subject] : subjects_) {
    if (id.owner != owner) continue;
    subject.is_ready = false;
    idle.push_back(id);
  }
  for (const SubjectId& id : idle) advance(id);
}

void Queue::skip_rest(Job& job, Actions& out) {
  for (; job.has_more(); ++job.begun) out.push_back(Skip{{job.id, job.begun}});
}

/// The current state has passed.
void Queue::overtake(Subject& subject, Instant now, Actions& out) {
  Job& job = subject.current;
  const std::uint32_t begun = job.begun;
  skip_rest(job, out);
  for (std::uint32_t index = 0; index < begun; ++index) {
    const auto run = runs_.find({job.id, index});
    if (run != runs_.end()) end_by(run->first, run->second, now + kCourtesy, EndedBy::newer_state);
  }
}

/// After anything has changed about a subject: its next state, its next command, or its end.
void Queue::advance(const SubjectId& id) {
  const auto found = subjects_.find(id);
  Subject& subject = found->second;
  while (!subject.current.has_more() && subject.current.running == 0 && subject.next)
    subject.current = *std::exchange(subject.next, std::nullopt);
  if (subject.current.has_more()) {
    if (subject.is_ready || is_held_back(subject.current)) return;
    subject.is_ready = true;
    ready_.push_back(id);
    return;
  }
  if (subject.current.running == 0 && !subject.is_ready) subjects_.erase(found);
}

bool Queue::is_held_back(const Job& job) const {
  for (std::uint32_t index = 0; index < job.begun; ++index) {
    const auto run = runs_.find({job.id, index});
    if (run != runs_.end() && run->second.holds_back) return true;
  }
  return false;
}

// Every subject that can start something stands in the line once, so all get their turn.
void Queue::start_ready(Instant now, Actions& out) {
  std::size_t started = 0;
  while (!ready_.empty() && counted_ < kMaxRunning && started < kMaxStartsPerStep) {
    const SubjectId id = std::move(ready_.front());
    ready_.pop_front();
    Subject& subject = subjects_.at(id);
    subject.is_ready = false;
    if (subject.current.has_more()) {
      start(subject, id, now, out);
      ++started;
    }
    advance(id);
  }
  resume_at_.reset();
  if (!ready_.empty() && counted_ < kMaxRunning) resume_at_ = now;
}

void Queue::start(Subject& subject, const SubjectId& id, Instant now, Actions& out) {
  Job& job = subject.current;
  const RunId run_id{job.id, job.begun};
  const Duration limit = job.limits[job.begun];
  ++job.begun;
  ++job.running;
  ++counted_;
  Run& run = runs_[run_id];
  run.subject = id;
  run.sibling_at = now + kSiblingWait;
  run.slow_at = now + kSlowAfter;
  if (limit > Duration::zero()) {
    run.end_at = now + limit;
    run.by = EndedBy::time_limit;
  }
  arm(run_id, run);
  out.push_back(Start{run_id});
}

/// Whatever else would have ended it later.
void Queue::end_by(RunId id, Run& run, Instant at, EndedBy by) {
  if (run.phase != Phase::running || (run.end_at && *run.end_at <= at)) return;
  run.end_at = at;
  run.by = by;
  arm(id, run);
}

void Queue::look_at(RunId id, Run& run, Instant now, Actions& out) {
  if (run.holds_back && run.sibling_at <= now) {
    run.holds_back = false;
    advance(run.subject);
  }
  if (run.counted && run.slow_at <= now) {
    run.counted = false;
    --counted_;
    out.push_back(StillRuns{id});
  }
  if (run.end_at && *run.end_at <= now) strike(id, run, now, out);
  arm(id, run);
}

void Queue::strike(RunId id, Run& run, Instant now, Actions& out) {
  run.end_at = now + kGrace;
  switch (run.phase) {
    case Phase::running:
      run.phase = Phase::asked;
      out.push_back(Strike{id, Blow::ask, run.by});
      return;
    case Phase::asked:
      run.phase = Phase::killed;
      out.push_back(Strike{id, Blow::kill, run.by});
      return;
    case Phase::killed:
      run.phase = Phase::abandoned;
      run.holds_back = false;
      run.end_at.reset();
      --subjects_.at(run.subject).current.running;
      advance(run.subject);
      return;
    case Phase::abandoned:
      return;
  }
}

void Queue::arm(RunId id, Run& run) {
  if (run.armed) due_.erase({*run.armed, id});
  run.armed = run.end_at;
  const auto consider = [&](Instant at) { run.armed = std::min(run.armed.value_or(at), at); };
  if (run.holds_back) consider(run.sibling_at);
  if (run.counted) consider(run.slow_at);
  if (run.armed) due_.emplace(*run.armed, id);
}

}  // namespace holdfast::scripts
