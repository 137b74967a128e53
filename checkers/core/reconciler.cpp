#include "checkers/core/reconciler.hpp"

#include <algorithm>

namespace holdfast::checkers {

namespace {

/// The part of a table that is under these keys.
ipvs::Table part_of(const ipvs::Table& table, const std::set<ipvs::ServiceKey>& keys) {
  ipvs::Table part;
  for (const ipvs::ServiceKey& key : keys)
    if (const auto found = table.services.find(key); found != table.services.end())
      part.services.insert(*found);
  return part;
}

const ipvs::ServiceKey& key_of(const ipvs::Difference& difference) {
  return std::visit([](const auto& one) -> const ipvs::ServiceKey& { return one.key; }, difference);
}

}  // namespace

void Reconciler::step(const TableEvent& event, const ipvs::Table& desired, core::Instant now,
                      TableActions& out) {
  if (phase_ == Phase::finished) return;
  std::visit([&](const auto& happened) { on_event(happened, desired, now, out); }, event);
}

std::optional<core::Instant> Reconciler::deadline() const {
  return wake_at_;
}

void Reconciler::on_event(const table_event::Started& started, const ipvs::Table&, core::Instant,
                          TableActions& out) {
  owned_ = started.owned;
  phase_ = Phase::opening;
  out.push_back(table_action::Open{});
}

void Reconciler::on_event(const table_event::Opened&, const ipvs::Table&, core::Instant,
                          TableActions& out) {
  if (error_) out.push_back(table_action::ReportAccess{std::nullopt});
  error_.reset();
  look(out);
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
  actual_ = read.table;
  if (stopping_) return remove_ours(out);
  reconcile_all(desired, now, out);
}

void Reconciler::on_event(const table_event::DesiredChanged& changed, const ipvs::Table& desired,
                          core::Instant, TableActions& out) {
  dirty_.insert(changed.keys.begin(), changed.keys.end());
  if (phase_ == Phase::idle && !stopping_) reconcile_dirty(desired, out);
}

void Reconciler::on_event(const table_event::Applied& applied, const ipvs::Table& desired,
                          core::Instant now, TableActions& out) {
  // What was refused or not tried did not happen; everything else did.
  std::set<std::size_t> refused;
  for (const auto& failure : applied.failures) refused.insert(failure.index);
  for (std::size_t i = steps_.size() - applied.not_tried; i < steps_.size(); ++i) refused.insert(i);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (!refused.contains(i)) static_cast<void>(ipvs::apply_step(steps_[i], actual_));
  if (steps_are_whole_) report_failures(applied, out);
  steps_.clear();
  if (removing_) return finish(out);
  if (stopping_) return remove_ours(out);

  phase_ = Phase::idle;
  // A refusal of a plan that was made without looking means that the table is not what we thought:
  // look soon. A refusal after looking will be the same next time: do not hurry.
  wake_at_ = now + (steps_are_whole_ && !refused.empty() ? kCompareInterval : kReadBackDelay);
  if (!dirty_.empty()) reconcile_dirty(desired, out);
}

void Reconciler::on_event(const table_event::Tick&, const ipvs::Table&, core::Instant now,
                          TableActions& out) {
  if (!wake_at_ || now < *wake_at_) return;
  if (phase_ == Phase::closed) {
    wake_at_.reset();
    phase_ = Phase::opening;
    out.push_back(table_action::Open{});
  } else if (phase_ == Phase::idle) {
    look(out);
  }
}

void Reconciler::on_event(const table_event::Stopping& stop, const ipvs::Table&, core::Instant,
                          TableActions& out) {
  stopping_ = true;
  wake_at_.reset();
  const bool unreachable =
      phase_ == Phase::waiting_for_start || phase_ == Phase::closed || phase_ == Phase::opening;
  if (stop.keep_table || unreachable)
    finish(out);
  else if (phase_ == Phase::idle)
    remove_ours(out);
  // Reading and applying end by themselves and come here again.
}

void Reconciler::look(TableActions& out) {
  phase_ = Phase::reading;
  wake_at_.reset();
  out.push_back(table_action::Read{});
}

void Reconciler::lose_access(const std::string& sentence, core::Instant now, TableActions& out) {
  if (stopping_) return finish(out);
  if (error_ != sentence) out.push_back(table_action::ReportAccess{sentence});
  error_ = sentence;
  phase_ = Phase::closed;
  settled_ = false;
  wake_at_ = now + kReopenInterval;
}

void Reconciler::reconcile_all(const ipvs::Table& desired, core::Instant now, TableActions& out) {
  own(desired, out);
  ipvs::Plan steps = ipvs::plan(desired, actual_, owned_);
  if (!read_once_)
    report_first_look(desired, steps.size(), out);
  else if (settled_ && dirty_.empty() && !steps.empty())
    report_drift(desired, out);
  read_once_ = true;
  dirty_.clear();

  ipvs::OwnedKeys foreign = ipvs::foreign_keys(desired, actual_, owned_);
  if (foreign != foreign_) out.push_back(table_action::ReportForeign{foreign});
  foreign_ = std::move(foreign);
  disown_what_is_gone(desired, out);

  settled_ = steps.empty();
  if (!steps.empty()) return apply(std::move(steps), true, out);
  failures_.clear();
  phase_ = Phase::idle;
  wake_at_ = now + kCompareInterval;
}

void Reconciler::reconcile_dirty(const ipvs::Table& desired, TableActions& out) {
  const ipvs::Table wanted = part_of(desired, dirty_);
  const ipvs::Table present = part_of(actual_, dirty_);
  dirty_.clear();
  own(wanted, out);
  ipvs::Plan steps = ipvs::plan(wanted, present, owned_);
  if (!steps.empty()) apply(std::move(steps), false, out);
}

void Reconciler::report_first_look(const ipvs::Table& desired, std::size_t steps,
                                   TableActions& out) {
  std::size_t found = 0;
  for (const auto& [key, service] : desired.services) found += actual_.services.count(key);
  if (found != 0) out.push_back(table_action::ReportAdopted{found, steps});
}

void Reconciler::report_drift(const ipvs::Table& desired, TableActions& out) {
  table_action::ReportDrift report;
  for (const ipvs::Difference& difference : ipvs::diff(desired, actual_)) {
    const ipvs::ServiceKey& key = key_of(difference);
    if (desired.services.contains(key) || owned_.contains(key))
      report.differences.push_back(ipvs::to_string(difference));
  }
  drift_ += report.differences.size();
  out.push_back(std::move(report));
}

void Reconciler::report_failures(const table_event::Applied& applied, TableActions& out) {
  // A service that could not be made takes the steps about its servers along: one message is
  // enough.
  std::set<ipvs::ServiceKey> said;
  std::set<std::string> failures;
  for (const auto& failure : applied.failures) {
    if (failure.index < steps_.size() && !said.insert(ipvs::key_of(steps_[failure.index])).second)
      continue;
    if (!failures.insert(failure.sentence).second) continue;  // a kernel that is gone: once
    if (!failures_.contains(failure.sentence))
      out.push_back(table_action::ReportFailedStep{failure.sentence});
  }
  failures_ = std::move(failures);
}

void Reconciler::own(const ipvs::Table& desired, TableActions& out) {
  const std::size_t before = owned_.size();
  for (const auto& [key, service] : desired.services) owned_.insert(key);
  if (owned_.size() != before) out.push_back(table_action::SaveOwned{owned_});
}

void Reconciler::disown_what_is_gone(const ipvs::Table& desired, TableActions& out) {
  const std::size_t gone = std::erase_if(owned_, [&](const ipvs::ServiceKey& key) {
    return !desired.services.contains(key) && !actual_.services.contains(key);
  });
  if (gone != 0) out.push_back(table_action::SaveOwned{owned_});
}

void Reconciler::apply(ipvs::Plan steps, bool whole_table, TableActions& out) {
  steps_ = std::move(steps);
  steps_are_whole_ = whole_table;
  settled_ = false;
  phase_ = Phase::applying;
  wake_at_.reset();
  out.push_back(table_action::Apply{steps_});
}

void Reconciler::remove_ours(TableActions& out) {
  removing_ = true;
  ipvs::Plan steps = ipvs::plan({}, actual_, owned_);
  if (steps.empty()) return finish(out);
  apply(std::move(steps), true, out);
}

void Reconciler::finish(TableActions& out) {
  if (removing_) disown_what_is_gone({}, out);  // what the kernel would not let go stays ours
  phase_ = Phase::finished;
  wake_at_.reset();
  out.push_back(table_action::Finished{});
}

}  // namespace holdfast::checkers
