#include "watchdog/core/reload_barrier.hpp"

#include <fmt/format.h>

#include <utility>

namespace holdfast::watchdog {

ReloadBarrier::Verdict ReloadBarrier::begin(Generation generation, RoleSet awaited,
                                            core::Instant answer_by) {
  phase_ = Phase::preparing;
  generation_ = generation;
  awaited_ = awaited;
  answer_by_ = answer_by;
  why_.clear();
  return awaited_.empty() ? Verdict::commit : Verdict::waiting;
}

ReloadBarrier::Verdict ReloadBarrier::begin_commit(RoleSet awaited, core::Instant answer_by) {
  phase_ = Phase::committing;
  awaited_ = awaited;
  answer_by_ = answer_by;
  if (!awaited_.empty()) return Verdict::waiting;
  phase_ = Phase::idle;
  return Verdict::finished;
}

ReloadBarrier::Verdict ReloadBarrier::on_prepared(Role role, Generation generation) {
  // An answer to an earlier, aborted generation can still be under way: it means nothing any more.
  if (phase_ != Phase::preparing || generation != generation_) return Verdict::waiting;
  return arrived(role);
}

ReloadBarrier::Verdict ReloadBarrier::on_refused(Role role, Generation generation,
                                                 const std::string& reason) {
  if (phase_ != Phase::preparing || generation != generation_) return Verdict::waiting;
  return abort(
      fmt::format("the {} process refuses the configuration: {}", to_string(role), reason));
}

ReloadBarrier::Verdict ReloadBarrier::on_committed(Role role, Generation generation) {
  if (phase_ != Phase::committing || generation != generation_) return Verdict::waiting;
  return arrived(role);
}

ReloadBarrier::Verdict ReloadBarrier::on_lost(Role role, const std::string& how) {
  switch (phase_) {
    case Phase::idle:
      return Verdict::waiting;
    case Phase::preparing:
      // Also when it had answered already: a commit without it would leave two generations running.
      return abort(fmt::format("the {} process {} while it prepared the configuration",
                               to_string(role), how));
    case Phase::committing:
      return awaited_.contains(role) ? arrived(role) : Verdict::waiting;
  }
  return Verdict::waiting;
}

ReloadBarrier::Verdict ReloadBarrier::on_tick(core::Instant now) {
  if (phase_ == Phase::idle || now < answer_by_) return Verdict::waiting;
  if (phase_ == Phase::preparing) {
    std::string missing;
    for (const Role role : kRoles)
      if (awaited_.contains(role))
        missing += fmt::format("{}{}", missing.empty() ? "" : " and ", to_string(role));
    return abort(fmt::format("no answer in time from: {}", missing));
  }
  phase_ = Phase::idle;
  awaited_ = {};
  return Verdict::finished;
}

std::optional<core::Instant> ReloadBarrier::deadline() const {
  if (phase_ == Phase::idle || awaited_.empty()) return std::nullopt;
  return answer_by_;
}

ReloadBarrier::Verdict ReloadBarrier::abort(std::string why) {
  phase_ = Phase::idle;
  awaited_ = {};
  why_ = std::move(why);
  return Verdict::abort;
}

ReloadBarrier::Verdict ReloadBarrier::arrived(Role role) {
  if (!awaited_.contains(role)) return Verdict::waiting;  // said twice
  awaited_.erase(role);
  if (!awaited_.empty()) return Verdict::waiting;
  if (phase_ == Phase::preparing) return Verdict::commit;
  phase_ = Phase::idle;
  return Verdict::finished;
}

}  // namespace holdfast::watchdog
