#include "checkers/core/script_verdict.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {
namespace {

/// keepalived: misc_dynamic. 2 is weight 0, 255 is 253.
constexpr std::int32_t kFirstWeightCode = 2;

Outcome outcome_of_exit(const ScriptProbe& probe, const core::ScriptOutcome& script) {
  if (script.code == 0) return passed("exited with code 0");
  if (!probe.dynamic || script.code < kFirstWeightCode)
    return failed(Cause::wrong_status, script.to_string());
  const std::int32_t weight = script.code - kFirstWeightCode;
  Outcome outcome = passed(fmt::format("exited with code {}: weight {}", script.code, weight));
  outcome.weight = WeightClaim{WeightClaim::Kind::is, weight};
  return outcome;
}

Outcome judge(const ScriptProbe& probe, const core::ScriptOutcome& script) {
  switch (script.by) {
    case core::EndedBy::time_limit:
      return failed(
          Cause::timeout,
          fmt::format(
              "had not ended after {} ms",
              std::chrono::duration_cast<std::chrono::milliseconds>(probe.command.limit).count()));
    case core::EndedBy::newer_state:
    case core::EndedBy::farewell:
      return not_tried(script.to_string());
    case core::EndedBy::itself:
      break;
  }
  switch (script.end) {
    case core::ScriptEnd::exited:
      return outcome_of_exit(probe, script);
    case core::ScriptEnd::signalled:
      return failed(Cause::wrong_status, script.to_string());
    case core::ScriptEnd::not_started:
    case core::ScriptEnd::refused:
    case core::ScriptEnd::skipped:
    case core::ScriptEnd::lost:
      break;
  }
  return not_tried(script.to_string());
}

}  // namespace

Outcome outcome_of_script(const ScriptProbe& probe, const core::ScriptOutcome& script) {
  Outcome outcome = judge(probe, script);
  outcome.took = script.took;
  return outcome;
}

}  // namespace holdfast::checkers
