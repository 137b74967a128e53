#include "netlink_reflector/core/routing_keeper.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/rtnetlink.h>
#include <system_error>
#include <utility>

namespace holdfast::netlink {
namespace {

/// A route may come to its end a little before we think so.
constexpr core::Duration kExpiryTolerance = std::chrono::seconds(1);

std::optional<InterfaceIndex> device_of(const RoutingEntry& entry) {
  if (entry.kind != RoutingKind::route) return std::nullopt;
  const auto found = entry.attributes.find(RTA_OIF);
  if (found == entry.attributes.end() || found->second.size() != sizeof(InterfaceIndex))
    return std::nullopt;
  InterfaceIndex index = 0;
  std::memcpy(&index, found->second.data(), sizeof index);
  return index;
}

/// Why there is no use in asking the kernel yet; empty: there is.
std::string obstacle(const RoutingEntry& entry, const DesiredRouting& desired,
                     const Surroundings& surroundings) {
  if (const auto index = device_of(entry); index && !surroundings.is_up(*index))
    return fmt::format("{} is down", desired.interface);
  const auto source = source_of(entry);
  if (source && !surroundings.is_usable(*source))
    return fmt::format("no interface has its source address {}", source->to_string());
  return {};
}

std::string_view remedy(int system_errno) {
  switch (system_errno) {
    case EEXIST:
      return "; another one with the same destination and metric is there: give it a metric of its "
             "own";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "; no route leads to its gateway: is the gateway in a network of this host?";
    case EPERM:
      return "; holdfast needs CAP_NET_ADMIN";
    default:
      return "";
  }
}

std::string explain(const RoutingStep& step, const RoutingKeeper::Outcome& outcome) {
  const bool adds = step.kind == RoutingStep::Kind::add;
  std::string sentence = fmt::format("cannot {} the {}: {}", adds ? "add" : "remove", step.text,
                                     std::generic_category().message(outcome.system_errno));
  if (!outcome.text.empty()) sentence += fmt::format(" ({})", outcome.text);
  if (adds) sentence += remedy(outcome.system_errno);
  return sentence;
}

}  // namespace

void RoutingKeeper::claim(const core::RouterKey& owner, std::vector<DesiredRouting> claimed) {
  const auto found = owners_.find(owner);
  if (found == owners_.end() && claimed.empty()) return;
  owners_[owner].claimed = std::move(claimed);
  has_moved_ = true;
}

// What somebody took away, and no_track left away, comes back with the next mastership.
void RoutingKeeper::hold(const core::RouterKey& owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  if (std::exchange(found->second.holds, true)) return;
  has_moved_ = has_moved_ || !found->second.claimed.empty();
  std::set<std::string_view> texts;
  for (const DesiredRouting& each : found->second.claimed) texts.insert(each.text);
  for (auto& [entry, standing] : standings_)
    if (texts.contains(standing.text)) standing.let_go = false;
}

void RoutingKeeper::release(const core::RouterKey& owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  const bool held = std::exchange(found->second.holds, false);
  has_moved_ = has_moved_ || (held && !found->second.claimed.empty());
}

void RoutingKeeper::forget(const core::RouterKey& owner) {
  release(owner);
  owners_.erase(owner);
}

void RoutingKeeper::inherit(RoutingRecord record) {
  accepted_.insert(record.owned.begin(), record.owned.end());
  record_.owned.merge(std::move(record.owned));
  record_.lasting.merge(std::move(record.lasting));
}

void RoutingKeeper::sweep_leftovers(Statics statics) {
  if (sweep_ != Sweep::unasked) return;
  sweep_ = Sweep::due;
  statics_ = statics;
  has_moved_ = true;
}

void RoutingKeeper::on_link_down(InterfaceIndex index) {
  for (auto& [entry, standing] : standings_) {
    const std::vector<InterfaceIndex>& devices = standing.devices;
    if (std::find(devices.begin(), devices.end(), index) != devices.end())
      standing.was_cut_off = true;
  }
}

std::set<std::uint8_t> RoutingKeeper::protocols() const {
  std::set<std::uint8_t> found;
  for (const auto& [key, owner] : owners_)
    for (const DesiredRouting& each : owner.claimed) found.insert(each.entry.protocol);
  for (const RoutingEntry& each : record_.owned) found.insert(each.protocol);
  return found;
}

std::vector<RoutingStep> RoutingKeeper::plan(const std::vector<RoutingEntry>& actual,
                                             const Surroundings& surroundings, core::Instant now,
                                             Part part) {
  std::vector<RoutingStep> steps;
  const Wanted wanted = resolve_wanted(surroundings);
  const RoutingIndex there(actual);
  if (sweep_ == Sweep::due) adopt(wanted, there);
  plan_removals(wanted, now, steps);
  if (part == Part::withdrawals) return steps;
  has_moved_ = false;
  plan_additions(wanted, there, surroundings, now, steps);
  return steps;
}

RoutingKeeper::Wanted RoutingKeeper::resolve_wanted(const Surroundings& surroundings) {
  Wanted wanted;
  std::set<RoutingEntry> seen;
  const auto told = std::exchange(unresolved_, {});
  std::set<RoutingEntry> lasting;
  for (const auto& [key, owner] : owners_) {
    if (!owner.holds) continue;
    for (const DesiredRouting& each : owner.claimed) {
      auto entry = resolve(each, surroundings.find);
      if (entry && key == kDirector && record_.owned.contains(*entry)) lasting.insert(*entry);
      if (!entry)
        note_unresolved(each.text, entry.error().message, told);
      else if (seen.insert(*entry).second)
        wanted.emplace_back(std::move(*entry), &each);
    }
  }
  std::erase_if(standings_, [&](const auto& each) { return !seen.contains(each.first); });
  const bool is_known = sweep_ != Sweep::unasked && statics_ == Statics::go;
  if (is_known && lasting != record_.lasting) {
    record_.lasting = std::move(lasting);
    ++record_changes_;
  }
  return wanted;
}

// Once, as long as it stays so.
void RoutingKeeper::note_unresolved(const std::string& text, const std::string& why,
                                    const std::map<std::string, std::string>& told) {
  const bool is_new = unresolved_.insert_or_assign(text, why).second;
  const auto former = told.find(text);
  if (is_new && (former == told.end() || former->second != why))
    notices_.emplace_back(RoutingRefused{fmt::format("the {} is not there: {}", text, why)});
}

// At the start, of what is wanted: what carries our mark was left by a process that was killed.
void RoutingKeeper::adopt(const Wanted& wanted, const RoutingIndex& there) {
  sweep_ = Sweep::done;
  std::set<RoutingEntry> kept;
  for (const auto& [entry, desired] : wanted) {
    kept.insert(entry);
    if (entry.protocol == kProtocolKeepalived && there.find(entry) != nullptr) own(entry);
  }
  std::size_t left = 0;
  for (const RoutingEntry& each : record_.owned) {
    if (!kept.contains(each) && there.find(each) != nullptr) ++left;
  }
  if (left != 0) notices_.emplace_back(RoutingLeftOver{left});
}

// Last come, first gone: a rule that leads to a table goes before the table's routes. Each of them
// is said to the kernel, seen there or not: it shows some otherwise than it was told (a number
// beyond its limit).
void RoutingKeeper::plan_removals(const Wanted& wanted, core::Instant now,
                                  std::vector<RoutingStep>& steps) {
  if (sweep_ == Sweep::unasked) return;  // who resumes has not said so yet
  std::set<RoutingEntry> keep;
  for (const auto& [entry, desired] : wanted) keep.insert(entry);
  for (auto each = record_.owned.rbegin(); each != record_.owned.rend(); ++each) {
    if (keep.contains(*each) || stays(*each)) continue;
    const auto stuck = stuck_.find(*each);
    if (stuck != stuck_.end() && stuck->second.retry_at && *stuck->second.retry_at > now) continue;
    const auto text = texts_.find(*each);
    steps.push_back({RoutingStep::Kind::remove, *each, Placing::before,
                     text != texts_.end()               ? text->second
                     : each->kind == RoutingKind::route ? "route of a former process"
                                                        : "rule of a former process"});
  }
}

/// A release leaves it to whoever serves next.
bool RoutingKeeper::stays(const RoutingEntry& entry) const {
  return statics_ == Statics::stay && record_.lasting.contains(entry);
}

std::size_t RoutingKeeper::staying_count() const {
  return statics_ == Statics::stay ? record_.lasting.size() : 0;
}

void RoutingKeeper::own(const RoutingEntry& entry) {
  if (record_.owned.insert(entry).second) ++record_changes_;
}

void RoutingKeeper::disown(const RoutingEntry& entry) {
  if (record_.owned.erase(entry) != 0) ++record_changes_;
  record_.lasting.erase(entry);
  accepted_.erase(entry);
  stuck_.erase(entry);
  texts_.erase(entry);
}

void RoutingKeeper::plan_additions(const Wanted& wanted, const RoutingIndex& actual,
                                   const Surroundings& surroundings, core::Instant now,
                                   std::vector<RoutingStep>& steps) {
  for (const auto& [entry, desired] : wanted) {
    Standing& standing = standings_[entry];
    standing.text = desired->text;
    if (const RoutingEntry* const there = actual.find(entry)) {
      const bool was_repaired = standing.streak > 0 && !standing.held;
      standing = {.text = desired->text,
                  .held = true,
                  .streak = standing.streak,
                  .repaired_at = standing.repaired_at,
                  .held_since = standing.held ? standing.held_since : now,
                  .devices = devices_of(*there)};
      if (was_repaired) notices_.emplace_back(RoutingRepaired{desired->text});
      continue;
    }
    if (std::string why = obstacle(entry, *desired, surroundings); !why.empty()) {
      standing.held = false;  // the kernel took it off
      standing.problem = std::move(why);
      continue;
    }
    if (standing.held && !notice_loss(standing, *desired, surroundings, now)) continue;
    if (standing.let_go || (standing.retry_at && *standing.retry_at > now)) continue;
    own(entry);
    texts_[entry] = desired->text;
    steps.push_back({RoutingStep::Kind::add, entry, desired->placing, desired->text});
  }
}

/// It was there, and is not any more. True: it is to be put back now.
bool RoutingKeeper::notice_loss(Standing& standing, const DesiredRouting& desired,
                                const Surroundings& surroundings, core::Instant now) {
  standing.held = false;
  const bool is_cut_off = std::any_of(
      standing.devices.begin(), standing.devices.end(),
      [&](InterfaceIndex device) { return device != 0 && !surroundings.is_up(device); });
  if (is_cut_off || std::exchange(standing.was_cut_off, false)) return true;  // the kernel's work
  const core::Duration lifetime = std::chrono::seconds(desired.expires);
  const bool is_expired =
      desired.expires != 0 && now - standing.held_since + kExpiryTolerance >= lifetime;
  if (is_expired) standing.problem = "it has expired, as configured";
  if (is_expired || desired.when_taken == WhenTaken::stay_away) {
    standing.let_go = true;
    return false;
  }
  ++repairs_;
  standing.streak = now - standing.repaired_at > kCalm ? 1 : standing.streak + 1;
  standing.repaired_at = now;
  if (standing.streak <= kMaxRepairs) return true;
  standing.pause = std::clamp(standing.pause * 2, kRetryAfter, kMaxRetryAfter);
  standing.retry_at = now + standing.pause;
  standing.problem = "somebody removes it as fast as it is put back";
  notices_.emplace_back(
      RoutingRefused{fmt::format("the {} pauses: {}", desired.text, standing.problem)});
  return false;
}

void RoutingKeeper::on_outcomes(std::span<const RoutingStep> steps,
                                std::span<const Outcome> outcomes, core::Instant now) {
  bool any_is_gone = false;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    const RoutingStep& step = steps[at];
    const int error = outcomes[at].system_errno;
    if (step.kind == RoutingStep::Kind::remove) {
      const bool is_gone = error == 0 || error == ESRCH || error == ENOENT;
      if (!is_gone) {
        note_stuck(step, outcomes[at], now);
        continue;
      }
      disown(step.entry);
      any_is_gone = true;
    } else if (error != 0) {
      refuse(step, outcomes[at], now);
    } else {
      accepted_.insert(step.entry);
    }
  }
  if (any_is_gone) retry_now();  // another one may have been in its way
}

