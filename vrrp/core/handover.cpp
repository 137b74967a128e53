// Instance on its way out, by an orderly stop or by a reload that removes it. Make before break: a
// master resigns at once, but clients keep their address until the successor's advert is heard.
#include "vrrp/core/instance.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/core/timing.hpp"

namespace holdfast::vrrp {

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

void Instance::leave(Leaving kind, Instant now, Actions& out) {
  if (leaving_ != Leaving::no) return;
  leaving_ = kind;
  const std::string why = kind == Leaving::stopped ? "stopping" : "removed from the configuration";
  const auto end_now = [&] {
    change_state(Init{}, why, now, out);
    notify(kind == Leaving::removed ? NotifyState::deleted : NotifyState::stop, out);
  };
  const auto hand_over = [&] {
    const bool known = slowest_peer_ && now - slowest_peer_->heard_at <= kPeerMemory;
    send_advert(kResignPriority, now, out);
    ++counters_.released_master;
    change_state(Init{now + handover_bound(settings_, known ? std::optional(slowest_peer_->priority)
                                                            : std::nullopt)},
                 why, now, out);
  };
  std::visit(Match{[](Init&) {}, [&](Backup&) { end_now(); }, [&](Master&) { hand_over(); },
                   [&](Fault&) { end_now(); }},
             state_);
}

void Instance::finish_handover(Actions& out) {
  state_ = Init{};
  placement_.reset();
  out.emplace_back(WithdrawAddresses{subject_});
  remember(out);
  notify(leaving_ == Leaving::removed ? NotifyState::deleted : NotifyState::stop, out);
}

}  // namespace holdfast::vrrp
