#include "vrrp/core/instance.hpp"

#include "vrrp/core/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

/// How often one kind of peer problem is repeated while it lasts.
constexpr Duration kReportEvery = 60s;
const std::string kFromInterface = "interface";
const std::string kFromAddresses = "addresses";

/// One lambda for each alternative; a missing one does not compile.
template <class... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Match(Handlers...) -> Match<Handlers...>;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// The next beat after `now` of a rhythm that last beat at `previous`: late by several, only one is
/// made up.
Instant next_beat(Instant previous, Duration interval, Instant now) {
  const Instant next = previous + interval;
  if (next > now) return next;
  return next + ((now - next) / interval + 1) * interval;
}

std::string join(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses)
    text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

}  // namespace

Instance::Instance(InstanceId id, InstanceSettings settings)
    : id_(id), settings_(std::move(settings)) {
  set_interface_fault();
}

void Instance::step(const InstanceEvent& event, Instant now, Actions& out) {
  std::visit([&](const auto& known) { on(known, now, out); }, event);
}

std::optional<Instant> Instance::deadline() const {
  const auto earlier = [](std::optional<Instant> a, std::optional<Instant> b) {
    return !a ? b : !b ? a : std::min(*a, *b);
  };
  return std::visit(Match{[](const Init& init) { return init.handover_until; },
                          [](const Backup& backup) { return std::optional(backup.master_down_at); },
                          [&](const Master& master) {
                            return earlier(master.next_advert_at,
                                           earlier(master.announce_again_at, master.refresh_at));
                          },
                          [](const Fault& fault) { return fault.retry_addresses_at; }},
                    state_);
}

bool Instance::holds_addresses() const {
  return std::visit(Match{[](const Init& init) { return init.handover_until.has_value(); },
                          [](const Backup&) { return false; }, [](const Master&) { return true; },
                          [](const Fault&) { return false; }},
                    state_);
}

std::optional<IpAddress> Instance::source_address() const {
  if (!interface_ || !interface_->up) return std::nullopt;
  return settings_.source_address ? settings_.source_address : interface_->primary_address;
}

// ---- Startup and resume ----

void Instance::on(const Startup&, Instant now, Actions& out) {
  if (state_name() != StateName::init || leaving_ != Leaving::no)
    return;  // started already, or on its way out
  const auto page = std::exchange(resume_, std::nullopt);
  if (page && faults_.empty() && now - page->last_advert_at < silence_allowed(settings_)) {
    became_master_at_ = page->became_master_at;
    last_advert_at_ = page->last_advert_at;
    resume_as_master(now, out);
    return;
  }
  out.emplace_back(WithdrawAddresses{id_});  // a crash may have left them in the kernel
  if (faults_.empty()) {
    start_election("started", now, out);
  } else {
    enter_fault(now, out);
  }
}

void Instance::on(const ResumeFromPage& event, Instant, Actions&) {
  resume_ = event;
}

// No peer can have timed out yet: go on where the predecessor stopped. Nothing is announced and
// nobody is notified, because nothing has changed for peers, clients and scripts.
void Instance::resume_as_master(Instant now, Actions& out) {
  const Instant next = std::max(now, last_advert_at_ + settings_.advert_interval);
  Master master{.next_advert_at = next,
                .announce_again_at = {},
                .announce_again_repeat = 0,
                .refresh_at = {},
                .answer_lower_from = {}};
  if (settings_.garp.refresh > Duration::zero()) master.refresh_at = now + settings_.garp.refresh;
  out.emplace_back(PublishAddresses{id_, settings_.all_addresses()});
  change_state(master,
               fmt::format("resumed after a restart of this process, last advert {:.3f} s ago",
                           seconds(now - last_advert_at_)),
               now, out);
  since_ = became_master_at_;
}

void Instance::start_election(std::string why, Instant now, Actions& out) {
  if (settings_.starts_as_master()) {
    become_master(why + ", priority 255 owns the addresses", now, out);
    return;
  }
  // RFC 3768 §6.4.1: listen for Master_Down_Interval first, whatever `state` says (keepalived too).
  change_state(
      Backup{.master_down_at = now + master_down_interval(settings_, settings_.advert_interval),
             .preempt_allowed_at = {},
             .restarted_after_pause = false},
      std::move(why), now, out);
  notify(NotifyState::backup, out);
}

