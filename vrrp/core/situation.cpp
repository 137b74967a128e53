#include "vrrp/core/situation.hpp"

#include "vrrp/core/router.hpp"

namespace holdfast::vrrp {
namespace {

/// What is decided with: under attack the sentences would fill a recording.
PeerRemarks without_words(PeerRemarks remarks) {
  for (PeerRemark& each : remarks) {
    each.count = 0;
    each.sentence.clear();
  }
  return remarks;
}

}  // namespace

Instance::Instance(InstanceSettings settings, const Situation& from)
    : settings_(std::move(settings)),
      state_(from.state),
      since_(from.since),
      why_(from.why),
      leaving_(from.leaving),
      interface_(from.interface),
      last_source_(from.last_source),
      faults_(from.faults),
      resumed_priority_(from.resumed_priority),
      resumed_adds_(from.resumed_adds),
      resume_(from.resume),
      placement_(from.placement),
      setback_(from.setback),
      send_trouble_(from.send_trouble),
      steering_(from.steering),
      heard_master_(from.heard_master),
      master_resigned_(from.master_resigned),
      slowest_peer_(from.slowest_peer),
      rival_(from.rival),
      list_difference_(from.list_difference),
      became_master_at_(from.became_master_at),
      last_advert_at_(from.last_advert_at),
      proofs_(from.proofs),
      utc_ahead_(from.utc_ahead) {
  if (!from.remarks.empty()) remarks_ = from.remarks;
  if (!from.dialects.empty()) dialects_ = from.dialects;
  if (!from.verdicts.empty()) verdicts_ = from.verdicts;
  adopt_settings();
  priority_ = reckon_priority();
}

Situation Instance::situation() const {
  return {.state = state_,
          .since = since_,
          .why = why_,
          .leaving = leaving_,
          .interface = interface_ ? std::optional(**interface_) : std::nullopt,
          .last_source = last_source_,
          .faults = faults_,
          .verdicts = verdicts(),
          .resumed_priority = resumed_priority_,
          .resumed_adds = resumed_adds_,
          .resume = resume_,
          .placement = placement_,
          .setback = setback_,
          .send_trouble = send_trouble_,
          .steering = steering_,
          .heard_master = heard_master_,
          .master_resigned = master_resigned_,
          .slowest_peer = slowest_peer_,
          .rival = rival_,
          .list_difference = list_difference_,
          .dialects = dialects_ ? *dialects_ : Dialects{},
          .remarks = remarks_ ? without_words(*remarks_) : PeerRemarks{},
          .became_master_at = became_master_at_,
          .last_advert_at = last_advert_at_,
          .proofs = proofs_,
          .utc_ahead = utc_ahead_};
}

Router::Router(const RouterSituation& from)
    : running_(from.running),
      stopping_(from.stopping),
      stopped_(from.stopped),
      utc_ahead_(from.utc_ahead) {
  for (const InstanceSituation& each : from.instances) {
    const std::size_t slot = add_instance(each.settings);
    slots_[slot].emplace(each.settings, each.situation);
    deadlines_.set(slot, slots_[slot]->deadline());
    (is_leaving(slot) ? leaving_ : order_).push_back(slot);
  }
  for (const auto& [name, status] : from.interfaces) interfaces_[name].status = status;
  for (const InstanceSituation& each : from.instances)
    for (const auto& [tracker, verdict] : each.situation.verdicts)
      if (tracker.kind != TrackerKind::interface) verdicts_.insert_or_assign(tracker, verdict);
  recall_groups();
  update_shortest_interval();
}

RouterSituation Router::situation() const {
  RouterSituation all{.running = running_,
                      .stopping = stopping_,
                      .stopped = stopped_,
                      .utc_ahead = utc_ahead_,
                      .interfaces = {},
                      .instances = {}};
  for (const auto& [name, interface] : interfaces_) {
    if (interface.status) all.interfaces.emplace(name, **interface.status);
  }
  for (const Instance* each : instances())
    all.instances.push_back({each->settings(), each->situation()});
  return all;
}

}  // namespace holdfast::vrrp
