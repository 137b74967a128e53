// Instance as a member of a sync group: what its group sees of it, and does with it.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"

namespace holdfast::vrrp {
namespace {

/// What faults_ calls the fault of another member.
const std::string kFromGroup = "sync group";

}  // namespace

bool Instance::is_member() const {
  return !settings_.sync_group.empty();
}

const std::string* Instance::own_fault() const {
  for (const auto& [source, sentence] : faults_.all())
    if (source != kFromGroup) return &sentence;
  return nullptr;
}

GroupMember Instance::as_member(Instant now) const {
  const auto* init = std::get_if<Init>(&state_);
  const auto* backup = std::get_if<Backup>(&state_);
  const bool waits = init != nullptr && init->waits_for_group;
  return {.state = state_name(),
          .is_ready = waits || (backup != nullptr && backup->is_ready),
          .has_fault = own_fault() != nullptr,
          .waits_at_start = waits,
          .hears_better = backup != nullptr && hears_better_master(now)};
}

// A backup's question.
bool Instance::hears_better_master(Instant now) const {
  if (!hears_another_master(now)) return false;
  if (heard_master_->priority >= priority_ || !settings_.may_preempt()) return true;
  if (must_not_preempt(now)) return true;
  const Instant allowed_at = std::get<Backup>(state_).preempt_allowed_at.value_or(
      heard_master_->heard_at + settings_.preempt_delay);
  return now < allowed_at;
}

bool Instance::may_resume(Instant now) const {
  return resume_ && faults_.empty() && now - resume_->last_advert_at < promised_by(*resume_);
}

void Instance::on(const GroupFault& event, Instant now, Actions& out) {
  if (event.sentence.empty()) {
    faults_.remove(kFromGroup);
  } else {
    faults_.add(kFromGroup, event.sentence);
  }
  reconsider_faults(now, out);
}

void Instance::on(const GroupForgetsPage&, Instant, Actions&) {
  if (!resume_) return;
  resume_.reset();
  resumed_priority_ = 0;
  priority_ = reckon_priority();
}

void Instance::on(const GroupSays& event, Instant now, Actions& out) {
  switch (event.wish) {
    case GroupWish::nothing:
      return;
    case GroupWish::take_over:
      return become_master(event.why.empty() ? why_in_group(now) : event.why, now, out);
    case GroupWish::yield:
      return step_down(event.why, now, out);
    case GroupWish::resign:
      send_advert(kResignPriority, now, out);
      return step_down(event.why, now, out);
    case GroupWish::listen:
      break;
  }
  const Duration interval = master_interval(now);
  listen(interval, now + down_interval(interval), event.why, now, out);
  std::get<Backup>(state_).is_ready = true;  // an owner waits for nobody but the others
  notify(NotifyState::backup, out);
}

std::string Instance::why_in_group(Instant now) const {
  return state_name() == StateName::init ? "started, priority 255 owns the addresses"
                                         : why_take_over(now);
}

void Instance::on(const GroupHandsOver& event, Instant, Actions& out) {
  auto* init = std::get_if<Init>(&state_);
  if (init == nullptr || !init->handover_until || *init->handover_until >= event.until) return;
  init->handover_until = event.until;
  remember(out);
}

// Without priority 0. When a member of a group has yielded, the group that it has yielded to is
// master here, too, or will be as soon as it may.
void Instance::step_down(const std::string& why, Instant now, Actions& out) {
  ++counters_.released_master;
  placement_.reset();
  out.emplace_back(WithdrawAddresses{subject_});
  const Duration interval = master_interval(now);
  listen(interval, now + down_interval(interval), why, now, out);
  notify(NotifyState::backup, out);
}

// Another group, or none: what the old one wanted is over.
void Instance::leave_group(const InstanceSettings& old) {
  if (old.sync_group == settings_.sync_group) return;
  faults_.remove(kFromGroup);
  if (auto* backup = std::get_if<Backup>(&state_)) backup->is_ready = false;
}

}  // namespace holdfast::vrrp
