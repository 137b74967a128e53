// Instance in Backup: RFC 3768 §6.4.2, RFC 9568 §6.4.2, with keepalived's preempt_delay.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

namespace holdfast::vrrp {

Duration Instance::down_interval(Duration master_adver_interval) const {
  return master_down_interval(settings_, master_adver_interval, priority_);
}

Duration Instance::own_skew_time(Duration master_adver_interval) const {
  return skew_time(priority_, master_adver_interval, settings_.version);
}

void Instance::listen(Duration interval, Instant master_down_at, std::string why, Instant now,
                      Actions& out) {
  change_state(Backup{.master_down_at = master_down_at,
                      .master_adver_interval = interval,
                      .preempt_allowed_at = {},
                      .restarted_after_pause = false},
               std::move(why), now, out);
}

void Instance::on_advert_as_backup(const AdvertReceived& event, Instant now, Backup& backup) {
  const std::uint8_t priority = event.advert.priority;
  if (priority == kResignPriority) {
    // RFC 3768 §6.4.2 sets the timer to Skew_Time; one that has less left keeps that, or a
    // resigning master would lengthen it.
    backup.master_down_at =
        std::min(backup.master_down_at, now + own_skew_time(backup.master_adver_interval));
    return;
  }
  // We hear: the next pause deserves its own benefit of the doubt.
  backup.restarted_after_pause = false;
  if (priority >= priority_) backup.preempt_allowed_at.reset();
  if (priority < priority_ && settings_.may_preempt() && !must_not_preempt(now)) {
    if (!backup.preempt_allowed_at) backup.preempt_allowed_at = now + settings_.preempt_delay;
    if (now >= *backup.preempt_allowed_at) return;  // we outrank the sender: let our timer run out
  }
  backup.is_ready = false;
  backup.master_adver_interval = event.advert.interval;
  backup.master_down_at = now + down_interval(backup.master_adver_interval);
}

// We were deaf: silence proves nothing about the master. Listen once more, but only once, so that a
// starved host which is late every time still takes over in the end.
void Instance::on_pause_as_backup(const ProcessPaused& event, Instant now, Backup& backup) {
  if (backup.master_down_at > now || event.gap < backup.master_adver_interval ||
      backup.restarted_after_pause)
    return;
  backup.master_down_at = now + down_interval(backup.master_adver_interval);
  backup.restarted_after_pause = true;
  backup.is_ready = false;
  ++counters_.pauses;
}

// A master that is there is heard within its interval; one of its adverts may be lost.
void Instance::hear_again(Instant now) {
  auto& backup = std::get<Backup>(state_);
  backup.master_down_at = std::max(backup.master_down_at, now + 2 * backup.master_adver_interval);
}

// Other settings, or another priority by what is tracked.
void Instance::reconfigure_backup(const InstanceSettings& old, std::uint8_t old_priority,
                                  Instant now, Backup& backup) {
  const bool lives_by_master = old.version == 3 && settings_.version == 3 && heard_master_;
  const bool other_rhythm = old.advert_interval != settings_.advert_interval ||
                            old.down_timer_adverts != settings_.down_timer_adverts ||
                            old.version != settings_.version;
  if (lives_by_master) {  // RFC 9568 §6.1: its interval is not ours to configure
    const Duration interval = backup.master_adver_interval;
    backup.master_down_at +=
        down_interval(interval) - master_down_interval(old, interval, old_priority);
  } else if (other_rhythm) {
    backup.master_adver_interval = settings_.advert_interval;
    backup.master_down_at = now + down_interval(backup.master_adver_interval);
    backup.is_ready = false;
  } else {  // only Skew_Time moves; what has run of the timer stays
    move_skew_time(old_priority, backup);
  }
  if (old.preempt_delay != settings_.preempt_delay) backup.preempt_allowed_at.reset();
  if (!backup.is_ready || !hears_better_master(now)) return;
  // Its time had come because the master that it hears was the weaker one. That is true no more, so
  // that one's last advert counts after all.
  backup.is_ready = false;
  backup.master_down_at = heard_master_->heard_at + down_interval(backup.master_adver_interval);
}

void Instance::move_skew_time(std::uint8_t old_priority, Backup& backup) const {
  const Duration interval = backup.master_adver_interval;
  backup.master_down_at +=
      own_skew_time(interval) - skew_time(old_priority, interval, settings_.version);
}

std::string Instance::why_take_over(Instant now) const {
  const auto heard_for = [&] { return seconds(now - heard_master_->heard_at); };
  if (!heard_master_) return "no master was heard";
  const std::string who = heard_master_->address.to_string();
  if (master_resigned_) return fmt::format("{} resigned", who);
  if (heard_for() >= seconds(silence_allowed(settings_, heard_master_->interval))) {
    return fmt::format("{} was silent for {:.3f} s", who, heard_for());
  }
  return fmt::format("{} advertises priority {}, ours is {}", who, heard_master_->priority,
                     priority_);
}

}  // namespace holdfast::vrrp
