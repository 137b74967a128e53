// One virtual router on two directors: do they hear each other, and who wins?
#include "config/compare/pair_parts.hpp"
#include "config/text.hpp"

#include <algorithm>

namespace holdfast::config::pair {
namespace {

constexpr const char* kTwoMasters = "each drops the other's adverts, and both become master";

void compare_interval(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  if (here.advert_int == there.advert_int) return;
  const bool splits = here.version == 2 && there.version == 2;
  context.say(splits ? Severity::error : Severity::warning, here.location,
              fmt::format("vrrp_instance '{}' has 'advert_int {}' here and {} in {}: {}", here.name,
                          seconds_text(here.advert_int), seconds_text(there.advert_int),
                          context.there(there.location),
                          splits ? kTwoMasters : "a backup takes the master's interval"),
              "write the same 'advert_int'");
}

const char* auth_text(const VrrpInstance& instance) {
  if (instance.auth_hmac) return "auth_hmac";
  return instance.authentication.type == AuthType::none ? "no authentication"
                                                        : to_string(instance.authentication.type);
}

void compare_authentication(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  const bool same_kind = here.authentication.type == there.authentication.type &&
                         here.auth_hmac.has_value() == there.auth_hmac.has_value();
  if (!same_kind) {
    context.say(
        Severity::error, here.location,
        fmt::format("vrrp_instance '{}' has {} here and {} in {}: {}", here.name, auth_text(here),
                    auth_text(there), context.there(there.location), kTwoMasters),
        "write the same authentication");
    return;
  }
  // The password itself is not shown.
  if (here.authentication == there.authentication &&
      (!here.auth_hmac || here.auth_hmac->keys == there.auth_hmac->keys))
    return;
  context.say(Severity::error, here.location,
              fmt::format("the {} of vrrp_instance '{}' is not the one in {}: {}",
                          here.auth_hmac ? "key" : "password", here.name,
                          context.there(there.location), kTwoMasters),
              here.auth_hmac ? "write the same 'auth_hmac'" : "write the same 'auth_pass'");
}

void compare_version(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  if (here.version == there.version) return;
  context.say(
      Severity::error, here.location,
      fmt::format("vrrp_instance '{}' speaks VRRP version {} here and {} in {}: {}", here.name,
                  here.version, there.version, context.there(there.location), kTwoMasters),
      "write the same 'version'");
}

bool lists(const std::vector<UnicastPeer>& peers, const core::IpAddress& address) {
  return std::any_of(peers.begin(), peers.end(),
                     [&](const UnicastPeer& peer) { return peer.address == address; });
}

void compare_transport(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  const bool unicast = here.unicast;
  if (unicast != there.unicast) {
    context.say(Severity::error, here.location,
                fmt::format("vrrp_instance '{}' sends by {} here and by {} in {}: they do not hear "
                            "each other, and both become master",
                            here.name, unicast ? "unicast" : "multicast",
                            unicast ? "multicast" : "unicast", context.there(there.location)),
                "name the peers on both sides, or on neither");
    return;
  }
  if (!unicast) {
    if (here.mcast_dst_ip == there.mcast_dst_ip) return;
    context.say(Severity::error, here.location,
                fmt::format("vrrp_instance '{}' sends to another multicast group here than in {}: "
                            "they do not hear each other, and both become master",
                            here.name, context.there(there.location)),
                "write the same 'mcast_dst_ip'");
    return;
  }
  if (here.mcast_src_ip && !lists(there.unicast_peers, *here.mcast_src_ip)) {
    context.say(
        Severity::error, here.location,
        fmt::format("vrrp_instance '{}' sends from {}, which is not a unicast_peer in {}: "
                    "that director does not send to this one",
                    here.name, here.mcast_src_ip->to_string(), context.there(there.location)),
        fmt::format("add {} to its 'unicast_peer'", here.mcast_src_ip->to_string()));
  }
  if (there.mcast_src_ip && !lists(here.unicast_peers, *there.mcast_src_ip)) {
    context.say(
        Severity::error, here.unicast_peers.front().location,
        fmt::format("{}, the source address of vrrp_instance '{}' in {}, is not among these "
                    "peers: this director does not send to that one",
                    there.mcast_src_ip->to_string(), there.name, context.there(there.location)),
        fmt::format("add {} to 'unicast_peer'", there.mcast_src_ip->to_string()));
  }
}

void compare_priority(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  if (here.priority == there.priority) {
    context.say(Severity::warning, here.location,
                fmt::format("vrrp_instance '{}' has priority {} here and in {}: whichever is "
                            "there first stays master; of two at once, the higher address",
                            here.name, here.priority, context.there(there.location)),
                "give the one that should serve a higher priority");
  } else if (here.state == InitialState::master && there.state == InitialState::master) {
    context.say(Severity::note, here.location,
                fmt::format("vrrp_instance '{}' has 'state MASTER' here and in {}: the priority "
                            "decides, and 'nopreempt' cannot work",
                            here.name, context.there(there.location)),
                "write 'state BACKUP' on both, or on the one of lower priority");
  }
  const VrrpInstance& higher = here.priority > there.priority ? here : there;
  const VrrpInstance& lower = here.priority > there.priority ? there : here;
  if (here.priority == there.priority || !higher.preempt || lower.preempt) return;
  context.say(Severity::warning, here.location,
              fmt::format("'nopreempt' of vrrp_instance '{}' is only on the director of lower "
                          "priority (the other is in {}), where it changes nothing",
                          here.name, context.there(there.location)),
              "write it on both, with 'state BACKUP'");
}

// How far weighted trackers move the priority: all good, all bad.
struct Reach {
  int good = 0;
  int bad = 0;
  bool weighted = false;
};

Reach reach_of(const VrrpInstance& instance, const Model& model) {
  Reach reach{instance.priority, instance.priority};
  const auto add = [&reach](int weight) {
    if (weight == 0) return;
    reach.weighted = true;
    (weight > 0 ? reach.good : reach.bad) += weight;
  };
  const Tracking& tracking = instance.tracking;
  for (const Tracked& one : tracking.interfaces) add(one.weight.value_or(0));
  for (const Tracked& one : tracking.scripts) {
    const auto script = std::find_if(model.scripts.begin(), model.scripts.end(),
                                     [&](const VrrpScript& s) { return s.name == one.name; });
    add(one.weight.value_or(script == model.scripts.end() ? std::int16_t{0} : script->weight));
  }
  for (const Tracked& one : tracking.processes) {
    const auto process = std::find_if(model.track_processes.begin(), model.track_processes.end(),
                                      [&](const TrackProcess& p) { return p.name == one.name; });
    add(one.weight.value_or(process == model.track_processes.end() ? std::int16_t{0}
                                                                   : process->weight));
  }
  if (instance.priority == 255) reach = {255, 255, reach.weighted};
  reach.good = std::clamp(reach.good, 1, instance.priority == 255 ? 255 : 254);
  reach.bad = std::clamp(reach.bad, 1, 255);
  return reach;
}

// The commonest mistake with weights: they are smaller than the distance of the priorities.
void compare_weights(const Context& context, const RouterPair& routers) {
  const auto& [here, there] = routers;
  const Reach ours = reach_of(here, context.first.loaded.model);
  const Reach theirs = reach_of(there, context.second.loaded.model);
  const bool here_leads = ours.good > theirs.good;
  const Reach& leader = here_leads ? ours : theirs;
  const Reach& follower = here_leads ? theirs : ours;
  if (!leader.weighted || ours.good == theirs.good || leader.bad <= follower.good) return;
  context.say(Severity::warning, here.location,
              fmt::format("the weights of vrrp_instance '{}' are too small to move its addresses: "
                          "with everything tracked failing {} still has priority {}, and {} at "
                          "most {}",
                          here.name, here_leads ? "this director" : context.second.name, leader.bad,
                          here_leads ? context.there(there.location) : "this one", follower.good),
              "choose weights larger than the difference of the priorities");
}

}  // namespace

void compare_elections(const Context& context, const RouterPair& routers) {
  compare_version(context, routers);
  compare_interval(context, routers);
  compare_authentication(context, routers);
  compare_transport(context, routers);
  compare_priority(context, routers);
  compare_weights(context, routers);
}

}  // namespace holdfast::config::pair