void RoutingKeeper::drop(const RoutingStep& step) {
  if (step.kind == RoutingStep::Kind::add && !accepted_.contains(step.entry)) disown(step.entry);
}

void RoutingKeeper::note_stuck(const RoutingStep& step, const Outcome& outcome, core::Instant now) {
  Stuck& stuck = stuck_[step.entry];
  std::string sentence = explain(step, outcome);
  if (stuck.problem != sentence) notices_.emplace_back(RoutingRefused{sentence});
  stuck.problem = std::move(sentence);
  stuck.pause = std::clamp(stuck.pause * 2, kRetryAfter, kMaxRetryAfter);
  stuck.retry_at = now + stuck.pause;
}

void RoutingKeeper::refuse(const RoutingStep& step, const Outcome& outcome, core::Instant now) {
  // The kernel took it, but shows it otherwise: it is to go all the same.
  const bool is_ours = outcome.system_errno == EEXIST && accepted_.contains(step.entry);
  if (!is_ours) disown(step.entry);
  Standing& standing = standings_[step.entry];
  const std::string sentence = explain(step, outcome);
  if (standing.problem != sentence || standing.pause == core::Duration::zero())
    notices_.emplace_back(RoutingRefused{sentence});
  standing.problem = sentence;
  standing.pause = std::clamp(standing.pause * 2, kRetryAfter, kMaxRetryAfter);
  standing.retry_at = now + standing.pause;
}

