#include "vrrp/core/imagined_peers.hpp"

#include "vrrp/core/situation.hpp"
#include "vrrp/core/timing.hpp"

#include <algorithm>
#include <map>

namespace holdfast::vrrp {
namespace {

/// The same virtual router at the other director: our settings, as long as nothing else was heard.
InstanceSettings settings_of_peer(const Instance& ours, const HeardMaster& heard) {
  InstanceSettings settings = ours.settings();
  settings.priority = heard.priority;
  settings.trackers.clear();  // what it heard is what they left
  settings.source_address = heard.address;
  settings.initial_state = InitialState::unset;
  const auto source = ours.source_address();
  if (settings.unicast) {
    // How far away it is nobody knows; but its adverts come from within our window.
    for (const UnicastPeer& each : ours.settings().unicast->peers) {
      if (each.address != heard.address || each.min_ttl > each.max_ttl) continue;
      std::uint8_t& hops = settings.unicast->hop_limit;
      hops = std::clamp(hops, each.min_ttl, each.max_ttl);
    }
    if (source) settings.unicast->peers = {{*source, 0, 255}};
  }
  if (heard.interval > Duration::zero()) settings.advert_interval = heard.interval;
  const bool is_master = ours.state_name() == StateName::master;
  // It is stronger and lets us be: it will not pre-empt us now.
  if (is_master && heard.priority > ours.effective_priority()) settings.preempt = Preempt::no;
  return settings;
}

std::optional<InstanceSituation> situation_of_peer(const Instance& ours, const HeardMaster& heard,
                                                   Instant now) {
  InstanceSituation peer{.settings = settings_of_peer(ours, heard), .situation = {}};
  Situation& situation = peer.situation;
  situation.since = heard.heard_at;
  situation.interface = InterfaceStatus{.exists = true,
                                        .up = true,
                                        .primary_address = heard.address,
                                        .trouble = {},
                                        .link_local = heard.address,
                                        .trouble_v6 = {},
                                        .own_addresses = {heard.address}};
  situation.last_source = heard.address;
  situation.utc_ahead = ours.situation().utc_ahead;
  // Its next advert must come after its last one.
  if (const auto& proofs = ours.proofs()) {
    const SignedPeer* last = signed_peer(*proofs, heard.address);
    situation.proofs = ProofMemory{
        .ah_sequence = proofs->ah_sequence, .sent = last == nullptr ? 0 : last->stamp, .peers = {}};
  }
  if (ours.state_name() == StateName::master) {
    if (now - heard.heard_at > kPeerMemory) return std::nullopt;
    const Duration interval = ours.settings().advert_interval;
    situation.state = Backup{
        .master_down_at = ours.last_advert_at() + master_down_interval(peer.settings, interval),
        .master_adver_interval = interval,
        .preempt_allowed_at = {},
        .restarted_after_pause = false};
    return peer;
  }
  const Duration interval = peer.settings.advert_interval;
  if (now - heard.heard_at > master_down_interval(peer.settings, interval)) return std::nullopt;
  situation.state = Master{.next_advert_at = std::max(now, heard.heard_at + interval),
                           .announce_again_at = {},
                           .announce_again_repeat = 0,
                           .refresh_at = {},
                           .extra_at = {},
                           .answer_from = {},
                           .answer_announce_from = {}};
  situation.became_master_at = heard.heard_at;
  situation.last_advert_at = heard.heard_at;
  return peer;
}

}  // namespace

ImaginedPeers::ImaginedPeers(const Router& ours, Instant now) {
  std::map<IpAddress, RouterSituation> by_address;
  const auto imagine = [&](const Instance& instance, const std::optional<HeardMaster>& heard) {
    if (!heard) return;
    auto peer = situation_of_peer(instance, *heard, now);
    if (!peer) return;
    RouterSituation& all = by_address[heard->address];
    all.running = true;
    all.utc_ahead = peer->situation.utc_ahead;
    all.interfaces[instance.settings().interface] = *peer->situation.interface;
    all.instances.push_back(std::move(*peer));
    known_.insert(instance.key());
  };
  for (const Instance* instance : ours.instances()) {
    const std::optional<HeardMaster>& master = instance->heard_master();
    const std::optional<HeardMaster> slowest = instance->situation().slowest_peer;
    imagine(*instance, master);
    const bool is_another = slowest && (!master || slowest->address != master->address);
    if (is_another && instance->state_name() == StateName::master) imagine(*instance, slowest);
  }
  for (const auto& [address, situation] : by_address)
    peers_.push_back({address, Driver(Router(situation))});
}

std::vector<IpAddress> ImaginedPeers::addresses() const {
  std::vector<IpAddress> all;
  for (const Peer& peer : peers_) all.push_back(peer.address);
  return all;
}

bool ImaginedPeers::silence(const IpAddress& address) {
  return std::erase_if(peers_, [&](const Peer& peer) { return peer.address == address; }) != 0;
}

std::optional<Instant> ImaginedPeers::deadline() const {
  std::optional<Instant> earliest;
  for (const Peer& peer : peers_) {
    const auto at = peer.driver.deadline();
    if (at && (!earliest || *at < *earliest)) earliest = at;
  }
  return earliest;
}

void ImaginedPeers::tick(Instant now, const Watcher& watcher) {
  for (Peer& peer : peers_) {
    if (!peer.driver.deadline() || *peer.driver.deadline() > now) continue;
    Actions actions;
    peer.driver.begin(now, Duration::zero(), actions);
    peer.driver.finish(actions);
    settle(peer, actions, watcher);
  }
}

void ImaginedPeers::hear(const SendAdvert& advert, Instant now, const Watcher& watcher) {
  for (Peer& peer : peers_) {
    if (peer.address == advert.departure->source) continue;
    Actions actions;
    peer.driver.begin(now, Duration::zero(), actions);
    for (const Letter& letter : advert.departure->letters)
      peer.driver.receive(received_form(advert, letter), actions);
    peer.driver.finish(actions);
    settle(peer, actions, watcher);
  }
}

// All that it sends leaves, and the kernel gives it every address.
void ImaginedPeers::settle(Peer& peer, Actions& actions, const Watcher& watcher) {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (const auto* sent = std::get_if<SendAdvert>(&actions[i])) {
      const SendAdvert advert = *sent;  // the answer makes the list grow
      peer.driver.answer(AdvertSent{advert.router->key, advert.priority}, actions);
      watcher.sends(advert);
    } else if (const auto* changed = std::get_if<StateChanged>(&actions[i])) {
      watcher.changes(peer.address, *changed);
    }
  }
}

Received received_form(const SendAdvert& advert, const Letter& letter) {
  return {.interface = advert.router->key.interface,
          .family = advert.router->key.family,
          .source = advert.departure->source,
          .destination = letter.destination,
          .hop_limit = advert.departure->hop_limit,
          .payload = letter.payload,
          .protocol = advert.departure->protocol,
          .identification = advert.identification};
}

}  // namespace holdfast::vrrp
