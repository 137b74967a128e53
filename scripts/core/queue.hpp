// Which script runs when: one state of a subject after the other, subjects side by side and in
// turn. A newer state overtakes: what has not begun is skipped, what runs is asked to end, then
// ended, and the newer state's scripts follow. Nothing of other subjects is ever dropped.
//
// A core: stepped by scripts/helper.cpp, which owns the processes.
#pragma once

#include "scripts/core/event.hpp"
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>

namespace holdfast::scripts {

class Queue {
 public:
  /// Scripts that run side by side. Those that have run for kSlowAfter are not counted any more: a
  /// script that stays in the foreground for as long as its state lasts must not keep others away.
  static constexpr std::size_t kMaxRunning = 50;
  static constexpr Duration kSlowAfter = std::chrono::seconds(5);
  /// Started in one step; the rest follows at once in the next, with the loop in between.
  static constexpr std::size_t kMaxStartsPerStep = 8;
  /// A second command of the same state waits for the first, but not longer than this: keepalived
  /// runs both at once.
  static constexpr Duration kSiblingWait = std::chrono::seconds(1);
  /// What a script still has after its state has passed, before it is asked to end.
  static constexpr Duration kCourtesy = std::chrono::milliseconds(200);
  /// From asking (SIGTERM) to ending (SIGKILL), and from there to going on without it: a process in
  /// the kernel's hands may outlive even that.
  static constexpr Duration kGrace = std::chrono::seconds(1);
  /// For the scripts of a stop, from the owner's farewell on.
  static constexpr Duration kFarewell = std::chrono::seconds(8);

  void step(const Event& event, Instant now, Actions& out);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Nothing waits, and nothing runs but what could not be ended.
  [[nodiscard]] bool empty() const { return subjects_.empty(); }
  [[nodiscard]] std::size_t running() const { return runs_.size(); }

 private:
  enum class Phase : std::uint8_t { running, asked, killed, abandoned };
  struct Run {
    SubjectId subject;
    Phase phase = Phase::running;
    EndedBy by = EndedBy::itself;
    bool counted = true;     // among kMaxRunning
    bool holds_back = true;  // the next command of its state waits for it
    Instant sibling_at{};    // until then
    Instant slow_at{};
    std::optional<Instant> end_at;  // its next Strike, or being abandoned
    std::optional<Instant> armed;   // its place in due_
  };
  struct Job {
    JobId id = 0;
    std::vector<Duration> limits;
    std::uint32_t begun = 0;    // commands that were started or skipped
    std::uint32_t running = 0;  // of those: what the next state waits for
    [[nodiscard]] bool has_more() const { return begun < limits.size(); }
  };
  struct Subject {
    Job current;
    std::optional<Job> next;
    bool is_ready = false;  // stands in ready_
  };

  void on(const Submitted& event, Instant now, Actions& out);
  void on(const Ended& event, Instant now, Actions& out);
  void on(const Farewell& event, Instant now, Actions& out);
  void on(const Tick& event, Instant now, Actions& out);

  void overtake(Subject& subject, Instant now, Actions& out);
  void advance(const SubjectId& id);
  [[nodiscard]] bool is_held_back(const Job& job) const;
  void start_ready(Instant now, Actions& out);
  void start(Subject& subject, const SubjectId& id, Instant now, Actions& out);
  void end_by(RunId id, Run& run, Instant at, EndedBy by);
  void look_at(RunId id, Run& run, Instant now, Actions& out);
  void strike(RunId id, Run& run, Instant now, Actions& out);
  void arm(RunId id, Run& run);
  void end_farewell(const std::string& owner, Instant now, Actions& out);
  static void skip_rest(Job& job, Actions& out);

  std::map<SubjectId, Subject> subjects_;
  std::map<RunId, Run> runs_;
  std::set<std::pair<Instant, RunId>> due_;  // at most one entry a run
  std::deque<SubjectId> ready_;
  std::map<std::string, Instant> farewells_;
  std::size_t counted_ = 0;
  std::optional<Instant> resume_at_;  // more could be started at once
};

}  // namespace holdfast::scripts
