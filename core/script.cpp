#include "core/script.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace holdfast::core {
namespace {

std::string reason_of(EndedBy by) {
  return by == EndedBy::itself ? "" : fmt::format(", because {}", reason_sentence(by));
}

}  // namespace

std::string_view reason_sentence(EndedBy by) {
  switch (by) {
    case EndedBy::itself:
      return "it was over";
    case EndedBy::newer_state:
      return "a newer state came";
    case EndedBy::time_limit:
      return "its time was over";
    case EndedBy::farewell:
      return "the director stops";
  }
  return "";
}

std::string ScriptOutcome::to_string() const {
  switch (end) {
    case ScriptEnd::exited:
      return fmt::format("exited with code {}{}", code, reason_of(by));
    case ScriptEnd::signalled:
      return fmt::format("was ended by signal {}{}", code, reason_of(by));
    case ScriptEnd::not_started:
      return fmt::format("could not be started: {}", std::generic_category().message(code));
    case ScriptEnd::refused:
      return fmt::format("is not run: {}", why);
    case ScriptEnd::skipped:
      return "was skipped: a newer state came before its turn";
    case ScriptEnd::lost:
      return "was left alone: the process that ran it has died";
  }
  return "";
}

void ScriptRecord::on_started() {
  ++ran;
  ++running;
}

void ScriptRecord::on_ended(Last ended_now) {
  const ScriptOutcome& outcome = ended_now.outcome;
  const bool was_running = outcome.end == ScriptEnd::exited ||
                           outcome.end == ScriptEnd::signalled || outcome.end == ScriptEnd::lost;
  if (was_running && running > 0) --running;
  if (outcome.failed()) ++failed;
  if (was_running && outcome.by != EndedBy::itself) ++ended;
  if (outcome.end == ScriptEnd::skipped) ++skipped;
  last = std::move(ended_now);
}

}  // namespace holdfast::core
