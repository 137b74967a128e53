// Instance in Master: RFC 3768 §6.4.3, RFC 9568 §6.4.3, with keepalived's announcements.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

/// A weaker master is announced against at most so often.
constexpr Duration kAnnounceAgainstEvery = 1s;

/// The next beat after `now` of a rhythm that last beat at `previous`: late by several, only one is
/// made up.
Instant next_beat(Instant previous, Duration interval, Instant now) {
  const Instant next = previous + interval;
  if (next > now) return next;
  return next + ((now - next) / interval + 1) * interval;
}

std::optional<Instant> first_refresh(const InstanceSettings& settings, Instant now) {
  if (settings.garp.refresh <= Duration::zero()) return std::nullopt;
  return now + settings.garp.refresh;
}

std::optional<Instant> first_extra(const InstanceSettings& settings, Instant now) {
  if (!settings.extra_announcements) return std::nullopt;
  return now + settings.extra_announcements->every;
}

}  // namespace

void Instance::become_master(std::string why, Instant now, Actions& out) {
  Master master{.next_advert_at = now + settings_.advert_interval,
                .announce_again_at = {},
                .announce_again_repeat = settings_.garp.repeat,
                .refresh_at = first_refresh(settings_, now),
                .extra_at = first_extra(settings_, now),
                .answer_from = {},
                .answer_announce_from = {}};
  if (settings_.garp.delay > Duration::zero() && settings_.garp.repeat > 0) {
    master.announce_again_at = now + settings_.garp.delay;
  }

  send_advert(priority_, now, out);
  out.emplace_back(PublishAddresses{subject_, addresses_});
  if (settings_.garp.repeat > 0) announce(settings_.garp.repeat, out);
  ++counters_.became_master;
  became_master_at_ = now;
  rival_.reset();
  change_state(master, std::move(why), now, out);
  notify(NotifyState::master, out);
}

// No peer can have timed out yet: go on where the predecessor stopped. Nothing is announced and
// nobody is notified, because nothing has changed for peers, clients and scripts. Partners are
// spoken to as before; an interval that has changed meanwhile they learn at once.
void Instance::resume_as_master(const ResumeFromPage& page, Instant now, Actions& out) {
  became_master_at_ = page.became_master_at;
  last_advert_at_ = page.last_advert_at;
  if (const auto source = source_address(); page.checksum && source) {
    for (const IpAddress& destination : destinations(*source))
      dialects_.ensure().push_back({destination, *page.checksum, 0, now});
  }
  const bool is_on_beat = promised_by(page) == silence_allowed(settings_);
  const Instant next =
      is_on_beat ? std::max(now, last_advert_at_ + settings_.advert_interval) : now;
  Master master{.next_advert_at = next,
                .announce_again_at = {},
                .announce_again_repeat = 0,
                .refresh_at = first_refresh(settings_, now),
                .extra_at = first_extra(settings_, now),
                .answer_from = {},
                .answer_announce_from = {}};
  out.emplace_back(PublishAddresses{subject_, addresses_});
  change_state(master,
               fmt::format("resumed after a restart of this process, last advert {:.3f} s ago",
                           seconds(now - last_advert_at_)),
               now, out);
  since_ = became_master_at_;
}

void Instance::tick_master(Instant now, Master& master, Actions& out) {
  if (setback_ && now - became_master_at_ >= kServesWellAfter) setback_.reset();
  if (master.next_advert_at <= now) {
    // One that says what had to wait counts like what it waited for.
    if (master.answer_from == master.next_advert_at)
      master.answer_from = now + settings_.advert_interval / 2;
    send_advert(priority_, now, out);
    master.next_advert_at = next_beat(master.next_advert_at, settings_.advert_interval, now);
  }
  if (master.announce_again_at && *master.announce_again_at <= now) {
    master.announce_again_at.reset();
    announce(master.announce_again_repeat, out);
  }
  if (master.refresh_at && *master.refresh_at <= now) {
    master.refresh_at = next_beat(*master.refresh_at, settings_.garp.refresh, now);
    announce(settings_.garp.refresh_repeat, out);
  }
  if (master.extra_at && *master.extra_at <= now) {
    const ExtraAnnouncements& extra = *settings_.extra_announcements;
    master.extra_at = next_beat(*master.extra_at, extra.every, now);
    out.emplace_back(Announce{subject_, extra.addresses, 1});
  }
}

void Instance::announce(std::uint32_t repeat, Actions& out) const {
  out.emplace_back(Announce{subject_, addresses_, repeat});
}

std::optional<Announce> Instance::announcement() const {
  if (state_name() != StateName::master) return std::nullopt;
  return Announce{subject_, addresses_, settings_.garp.refresh_repeat};
}