// ---- Time ----

void Instance::on(const Tick&, Instant now, Actions& out) {
  std::visit(Match{[&](Init& init) {
                     if (init.handover_until && *init.handover_until <= now) finish_handover(out);
                   },
                   [&](Backup& backup) {
                     if (backup.master_down_at <= now) become_master(why_take_over(now), now, out);
                   },
                   [&](Master& master) { tick_master(now, master, out); },
                   [&](Fault& fault) {
                     if (!fault.retry_addresses_at || *fault.retry_addresses_at > now) return;
                     fault.retry_addresses_at.reset();
                     faults_.remove(kFromAddresses);
                     reconsider_faults(now, out);
                   }},
             state_);
}

void Instance::tick_master(Instant now, Master& master, Actions& out) {
  if (master.next_advert_at <= now) {
    send_advert(settings_.priority, now, out);
    master.next_advert_at = next_beat(master.next_advert_at, settings_.advert_interval, now);
  }
  if (master.announce_again_at && *master.announce_again_at <= now) {
    master.announce_again_at.reset();
    out.emplace_back(Announce{id_, master.announce_again_repeat});
  }
  if (master.refresh_at && *master.refresh_at <= now) {
    master.refresh_at = next_beat(*master.refresh_at, settings_.garp.refresh, now);
    out.emplace_back(Announce{id_, settings_.garp.refresh_repeat});
  }
}

std::string Instance::why_take_over(Instant now) const {
  const auto heard_for = [&] { return seconds(now - heard_master_->heard_at); };
  if (!heard_master_) return "no master was heard";
  const std::string who = heard_master_->address.to_string();
  if (master_resigned_) return fmt::format("{} resigned", who);
  if (heard_for() >= seconds(silence_allowed(settings_))) {
    return fmt::format("{} was silent for {:.3f} s", who, heard_for());
  }
  return fmt::format("{} advertises priority {}, ours is {}", who, heard_master_->priority,
                     settings_.priority);
}

// ---- Adverts ----

void Instance::on(const AdvertReceived& advert, Instant now, Actions& out) {
  note_sender(advert, now, out);
  std::visit(Match{[&](Init& init) {  // a successor speaks: its addresses follow in a moment
                     if (init.handover_until && advert.advert.priority != kResignPriority)
                       init.handover_until = std::min(*init.handover_until, now + kHandoverGrace);
                   },
                   [&](Backup& backup) { on_advert_as_backup(advert, now, backup); },
                   [&](Master& master) { on_advert_as_master(advert, now, master, out); },
                   [](Fault&) {}},  // counted and shown, but we do not take part
             state_);
}

// RFC 3768 §6.4.2, with keepalived's preempt_delay.
void Instance::on_advert_as_backup(const AdvertReceived& event, Instant now, Backup& backup) {
  const std::uint8_t priority = event.advert.priority;
  if (priority == kResignPriority) {
    backup.master_down_at = now + skew_time(settings_.priority);
    return;
  }
  // We hear: the next pause deserves its own benefit of the doubt.
  backup.restarted_after_pause = false;
  if (priority >= settings_.priority) backup.preempt_allowed_at.reset();
  if (priority < settings_.priority && settings_.may_preempt()) {
    if (!backup.preempt_allowed_at) backup.preempt_allowed_at = now + settings_.preempt_delay;
    if (now >= *backup.preempt_allowed_at) return;  // we outrank the sender: let our timer run out
  }
  backup.master_down_at = now + master_down_interval(settings_, event.advert.interval);
}

// RFC 3768 §6.4.3.
void Instance::on_advert_as_master(const AdvertReceived& event, Instant now, Master& master,
                                   Actions& out) {
  const std::uint8_t priority = event.advert.priority;
  if (priority == kResignPriority) {
    send_advert(settings_.priority, now, out);
    master.next_advert_at = now + settings_.advert_interval;
    return;
  }
  const bool better = priority > settings_.priority;
  const bool equal_but_higher_address =
      priority == settings_.priority && event.source > source_address();
  if (!better && !equal_but_higher_address) {
    on_lower_priority_as_master(event, now, master, out);
    return;
  }
  if (settings_.higher_priority_send_advert) send_advert(settings_.priority, now, out);
  std::string why = better ? fmt::format("{} advertises priority {}, ours is {}",
                                         event.source.to_string(), priority, settings_.priority)
                           : fmt::format("{} advertises our priority {} from a higher address",
                                         event.source.to_string(), priority);
  yield(now + master_down_interval(settings_, event.advert.interval), false, std::move(why), now,
        out);
}

