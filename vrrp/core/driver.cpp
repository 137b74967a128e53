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

void Driver::receive(const ReceivedPacket& packet, Actions& out) {
  const auto decoded = decode_ipv4(packet.bytes);
  if (decoded.has_error()) {
    router_.count_stray(packet.interface, to_reject_reason(decoded.error()));
    return;
  }
  take(packet, *decoded, out);
}

void Driver::take(const ReceivedPacket& packet, const Ipv4Packet& decoded, Actions& out) {
  const auto vrid = peek_vrid(decoded);
  if (!vrid) {
    router_.count_stray(packet.interface, RejectReason::truncated);
    return;
  }
  const Instance* instance = router_.receiver(packet.interface, *vrid);
  if (instance == nullptr) {
    router_.count_stray(packet.interface, RejectReason::unknown_vrid);
    return;
  }
  auto checked = check_advert(decoded, instance->settings(), instance->source_address());
  if (auto* accepted = std::get_if<Accepted>(&checked)) {
    router_.step(AdvertReceived{instance->id(), std::move(accepted->advert), accepted->source,
                                accepted->address_list_differs},
                 now_, out);
    return;
  }
  router_.step(AdvertRejected{instance->id(), std::move(std::get<Rejected>(checked))}, now_, out);
}

void Driver::finish(Actions& out) {
  if (router_.deadline() && *router_.deadline() <= now_) router_.step(Tick{}, now_, out);
}

void Driver::handle(const Event& event, Instant now, Actions& out) {
  begin(now, Duration::zero(), out);
  router_.step(event, now, out);
}

bool Driver::encode(const SendAdvert& action, std::vector<std::uint8_t>& out) const {
  const Instance& instance = router_.view(action.instance);
  const auto source = instance.source_address();
  if (!source) return false;
  // Counts up from 1 with the adverts. Several of one step share a number, which means nothing:
  // they are never fragmented.
  const auto identification = static_cast<std::uint16_t>(instance.counters().adverts_sent);
  encode_packet({.source = *source, .destination = vrrp_group(), .identification = identification},
                make_advert(instance.settings(), action.priority), out);
  return true;
}

}  // namespace holdfast::vrrp