void RoutingKeeper::retry_now() {
  for (auto& [entry, standing] : standings_)
    if (standing.streak <= kMaxRepairs) standing.retry_at.reset();
  for (auto& [entry, stuck] : stuck_) stuck.retry_at.reset();
}

std::optional<core::Instant> RoutingKeeper::deadline() const {
  std::optional<core::Instant> earliest;
  for (const auto& [entry, standing] : standings_)
    if (standing.retry_at && (!earliest || *standing.retry_at < *earliest))
      earliest = standing.retry_at;
  for (const auto& [entry, stuck] : stuck_)
    if (stuck.retry_at && (!earliest || *stuck.retry_at < *earliest)) earliest = stuck.retry_at;
  return earliest;
}

std::vector<RoutingState> RoutingKeeper::states(const core::RouterKey& owner) const {
  std::vector<RoutingState> states;
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return states;
  std::map<std::string_view, const Standing*> by_text;
  for (const auto& [entry, standing] : standings_) by_text.emplace(standing.text, &standing);
  for (const DesiredRouting& each : found->second.claimed) {
    RoutingState& state = states.emplace_back();
    state.text = each.text;
    if (!found->second.holds) continue;
    if (const auto missing = unresolved_.find(each.text); missing != unresolved_.end())
      state.problem = missing->second;
    const auto standing = by_text.find(each.text);
    if (standing == by_text.end()) continue;
    state.held = standing->second->held;
    state.let_go = standing->second->let_go;
    if (!state.held) state.problem = standing->second->problem;
  }
  return states;
}

std::vector<RoutingNotice> RoutingKeeper::take_notices() {
  return std::exchange(notices_, {});
}

}  // namespace holdfast::netlink
