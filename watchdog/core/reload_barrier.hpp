// The two-phase barrier of a reload: every awaited child must be prepared before any of them may
// commit. Used by the supervisor. It knows which answers are missing; it sends nothing.
#pragma once

#include "core/time.hpp"
#include "watchdog/core/role.hpp"

#include <optional>
#include <string>

namespace holdfast::watchdog {

class ReloadBarrier {
 public:
  enum class Phase : std::uint8_t { idle, preparing, committing };
  enum class Verdict : std::uint8_t {
    waiting,   ///< answers are missing, or the event was not about this barrier
    commit,    ///< everybody is prepared: tell them to commit
    abort,     ///< somebody cannot: the old generation stays, `why()` says who and why
    finished,  ///< everybody runs the new generation
  };

  /// Ask `awaited` to prepare `generation`; they have until `answer_by`. An empty set is prepared
  /// at once.
  Verdict begin(Generation generation, RoleSet awaited, core::Instant answer_by);
  /// The caller has sent the commits to `awaited`. An empty set has committed at once.
  Verdict begin_commit(RoleSet awaited, core::Instant answer_by);

  Verdict on_prepared(Role role, Generation generation);
  Verdict on_refused(Role role, Generation generation, const std::string& reason);
  Verdict on_committed(Role role, Generation generation);
  /// The child died or hangs. Before the commit that ends the reload; after it, the successor
  /// starts with the new generation.
  Verdict on_lost(Role role, const std::string& how);
  /// Answers that are missing at `answer_by` end the reload (before the commit) or are no longer
  /// waited for (after it).
  Verdict on_tick(core::Instant now);

  /// The watchdog itself did not run for this long: nobody is blamed for it.
  void extend(core::Duration by) { answer_by_ += by; }

  [[nodiscard]] std::optional<core::Instant> deadline() const;
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Generation generation() const { return generation_; }
  [[nodiscard]] RoleSet awaited() const { return awaited_; }
  /// After abort: a sentence for whoever asked for the reload.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  Verdict abort(std::string why);
  Verdict arrived(Role role);

  Phase phase_ = Phase::idle;
  Generation generation_ = 0;
  RoleSet awaited_;
  core::Instant answer_by_{};
  std::string why_;
};

}  // namespace holdfast::watchdog
