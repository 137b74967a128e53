#include "vrrp/core/process_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::vrrp {
namespace {

bool has_quorum(const ProcessCheck& check, std::size_t count) {
  return count >= check.quorum && (!check.quorum_max || count <= *check.quorum_max);
}

// keepalived: quorum_max 0 means that none may run.
ProcessCheck made_possible(ProcessCheck check) {
  if (check.quorum_max && *check.quorum_max < check.quorum) check.quorum = *check.quorum_max;
  return check;
}

std::string wanted(const ProcessCheck& check) {
  if (!check.quorum_max) return fmt::format("at least {} wanted", check.quorum);
  if (*check.quorum_max == 0) return "none wanted";
  return fmt::format("{} to {} wanted", check.quorum, *check.quorum_max);
}

}  // namespace

bool is_meant(const ProcessCheck& check, const ProcessFacts& facts) {
  if (!check.by_command_line) return facts.name == check.program;
  if (facts.command_line.empty() || facts.command_line.front() != check.program) return false;
  const std::vector<std::string> has(facts.command_line.begin() + 1, facts.command_line.end());
  const std::vector<std::string>& wants = check.parameters;
  const auto begins_as = [&](std::size_t count) {
    return has.size() >= count &&
           std::equal(wants.begin(), wants.begin() + static_cast<std::ptrdiff_t>(count),
                      has.begin());
  };
  switch (check.match) {
    case ParameterMatch::any:
      return true;
    case ParameterMatch::equal:
      return has == wants;
    case ParameterMatch::first_ones:
      return begins_as(wants.size());
    case ParameterMatch::last_may_be_longer:
      break;
  }
  if (wants.empty()) return true;
  const std::size_t last = wants.size() - 1;
  return begins_as(last) && has.size() > last && has[last].starts_with(wants[last]);
}

bool ProcessChecks::follow(const std::vector<ProcessCheck>& checks) {
  std::map<std::string, Entry> before = std::exchange(entries_, {});
  bool is_new = false;
  for (const ProcessCheck& written : checks) {
    const ProcessCheck check = made_possible(written);
    Entry& entry = entries_[check.name];
    const auto known = before.find(check.name);
    if (known != before.end() && known->second.check == check) {
      entry = std::move(known->second);
      continue;
    }
    entry.check = check;
    is_new = true;
  }
  return is_new;
}

void ProcessChecks::found(ProcessNumber process, const ProcessFacts& facts, Instant now,
                          Actions& out) {
  for (auto& [name, entry] : entries_) {
    const bool is_other = is_meant(entry.check, facts) ? entry.members.insert(process).second
                                                       : entry.members.erase(process) != 0;
    if (is_other) reckon(entry, Duration::zero(), now, out);
  }
}

void ProcessChecks::forked(ProcessNumber parent, ProcessNumber child, Instant now, Actions& out) {
  for (auto& [name, entry] : entries_)
    if (entry.members.contains(parent) && entry.members.insert(child).second)
      reckon(entry, entry.check.fork_delay, now, out);
}

void ProcessChecks::ended(ProcessNumber process, Instant now, Actions& out) {
  for (auto& [name, entry] : entries_)
    if (entry.members.erase(process) != 0) reckon(entry, entry.check.terminate_delay, now, out);
}

void ProcessChecks::looked(const std::set<ProcessNumber>& seen, Instant now, Actions& out) {
  for (auto& [name, entry] : entries_) {
    const auto gone =
        std::erase_if(entry.members, [&](ProcessNumber each) { return !seen.contains(each); });
    if (!entry.is_good) {
      entry.is_good = has_quorum(entry.check, entry.members.size());
      say(entry, out);
    } else if (gone != 0) {
      reckon(entry, entry.check.terminate_delay, now, out);
    }
  }
}

// A change that is on its way keeps its time.
void ProcessChecks::reckon(Entry& entry, Duration delay, Instant now, Actions& out) {
  if (!entry.is_good) return;
  if (has_quorum(entry.check, entry.members.size()) == *entry.is_good) {
    entry.counts_at.reset();
  } else if (!entry.counts_at && delay != Duration::zero()) {
    entry.counts_at = now + delay;
  } else if (!entry.counts_at) {
    turn(entry, out);
  }
}

void ProcessChecks::turn(Entry& entry, Actions& out) {
  entry.counts_at.reset();
  entry.is_good = !*entry.is_good;
  say(entry, out);
}

void ProcessChecks::say(const Entry& entry, Actions& out) {
  const std::size_t count = entry.members.size();
  out.push_back({entry.check.name, *entry.is_good ? Verdict::good : Verdict::bad,
                 fmt::format("{} of {} {}, {}", count, entry.check.program,
                             count == 1 ? "runs" : "run", wanted(entry.check))});
}

void ProcessChecks::tick(Instant now, Actions& out) {
  for (auto& [name, entry] : entries_)
    if (entry.counts_at && *entry.counts_at <= now) turn(entry, out);
}

std::optional<Instant> ProcessChecks::deadline() const {
  std::optional<Instant> earliest;
  for (const auto& [name, entry] : entries_)
    if (entry.counts_at && (!earliest || *entry.counts_at < *earliest)) earliest = entry.counts_at;
  return earliest;
}

bool ProcessChecks::needs_command_lines() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& each) { return each.second.check.by_command_line; });
}

std::set<ProcessNumber> ProcessChecks::counted() const {
  std::set<ProcessNumber> all;
  for (const auto& [name, entry] : entries_) all.insert(entry.members.begin(), entry.members.end());
  return all;
}

}  // namespace holdfast::vrrp
