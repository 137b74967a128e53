// Instance and what an operator asked of it: another priority for a while, or to leave its
// mastership to a peer. Not in the RFC, and keepalived has no word for it.
#include "vrrp/core/instance.hpp"

namespace holdfast::vrrp {

// A master that resigns says so, and the peer is master after its Skew_Time. Where no peer takes
// over, silence brings it back: addresses that nobody serves help nobody. Nor does a second time
// for one order, when another process goes on with it.
void Instance::on(const Steered& event, Instant now, Actions& out) {
  const Steering before = steering();
  steering_.reset();
  if (event.steering != Steering{}) steering_ = event.steering;
  if (!event.is_recalled) resumed_adds_ += event.steering.adds - before.adds;
  follow_priority(now, out);
  const bool resigns = event.steering.resigns && !before.resigns && !event.is_recalled;
  if (!resigns || state_name() != StateName::master) return;
  send_advert(kResignPriority, now, out);
  step_down("an operator asked it to resign", now, out);
}

bool Instance::must_not_preempt(Instant now) const {
  const bool could_not_serve = setback_ && now < setback_->until;
  return could_not_serve || steering().resigns;
}

}  // namespace holdfast::vrrp