void Instance::on_advert_as_master(const AdvertReceived& event, Instant now, Master& master,
                                   Actions& out) {
  const std::uint8_t priority = event.advert.priority;
  if (priority == kResignPriority) {
    if (master.answer_from && now < *master.answer_from) return;  // it was told a moment ago
    master.answer_from = now + settings_.advert_interval / 2;
    send_advert(priority_, now, out);
    master.next_advert_at = now + settings_.advert_interval;
    return;
  }
  const bool better = priority > priority_;
  const bool equal_but_higher_address = priority == priority_ && event.source > source_address();
  if (!better && !equal_but_higher_address) {
    on_lower_priority_as_master(event, now, master, out);
    return;
  }
  if (settings_.higher_priority_send_advert) send_advert(priority_, now, out);
  std::string why = better ? fmt::format("{} advertises priority {}, ours is {}",
                                         event.source.to_string(), priority, priority_)
                           : fmt::format("{} advertises our priority {} from a higher address",
                                         event.source.to_string(), priority);
  // Without priority 0: somebody better is there.
  ++counters_.released_master;
  placement_.reset();
  out.emplace_back(WithdrawAddresses{subject_});
  const Duration interval = event.advert.interval;
  listen(interval, now + down_interval(interval), std::move(why), now, out);
  notify(NotifyState::backup, out);
}

// Another master that should yield: tell it, and win back the switches that learned its address
// meanwhile.
void Instance::on_lower_priority_as_master(const AdvertReceived& event, Instant now, Master& master,
                                           Actions& out) {
  if (settings_.lower_priority_answer != LowerPriorityAnswer::none &&
      (!master.answer_from || now >= *master.answer_from)) {
    master.answer_from = now + settings_.advert_interval / 2;
    if (settings_.lower_priority_answer == LowerPriorityAnswer::advert_and_announce) {
      send_advert(priority_, now, out);
    }
    const bool may_announce = !master.answer_announce_from || now >= *master.answer_announce_from;
    if (settings_.garp.lower_priority_repeat > 0 && may_announce) {
      master.answer_announce_from = now + kAnnounceAgainstEvery;
      announce(settings_.garp.lower_priority_repeat, out);
      if (settings_.garp.lower_priority_delay > Duration::zero()) {
        master.announce_again_at = now + settings_.garp.lower_priority_delay;
        master.announce_again_repeat = settings_.garp.lower_priority_repeat;
      }
    }
  }
  note_rival(event, now, out);
  stop_if_unheard(now, out);
}

// After so long a silence a peer may be master. Whether one is shows within one interval, ours or,
// in version 3, that of the peer heard last: a new master must advertise, and its advert makes this
// a full Master_Down_Interval again. A director without peers is back after interval + skew. It
// cannot be told apart from one whose backup is silent (backups never speak), so there is no
// exception for it.
void Instance::on_pause_as_master(const ProcessPaused& event, Instant now, Actions& out) {
  const Duration silent_for = now - last_advert_at_ + event.uncounted;
  if (silent_for <= silence_allowed(settings_)) return;
  ++counters_.pauses;
  ++counters_.released_master;
  placement_.reset();
  out.emplace_back(WithdrawAddresses{subject_});
  Duration interval = settings_.advert_interval;
  const bool knows_peer = heard_master_ && now - heard_master_->heard_at <= kPeerMemory;
  if (settings_.version == 3 && knows_peer) interval = std::max(interval, heard_master_->interval);
  listen(interval, now + interval + own_skew_time(interval),
         fmt::format("this process did not run for {:.3f} s, a peer may have taken over",
                     seconds(event.gap)),
         now, out);
  std::get<Backup>(state_).restarted_after_pause = true;
  notify(NotifyState::backup, out);
}

// At once, and peers can judge: keepalived's next advert says it. At most twice an interval,
// because what is tracked may flap.
void Instance::advertise_change(Instant now, Master& master, Actions& out) {
  if (master.answer_from && now < *master.answer_from) {
    master.next_advert_at = std::min(master.next_advert_at, *master.answer_from);
    return;
  }
  master.answer_from = now + settings_.advert_interval / 2;
  send_advert(priority_, now, out);
  master.next_advert_at = now + settings_.advert_interval;
}

void Instance::reconfigure_master(const InstanceSettings& old, Instant now, Master& master,
                                  Actions& out) {
  master.next_advert_at = std::min(master.next_advert_at, now + settings_.advert_interval);
  if (old.garp.refresh != settings_.garp.refresh) master.refresh_at = first_refresh(settings_, now);
  if (old.extra_announcements != settings_.extra_announcements)
    master.extra_at = first_extra(settings_, now);
  const AddressList before = old.all_addresses();
  if (before == addresses_) return;
  out.emplace_back(PublishAddresses{subject_, addresses_});
  const bool something_new =
      std::any_of(addresses_.begin(), addresses_.end(), [&](const VirtualAddress& address) {
        return std::find(before.begin(), before.end(), address) == before.end();
      });
  if (something_new && settings_.garp.repeat > 0) announce(settings_.garp.repeat, out);
}

}  // namespace holdfast::vrrp
