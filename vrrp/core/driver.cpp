#include "vrrp/core/driver.hpp"

namespace holdfast::vrrp {

void Driver::begin(Instant now, Duration uncounted, Actions& out) {
  now_ = now;
  const auto asked_for = router_.deadline();
  const Duration late = asked_for && now > *asked_for ? now - *asked_for : Duration::zero();
  const auto threshold = router_.shortest_interval();
  if (threshold && late + uncounted >= *threshold) {
    router_.step(ProcessPaused{late + uncounted, uncounted}, now, out);
  }
}

void Driver::receive(const Received& packet, Actions& out) {
  const auto advert = advert_in(packet);
  if (advert.has_error()) return router_.count_stray(packet.interface, advert.error());
  const auto vrid = peek_vrid(*advert);
  if (!vrid) return router_.count_stray(packet.interface, DecodeError::truncated);
  const Instance* instance = router_.receiver(packet, *vrid);
  if (instance == nullptr) return router_.count_stray(packet.interface, Objection::unknown_vrid);

  auto checked = check_advert(packet, instance->settings(), instance->source_address(),
                              instance->proof_context(now_));
  if (auto* accepted = std::get_if<Accepted>(&checked)) {
    router_.step(AdvertReceived{instance->key(), std::move(accepted->advert), accepted->source,
                                accepted->address_list_differs, accepted->proof},
                 now_, out);
    return;
  }
  router_.step(AdvertRejected{instance->key(), std::move(std::get<Rejected>(checked))}, now_, out);
}

void Driver::finish(Instant heard_at, Actions& out) {
  if (router_.deadline() && *router_.deadline() <= heard_at) router_.step(Tick{}, heard_at, out);
}

void Driver::handle(const Event& event, Instant now, Actions& out) {
  begin(now, Duration::zero(), out);
  router_.step(event, now, out);
}

}  // namespace holdfast::vrrp