// Another master that should yield: tell it, and win back the switches that learned its address
// meanwhile.
void Instance::on_lower_priority_as_master(const AdvertReceived&, Instant now, Master& master,
                                           Actions& out) {
  if (settings_.lower_priority_answer == LowerPriorityAnswer::none) return;
  if (master.answer_lower_from && now < *master.answer_lower_from) return;
  master.answer_lower_from = now + settings_.advert_interval / 2;

  if (settings_.lower_priority_answer == LowerPriorityAnswer::advert_and_announce) {
    send_advert(settings_.priority, now, out);
  }
  if (settings_.garp.lower_priority_repeat > 0) {
    out.emplace_back(Announce{id_, settings_.garp.lower_priority_repeat});
    if (settings_.garp.lower_priority_delay > Duration::zero()) {
      master.announce_again_at = now + settings_.garp.lower_priority_delay;
      master.announce_again_repeat = settings_.garp.lower_priority_repeat;
    }
  }
  notify(NotifyState::master_rx_lower_pri, out);
}

void Instance::note_sender(const AdvertReceived& event, Instant now, Actions& out) {
  const Advert& advert = event.advert;
  ++counters_.adverts_received;
  master_resigned_ = advert.priority == kResignPriority;
  if (master_resigned_) {
    ++counters_.priority_zero_received;
    if (heard_master_) heard_master_->heard_at = now;
  } else {
    heard_master_ = HeardMaster{event.source, advert.priority, now};
    peer_priority_ = std::min(peer_priority_.value_or(advert.priority), advert.priority);
  }

  if (!event.address_list_differs) {
    if (event.source == reported_addresses_from_) reported_addresses_.clear();
    return;
  }
  if (event.source == reported_addresses_from_ && advert.addresses == reported_addresses_) {
    counters_.rejected.add(RejectReason::address_list);
    return;
  }
  reported_addresses_ = advert.addresses;
  reported_addresses_from_ = event.source;
  reported_at_[static_cast<std::size_t>(RejectReason::address_list)]
      .reset();  // a change is always worth a line
  report(RejectReason::address_list, event.source,
         fmt::format("advertises other addresses than ours: {}", join(advert.addresses)), now, out);
}

void Instance::on(const AdvertRejected& event, Instant now, Actions& out) {
  report(event.rejected.reason, event.rejected.source, event.rejected.sentence, now, out);
}

void Instance::report(RejectReason reason, const IpAddress& source, const std::string& sentence,
                      Instant now, Actions& out) {
  counters_.rejected.add(reason);
  auto& reported_at = reported_at_[static_cast<std::size_t>(reason)];
  if (reported_at && now - *reported_at < kReportEvery) return;
  reported_at = now;
  out.emplace_back(PeerProblem{id_, reason, source, sentence, counters_.rejected[reason]});
}

// ---- Faults ----

void Instance::on(const InterfaceReport& event, Instant now, Actions& out) {
  interface_ = event.status;
  set_interface_fault();
  reconsider_faults(now, out);
}

void Instance::set_interface_fault() {
  const std::string& name = settings_.interface;
  if (!interface_) {
    faults_.add(kFromInterface, fmt::format("nothing is known about interface {} yet", name));
  } else if (!interface_->exists) {
    faults_.add(kFromInterface, fmt::format("interface {} does not exist", name));
  } else if (!interface_->up) {
    faults_.add(kFromInterface, fmt::format("interface {} is down or has no carrier", name));
  } else if (!source_address()) {
    faults_.add(kFromInterface, fmt::format("interface {} has no IPv4 address to send from", name));
  } else {
    faults_.remove(kFromInterface);
  }
}

void Instance::reconsider_faults(Instant now, Actions& out) {
  const bool faulty = !faults_.empty();
  std::visit(
      Match{[&](Init& init) {  // nobody can be heard on a broken interface: waiting is pointless
              if (faulty && init.handover_until) finish_handover(out);
            },
            [&](Backup&) {
              if (faulty) enter_fault(now, out);
            },
            [&](Master&) {
              if (faulty) enter_fault(now, out);
            },
            [&](Fault&) {
              if (!faulty) start_election("the fault is over", now, out);
            }},
      state_);
}

