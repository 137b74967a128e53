#include "vrrp/core/script_checks.hpp"

#include "vrrp/core/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::vrrp {
namespace {

/// nullopt: says nothing about what was asked: it was not run, or ended because of us.
std::optional<Verdict> result_of(const core::ScriptOutcome& outcome) {
  using core::EndedBy;
  using core::ScriptEnd;
  if (outcome.end == ScriptEnd::skipped || outcome.end == ScriptEnd::lost) return std::nullopt;
  if (outcome.by == EndedBy::newer_state || outcome.by == EndedBy::farewell) return std::nullopt;
  return outcome.succeeded() ? Verdict::good : Verdict::bad;
}

std::string program_of(const core::Command& command) {
  return command.argv.empty() ? std::string() : command.argv.front();
}

}  // namespace

void ScriptChecks::follow(const std::vector<ScriptCheck>& checks,
                          const std::set<std::string>& at_work, Instant now, Actions& out) {
  std::map<std::string, Entry> before = std::exchange(entries_, {});
  due_.clear();
  for (const ScriptCheck& check : checks) {
    Entry& entry = entries_[check.name];
    const auto known = before.find(check.name);
    const bool is_new = known == before.end();
    if (!is_new) {
      entry = std::move(known->second);
      entry.armed.reset();
      before.erase(known);
    }
    const bool is_other = is_new || entry.check.command != check.command;
    if (entry.check.interval != check.interval)
      entry.next_at = std::min(entry.next_at, now + check.interval);
    entry.check = check;
    if (!is_other) {
      arm(entry);
      continue;
    }
    entry.has_result = entry.runs = entry.is_overdue = false;
    entry.over_at.reset();
    entry.against = 0;
    entry.next_at = now;
    arm(entry);
    if (is_new && check.init_fail && !at_work.contains(check.name)) {
      entry.verdict = Verdict::bad;
      out.emplace_back(
          Said{check.name, Verdict::bad, "'init_fail' says so until its first result"});
    }
  }
  for (const auto& [name, entry] : before) out.emplace_back(Drop{name});
  tick(now, out);
}

void ScriptChecks::tick(Instant now, Actions& out) {
  while (!due_.empty() && due_.begin()->first <= now)
    go(entries_.at(due_.begin()->second), now, out);
}

void ScriptChecks::go(Entry& entry, Instant now, Actions& out) {
  if (entry.runs) {
    entry.over_at = now + entry.check.interval;  // one that cannot be ended fails again and again
    entry.is_overdue = true;
    judge(entry, Verdict::bad,
          fmt::format("{} has not ended within {:.3f} s", program_of(entry.check.command),
                      seconds(entry.check.command.limit)),
          out);
  } else {
    entry.runs = true;
    entry.next_at = now + entry.check.interval;
    out.emplace_back(Run{entry.check.name, entry.check.command});
  }
  arm(entry);
}

void ScriptChecks::arm(Entry& entry) {
  const auto at = due(entry);
  if (entry.armed == at) return;
  if (entry.armed) due_.erase({*entry.armed, entry.check.name});
  if (at) due_.emplace(*at, entry.check.name);
  entry.armed = at;
}

std::optional<Instant> ScriptChecks::due(const Entry& entry) {
  return entry.runs ? entry.over_at : entry.next_at;
}

std::optional<Instant> ScriptChecks::deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

// News of a command that a reload has replaced says nothing about the new one.
ScriptChecks::Entry* ScriptChecks::find(const std::string& name, const core::Command& command) {
  const auto found = entries_.find(name);
  const bool is_it =
      found != entries_.end() && found->second.runs && found->second.check.command == command;
  return is_it ? &found->second : nullptr;
}

void ScriptChecks::started(const std::string& name, const core::Command& command, Instant now) {
  Entry* entry = find(name, command);
  if (entry == nullptr) return;
  entry->over_at = now + command.limit + kPatience;
  arm(*entry);
}

void ScriptChecks::ended(const std::string& name, const core::Command& command,
                         const core::ScriptOutcome& outcome, Instant now, Actions& out) {
  Entry* entry = find(name, command);
  if (entry == nullptr) return;
  const bool was_judged = std::exchange(entry->is_overdue, false);
  entry->runs = false;
  entry->over_at.reset();
  // On the beat that it began with: what was due meanwhile is left out.
  if (entry->next_at < now) {
    const Duration interval = entry->check.interval;
    entry->next_at += ((now - entry->next_at) / interval + 1) * interval;
  }
  arm(*entry);
  const auto result = result_of(outcome);
  if (!result || was_judged) return;
  judge(*entry, *result, fmt::format("{} {}", program_of(command), outcome.to_string()), out);
}

void ScriptChecks::judge(Entry& entry, Verdict result, std::string why, Actions& out) {
  const bool is_first = !std::exchange(entry.has_result, true);
  const bool is_same = entry.verdict == result;
  entry.against = is_same ? 0 : entry.against + 1;
  const std::uint32_t enough = result == Verdict::good ? entry.check.rise : entry.check.fall;
  if (!is_first && (is_same || entry.against < enough)) return;
  entry.against = 0;
  entry.verdict = result;
  out.emplace_back(Said{entry.check.name, result, std::move(why)});
}

}  // namespace holdfast::vrrp
