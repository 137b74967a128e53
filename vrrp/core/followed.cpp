// Instance and what it tracks: faults, and the effective priority. keepalived: track_interface,
// track_script.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <algorithm>

namespace holdfast::vrrp {

const Verdicts& Instance::verdicts() const {
  static const Verdicts kNone;
  return verdicts_ ? *verdicts_ : kNone;
}

// A successor goes on with its predecessor's sum until it knows all terms of its own: peers must
// not take a restart for a weaker, or stronger, director.
std::uint8_t Instance::reckon_priority() {
  const auto is_open = [this](const Tracker& each) { return may_still_count(each, verdicts()); };
  const bool knows_all =
      std::none_of(settings_.trackers.begin(), settings_.trackers.end(), is_open);
  if (knows_all) resumed_priority_ = 0;
  // Kept apart and clamped here: points beyond the least and the most come back whole.
  if (resumed_priority_ != 0)
    return vrrp::effective_priority(resumed_priority_, {}, {}, resumed_adds_);
  return vrrp::effective_priority(settings_.priority, settings_.trackers, verdicts(),
                                  steering().adds);
}

std::string Instance::priority_sum() const {
  return sum_text(settings_.priority, settings_.trackers, verdicts(), steering().adds);
}

bool Instance::waits_for_trackers() const {
  return std::any_of(settings_.trackers.begin(), settings_.trackers.end(),
                     [this](const Tracker& each) { return is_awaited(each, verdicts()); });
}

// Each has a reason of its own: the return of one takes only that away.
void Instance::set_tracker_faults() {
  const core::ReasonSet::Reasons before = faults_.all();
  for (const auto& [source, sentence] : before)
    if (source.starts_with(kTrackedSource)) faults_.remove(source);
  for (const Tracker& each : settings_.trackers) {
    std::string fault = fault_of(each, verdicts());
    if (!fault.empty())
      faults_.add(std::string(kTrackedSource) + to_string(each.id), std::move(fault));
  }
}

void Instance::on(const TrackerReport& event, Instant now, Actions& out) {
  verdicts_.ensure().insert_or_assign(event.tracker, event.verdict);
  set_tracker_faults();
  follow_priority(now, out);
  const auto* init = std::get_if<Init>(&state_);
  if (init == nullptr || !init->waits_for_trackers) return reconsider_faults(now, out);
  if (leaving_ == Leaving::no && !waits_for_trackers()) begin(now, out);
}

void Instance::follow_priority(Instant now, Actions& out) {
  const std::uint8_t before = std::exchange(priority_, reckon_priority());
  if (before == priority_) return;
  std::visit(Match{[](Init&) {},
                   [&](Backup& backup) { reconfigure_backup(settings_, before, now, backup); },
                   [&](Master& master) { advertise_change(now, master, out); }, [](Fault&) {}},
             state_);
  tell_priority(before, out);
}

// Who has not begun has no priority yet that somebody could know.
void Instance::tell_priority(std::uint8_t old_priority, Actions& out) const {
  if (old_priority == priority_ || state_name() == StateName::init) return;
  out.emplace_back(PriorityChanged{subject_, old_priority, priority_, priority_sum()});
  remember(out);
  // keepalived: one in FAULT is told of as a backup is.
  const bool is_master = state_name() == StateName::master;
  if (settings_.tells_priority)
    notify(is_master ? NotifyState::master_priority : NotifyState::backup_priority, out);
}

}  // namespace holdfast::vrrp