void Instance::on(const AddressesFailed& event, Instant now, Actions& out) {
  std::visit(Match{[&](Init& init) {
                     if (init.handover_until) finish_handover(out);
                   },
                   [](Backup&) {},  // an answer to an older wish: nothing is held now
                   [&](Master&) {
                     faults_.add(kFromAddresses, event.sentence);
                     enter_fault(now, out);
                     if (Fault* fault = std::get_if<Fault>(&state_)) {
                       fault->retry_addresses_at = now + settings_.address_retry_after;
                     }
                   },
                   [](Fault&) {}},
             state_);
}

void Instance::on(const AddressesRepaired&, Instant, Actions& out) {
  ++counters_.addresses_repaired;
  std::visit(Match{[](Init&) {}, [](Backup&) {},
                   [&](Master&) {
                     out.emplace_back(Announce{id_, std::max(settings_.garp.repeat, 1U)});
                   },
                   [](Fault&) {}},
             state_);
}

// Enters FAULT from any state. A master resigns if the interface can still carry that.
void Instance::enter_fault(Instant now, Actions& out) {
  if (state_name() == StateName::master) {
    if (source_address()) send_advert(kResignPriority, now, out);
    ++counters_.released_master;
    out.emplace_back(WithdrawAddresses{id_});
  }
  change_state(Fault{}, faults_.all().begin()->second, now, out);
  notify(NotifyState::fault, out);
}

// ---- Leaving ----

void Instance::on(const Shutdown&, Instant now, Actions& out) {
  leave(Leaving::stopped, now, out);
}

void Instance::on(const Remove&, Instant now, Actions& out) {
  leave(Leaving::removed, now, out);
}

void Instance::on(const ShutdownNow&, Instant now, Actions& out) {
  leave(Leaving::stopped, now, out);
  if (holds_addresses()) finish_handover(out);
}

// Make before break: a master resigns at once, but clients keep their address until the successor's
// advert is heard.
void Instance::leave(Leaving kind, Instant now, Actions& out) {
  if (leaving_ != Leaving::no) return;
  leaving_ = kind;
  const std::string why = kind == Leaving::stopped ? "stopping" : "removed from the configuration";
  const auto end_now = [&] {
    change_state(Init{}, why, now, out);
    notify(kind == Leaving::removed ? NotifyState::deleted : NotifyState::stop, out);
  };
  std::visit(Match{[](Init&) {}, [&](Backup&) { end_now(); },
                   [&](Master&) {
                     send_advert(kResignPriority, now, out);
                     ++counters_.released_master;
                     change_state(Init{now + handover_bound(settings_, peer_priority_)}, why, now,
                                  out);
                   },
                   [&](Fault&) { end_now(); }},
             state_);
}

void Instance::finish_handover(Actions& out) {
  state_ = Init{};
  out.emplace_back(WithdrawAddresses{id_});
  notify(leaving_ == Leaving::removed ? NotifyState::deleted : NotifyState::stop, out);
}

// ---- Pauses ----

void Instance::on(const ProcessPaused& event, Instant now, Actions& out) {
  std::visit(Match{[](Init&) {}, [&](Backup& backup) { on_pause_as_backup(event, now, backup); },
                   [&](Master&) { on_pause_as_master(event, now, out); }, [](Fault&) {}},
             state_);
}

// We were deaf: silence proves nothing about the master. Listen once more, but only once, so that a
// starved host which is late every time still takes over in the end.
void Instance::on_pause_as_backup(const ProcessPaused& event, Instant now, Backup& backup) {
  if (backup.master_down_at > now || event.gap < settings_.advert_interval ||
      backup.restarted_after_pause)
    return;
  backup.master_down_at = now + master_down_interval(settings_, settings_.advert_interval);
  backup.restarted_after_pause = true;
  ++counters_.pauses;
}

// After so long a silence a peer may be master. Whether one is shows within one interval: a new
// master must advertise, and its advert makes this a full Master_Down_Interval again. A director
// without peers is back after interval + skew. It cannot be told apart from one whose backup is
// silent (backups never speak), so there is no exception for it.
void Instance::on_pause_as_master(const ProcessPaused& event, Instant now, Actions& out) {
  const Duration silent_for = now - last_advert_at_ + event.uncounted;
  if (silent_for <= silence_allowed(settings_)) return;
  ++counters_.pauses;
  yield(now + settings_.advert_interval + skew_time(settings_.priority), true,
        fmt::format("this process did not run for {:.3f} s, a peer may have taken over",
                    seconds(event.gap)),
        now, out);
}

