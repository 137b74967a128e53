#include "checkers/core/reconciler.hpp"

#include <algorithm>

namespace holdfast::checkers {

core::Duration look_interval(std::size_t services, core::Duration cost) {
  const core::Duration unmeasured =
      std::clamp(core::Duration(static_cast<std::int64_t>(services) * kLookTimePerService),
                 kLookInterval, kLongestLookInterval);
  if (cost == core::Duration{} || services <= kServicesPerLook) return unmeasured;
  // A table that is not much larger than a look is not compared faster than a small one.
  const core::Duration quickest =
      std::max(kLookInterval * static_cast<std::int64_t>(kServicesPerLook) /
                   static_cast<std::int64_t>(services),
               kQuickestLookInterval);
  return std::clamp(cost * kLookShare, std::min(quickest, unmeasured), unmeasured);
}

core::Duration list_interval(std::size_t services) {
  return std::max(core::Duration(static_cast<std::int64_t>(services) * kListTimePerService),
                  kShortestListInterval);
}

void Reconciler::step(const TableEvent& event, const ipvs::Table& desired, core::Instant now,
                      TableActions& out) {
  if (phase_ == Phase::finished) return;
  std::visit([&](const auto& happened) { on_event(happened, desired, now, out); }, event);
}

std::optional<TableAction> Reconciler::under_way() const {
  if (phase_ == Phase::opening) return table_action::Open{};
  if (phase_ == Phase::applying) return table_action::Apply{steps_};
  if (phase_ != Phase::reading) return std::nullopt;
  switch (asked_) {
    case Asked::whole:
      return table_action::Read{};
    case Asked::services:
      return table_action::ReadServices{asked_for_};
    case Asked::list:
      return table_action::ListServices{};
  }
  return std::nullopt;
}

void Reconciler::on_event(const table_event::Started& started, const ipvs::Table&, core::Instant,
                          TableActions& out) {
  owned_ = started.owned;
  others_ = started.others;
  phase_ = Phase::opening;
  out.push_back(table_action::Open{});
}

// That the family answers says little: without the right to use it the first reading fails. So
// nothing is told yet.
void Reconciler::on_event(const table_event::Opened&, const ipvs::Table& desired, core::Instant now,
                          TableActions& out) {
  first_look_ = true;
  window_at_ = now + look_interval(desired.services.size());
  read_all(out);
}

void Reconciler::on_event(const table_event::OpenFailed& failed, const ipvs::Table&,
                          core::Instant now, TableActions& out) {
  lose_access(failed.sentence, now, out);
}

void Reconciler::on_event(const table_event::ReadFailed& failed, const ipvs::Table&,
                          core::Instant now, TableActions& out) {
  lose_access(failed.sentence, now, out);
}

void Reconciler::on_event(const table_event::WasRead& read, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  reading_succeeded(out);
  take_others(read.table, desired, out);
  if (stopping_) return remove_ours(out);
  list_at_ = now + list_interval(read.table.services.size());
  if (std::exchange(first_look_, false))
    take_first_look(read, desired, now, out);
  else
    judge_whole(read.table, desired, now, out);
  if (phase_ == Phase::idle) go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::ServicesWereRead& read, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  reading_succeeded(out);
  learn_cost(read);
  if (stopping_) return remove_ours(out);
  for (const ipvs::ServiceKey& key : read.keys) {
    const auto found = read.table.services.find(key);
    if (found == read.table.services.end())
      actual_.services.erase(key);
    else
      actual_.services.insert_or_assign(key, found->second);
  }
  judge(read.keys, desired, now, out);
  if (phase_ == Phase::idle) go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::WasListed& read, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  reading_succeeded(out);
  if (stopping_) return remove_ours(out);
  list_at_ = now + list_interval(read.list.services.size());
  judge_list(read.list, desired, now, out);
  go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::ReadDisagreed&, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  core::Duration pause = kConfirmDelay;
  for (unsigned i = 0; i < disagreements_ && pause < kReopenInterval; ++i) pause *= 2;
  pause = std::min(pause, kReopenInterval);
  if (++disagreements_ == kMaxDisagreements) out.push_back(table_action::ReportUnsteady{});
  if (stopping_) others_ = Others::stay;  // it has to end some time

  phase_ = Phase::idle;
  if (asked_ == Asked::whole) whole_at_ = now + pause;
  if (asked_ == Asked::list) list_at_ = now + pause;
  for (const ipvs::ServiceKey& key : asked_for_)
    if (const auto watch = watched_.find(key); watch != watched_.end())
      watch->second.look_at = now + pause;
  go_on(desired, now, out);
}

// A look that was wanted before the first one, or while the kernel cannot be reached, is the first
// one.
void Reconciler::on_event(const table_event::LookWanted&, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  if (first_look_ || !is_available() || stopping_) return;
  if (!whole_at_) whole_at_ = now;
  if (phase_ == Phase::idle) go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::DesiredChanged& changed, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  dirty_.insert(changed.keys.begin(), changed.keys.end());
  if (phase_ == Phase::idle && !first_look_ && !stopping_) go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::Applied& applied, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  // What was refused or not tried did not happen; everything else did.
  std::set<std::size_t> refused;
  for (const auto& failure : applied.failures) refused.insert(failure.index);
  for (std::size_t i = steps_.size() - applied.not_tried; i < steps_.size(); ++i) refused.insert(i);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (!refused.contains(i)) static_cast<void>(ipvs::apply_step(steps_[i], actual_));
  watch_what_was_touched(refused, now);
  if (after_looking_) report_failures(applied, out);
  if (removing_) forget_what_was_removed(refused, out);
  if (applied.not_tried != 0) last_deletion_.reset();
  steps_ = {};

  if (last_deletion_) {
    phase_ = Phase::resting;
    wake_at_ = now + kRestBeforeLastDeletion;
    return;
  }
  if (removing_) return finish(out);
  phase_ = Phase::idle;
  go_on(desired, now, out);
}

void Reconciler::on_event(const table_event::Tick&, const ipvs::Table& desired, core::Instant now,
                          TableActions& out) {
  if (!wake_at_ || now < *wake_at_) return;
  if (phase_ == Phase::closed) {
    wake_at_.reset();
    phase_ = Phase::opening;
    out.push_back(table_action::Open{});
  } else if (phase_ == Phase::resting) {
    delete_last_service(desired, now, out);
  } else if (phase_ == Phase::idle) {
    go_on(desired, now, out);
  }
}

void Reconciler::on_event(const table_event::Stopping& stop, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  stopping_ = true;
  others_ = stop.others;
  const bool unreachable =
      phase_ == Phase::waiting_for_start || phase_ == Phase::closed || phase_ == Phase::opening;
  if (stop.keep_table || unreachable)
    finish(out);
  else if (phase_ == Phase::idle)
    go_on(desired, now, out);
  // Reading, applying and resting end by themselves and come here again.
}

// What to do now, being idle; or what to wait for.
void Reconciler::go_on(const ipvs::Table& desired, core::Instant now, TableActions& out) {
  if (stopping_) return remove_ours(out);
  if (first_look_) {
    if (!whole_at_ || now >= *whole_at_) return read_all(out);
    wake_at_ = whole_at_;
    return;
  }
  if (!dirty_.empty()) reconcile_dirty(desired, now, out);
  if (phase_ != Phase::idle) return;
  if (whole_at_ && now >= *whole_at_) return read_all(out);
  if (auto due = due_watches(now); !due.empty()) return read_some(std::move(due), out);
  if (now >= list_at_) return list_all(out);
  if (now >= window_at_) {
    window_at_ = now + look_interval(desired.services.size(), look_cost_);
    if (auto window = next_window(desired); !window.empty())
      return read_some(std::move(window), out);
  }

  wake_at_ = std::min(window_at_, list_at_);
  if (whole_at_) wake_at_ = std::min(*wake_at_, *whole_at_);
  for (const auto& [key, watch] : watched_) wake_at_ = std::min(*wake_at_, watch.look_at);
}

void Reconciler::begin_reading(Asked what) {
  phase_ = Phase::reading;
  asked_ = what;
  asked_for_.clear();
  wake_at_.reset();
}

void Reconciler::read_all(TableActions& out) {
  begin_reading(Asked::whole);
  whole_at_.reset();
  out.push_back(table_action::Read{});
}

void Reconciler::read_some(std::vector<ipvs::ServiceKey> keys, TableActions& out) {
  begin_reading(Asked::services);
  asked_for_ = keys;
  out.push_back(table_action::ReadServices{std::move(keys)});
}

void Reconciler::list_all(TableActions& out) {
  begin_reading(Asked::list);
  out.push_back(table_action::ListServices{});
}

std::vector<ipvs::ServiceKey> Reconciler::due_watches(core::Instant now) const {
  std::vector<ipvs::ServiceKey> due;
  for (const auto& [key, watch] : watched_)
    if (watch.look_at <= now) due.push_back(key);
  return due;
}

std::vector<ipvs::ServiceKey> Reconciler::next_window(const ipvs::Table& desired) {
  const auto& services = desired.services;
  std::vector<ipvs::ServiceKey> window;
  auto next = window_end_ ? services.upper_bound(*window_end_) : services.begin();
  while (window.size() < std::min(kServicesPerLook, services.size())) {
    if (next == services.end()) next = services.begin();
    window.push_back(next->first);
    ++next;
  }
  if (!window.empty()) window_end_ = window.back();
  return window;
}

void Reconciler::learn_cost(const table_event::ServicesWereRead& read) {
  if (read.keys.size() < kServicesPerLook) return;  // a single service says little of a look
  const core::Duration now = read.took * static_cast<std::int64_t>(kServicesPerLook) /
                             static_cast<std::int64_t>(read.keys.size());
  look_cost_ = std::max(now, (3 * look_cost_ + now) / 4);
}

void Reconciler::reading_succeeded(TableActions& out) {
  phase_ = Phase::idle;
  disagreements_ = 0;
  if (error_) out.push_back(table_action::ReportAccess{std::nullopt});
  error_.reset();
}

void Reconciler::lose_access(const std::string& sentence, core::Instant now, TableActions& out) {
  if (stopping_) return finish(out);
  if (error_ != sentence) out.push_back(table_action::ReportAccess{sentence});
  error_ = sentence;
  phase_ = Phase::closed;
  watched_.clear();
  whole_at_.reset();
  wake_at_ = now + kReopenInterval;
}

void Reconciler::finish(TableActions& out) {
  phase_ = Phase::finished;
  wake_at_.reset();
  out.push_back(table_action::Finished{});
}

}  // namespace holdfast::checkers