// ---- Reload ----

void Instance::on(const Reconfigure& event, Instant now, Actions& out) {
  const InstanceSettings old = std::exchange(settings_, event.settings);
  set_interface_fault();
  std::visit(
      Match{[](Init&) {},
            [&](Backup& backup) {
              const bool other_rhythm = old.advert_interval != settings_.advert_interval ||
                                        old.down_timer_adverts != settings_.down_timer_adverts;
              if (other_rhythm) {
                backup.master_down_at =
                    now + master_down_interval(settings_, settings_.advert_interval);
              } else {  // only Skew_Time moves; what has run of the timer stays
                backup.master_down_at += skew_time(settings_.priority) - skew_time(old.priority);
              }
              if (old.preempt_delay != settings_.preempt_delay) backup.preempt_allowed_at.reset();
            },
            [&](Master& master) {
              master.next_advert_at =
                  std::min(master.next_advert_at, now + settings_.advert_interval);
              if (old.garp.refresh != settings_.garp.refresh) {
                master.refresh_at.reset();
                if (settings_.garp.refresh > Duration::zero())
                  master.refresh_at = now + settings_.garp.refresh;
              }
              const auto before = old.all_addresses();
              const auto after = settings_.all_addresses();
              if (before == after) return;
              out.emplace_back(PublishAddresses{id_, after});
              const bool something_new =
                  std::any_of(after.begin(), after.end(), [&](const VirtualAddress& a) {
                    return std::find(before.begin(), before.end(), a) == before.end();
                  });
              if (something_new && settings_.garp.repeat > 0) {
                out.emplace_back(Announce{id_, settings_.garp.repeat});
              }
            },
            [](Fault&) {}},
      state_);
  reconsider_faults(now, out);
}

// ---- What transitions share. Order is contract: advert, addresses, announcements, notifications.
// ----

void Instance::become_master(std::string why, Instant now, Actions& out) {
  Master master{.next_advert_at = now + settings_.advert_interval,
                .announce_again_at = {},
                .announce_again_repeat = settings_.garp.repeat,
                .refresh_at = {},
                .answer_lower_from = {}};
  if (settings_.garp.delay > Duration::zero() && settings_.garp.repeat > 0) {
    master.announce_again_at = now + settings_.garp.delay;
  }
  if (settings_.garp.refresh > Duration::zero()) master.refresh_at = now + settings_.garp.refresh;

  send_advert(settings_.priority, now, out);
  out.emplace_back(PublishAddresses{id_, settings_.all_addresses()});
  if (settings_.garp.repeat > 0) out.emplace_back(Announce{id_, settings_.garp.repeat});
  ++counters_.became_master;
  became_master_at_ = now;
  change_state(master, std::move(why), now, out);
  notify(NotifyState::master, out);
}

// From Master to Backup, without priority 0: somebody better is there, or may be.
void Instance::yield(Instant master_down_at, bool after_pause, std::string why, Instant now,
                     Actions& out) {
  ++counters_.released_master;
  out.emplace_back(WithdrawAddresses{id_});
  change_state(Backup{.master_down_at = master_down_at,
                      .preempt_allowed_at = {},
                      .restarted_after_pause = after_pause},
               std::move(why), now, out);
  notify(NotifyState::backup, out);
}

void Instance::send_advert(std::uint8_t priority, Instant now, Actions& out) {
  ++counters_.adverts_sent;
  if (priority == kResignPriority) ++counters_.priority_zero_sent;
  last_advert_at_ = now;
  out.emplace_back(SendAdvert{id_, priority});
}

void Instance::change_state(State next, std::string why, Instant now, Actions& out) {
  const StateName from = state_name();
  state_ = next;
  since_ = now;
  why_ = std::move(why);
  out.emplace_back(StateChanged{id_, from, state_name(), why_});
}

void Instance::notify(NotifyState state, Actions& out) const {
  out.emplace_back(Notify{id_, state, settings_.priority});
}

}  // namespace holdfast::vrrp
