#include "vrrp/status.hpp"

#include "runtime/clock.hpp"
#include "runtime/milliseconds.hpp"
#include "runtime/order_desk.hpp"
#include "runtime/script_status.hpp"
#include "runtime/turn_meter.hpp"
#include "vrrp/core/match.hpp"
#include "vrrp/device_status.hpp"
#include "vrrp/io/executor.hpp"
#include "vrrp/proof_status.hpp"
#include "vrrp/route_status.hpp"
#include "vrrp/statics.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;
using runtime::milliseconds;

/// Before anybody can tell whose packet it is: counted for the interface only (strays_of()).
bool is_of_no_instance(RejectReason reason) {
  return reason == DecodeError::not_ipv4 || reason == DecodeError::not_vrrp ||
         reason == DecodeError::fragmented || reason == DecodeError::bad_ah ||
         reason == Objection::unknown_vrid;
}

json::object counters_of(const Instance& instance) {
  const Counters& counters = instance.counters();
  json::object errors;
  for (std::size_t i = 0; i < RejectReason::kCount; ++i) {
    const RejectReason reason = RejectReason::at(i);
    if (!is_of_no_instance(reason)) errors.emplace(to_string(reason), counters.rejected[reason]);
  }
  return {{"adverts_sent", counters.adverts_sent},
          {"adverts_refused", counters.adverts_refused},
          {"adverts_received", counters.adverts_received},
          {"became_master", counters.became_master},
          {"released_master", counters.released_master},
          {"priority_zero_sent", counters.priority_zero_sent},
          {"priority_zero_received", counters.priority_zero_received},
          {"announcements_refused", counters.announcements_refused},
          {"addresses_repaired", counters.addresses_repaired},
          {"pauses", counters.pauses},
          {"errors", std::move(errors)}};
}

/// null: it has none now.
json::value source_of(const Instance& instance) {
  const auto address = instance.source_address();
  return address ? json::value(address->to_string()) : json::value();
}

json::value master_of(const Instance& instance, core::Instant now) {
  if (instance.state_name() == StateName::master) {
    return json::object{{"address", source_of(instance)},
                        {"priority", instance.effective_priority()},
                        {"heard_ms", 0}};
  }
  const auto& heard = instance.heard_master();
  if (!heard) return nullptr;
  return json::object{{"address", heard->address.to_string()},
                      {"priority", heard->priority},
                      {"interval_ms", milliseconds(heard->interval)},
                      {"heard_ms", milliseconds(now - heard->heard_at)}};
}

/// null: adverts go to a group.
json::value unicast_of(const InstanceSettings& settings) {
  if (!settings.unicast) return nullptr;
  json::array peers;
  for (const UnicastPeer& peer : settings.unicast->peers)
    peers.emplace_back(peer.address.to_string());
  return peers;
}

/// What stands in its adverts, in their order.
json::array advertised_by(const InstanceSettings& settings) {
  json::array addresses;
  for (const VirtualAddress& each : settings.addresses)
    addresses.emplace_back(each.prefix.address.to_string());
  return addresses;
}

/// Version 3 over IPv4: how each partner writes the checksum, the one heard last at the end.
json::array checksums_of(const Instance& instance) {
  json::array partners;
  if (!instance.dialects()) return partners;
  for (const PeerDialect& each : *instance.dialects()) {
    partners.push_back(json::object{{"partner", each.peer.to_string()},
                                    {"checksum", to_string(each.form)},
                                    {"adverts", each.adverts}});
  }
  return partners;
}

json::value rival_of(const Instance& instance, core::Instant now) {
  const auto rival = instance.rival(now);
  if (!rival) return nullptr;
  return json::object{{"address", rival->address.to_string()},
                      {"priority", rival->priority},
                      {"since_at", runtime::iso8601_utc(rival->since)},
                      {"since_ms", milliseconds(now - rival->since)},
                      {"adverts", rival->adverts}};
}

/// null: no other host has claimed one of its addresses lately.
json::value claim_of(const std::optional<Claim>& claim, core::Instant now) {
  if (!claim) return nullptr;
  return json::object{{"mac", claim->mac.to_string()},
                      {"address", claim->address.to_string()},
                      {"since_at", runtime::iso8601_utc(claim->since)},
                      {"last_ms", milliseconds(now - claim->last_at)},
                      {"times", claim->times}};
}

/// null: no partner advertises other addresses than ours.
json::value difference_of(const Instance& instance) {
  const auto& difference = instance.list_difference();
  if (!difference) return nullptr;
  json::array theirs;
  for (const IpAddress& address : difference->theirs) theirs.emplace_back(address.to_string());
  return json::object{{"partner", difference->peer.to_string()}, {"advertises", std::move(theirs)}};
}

/// Packets that belong to no instance: of other virtual routers, and too broken to tell whose.
json::object strays_of(const Router& router) {
  json::object by_interface;
  for (const std::string& name : router.interfaces_in_use()) {
    const RejectCounters strays = router.strays(name);
    json::object reasons;
    for (std::size_t i = 0; i < RejectReason::kCount; ++i) {
      const std::uint64_t count = strays[RejectReason::at(i)];
      if (count != 0) reasons.emplace(to_string(RejectReason::at(i)), count);
    }
    by_interface.emplace(name, std::move(reasons));
  }
  return by_interface;
}

/// Each kind and peer since the process began; null is the peer of those that share an entry.
json::array peer_problems_of(const Instance& instance, core::Instant now) {
  json::array problems;
  if (!instance.remarks()) return problems;
  for (const PeerRemark& each : *instance.remarks()) {
    problems.push_back(json::object{
        {"peer", each.peer.is_unspecified() ? json::value() : json::value(each.peer.to_string())},
        {"reason", to_string(each.reason)},
        {"adverts", each.count},
        {"heard_ms", milliseconds(now - each.heard_at)},
        {"lasts", lasts(each, now)},
        {"ended", each.ended},
        {"what", each.sentence}});
  }
  return problems;
}

/// Second masters are told in a sentence of their own.
void add_peer_troubles(const Instance& instance, core::Instant now, json::array& troubles) {
  if (!instance.remarks()) return;
  for (const PeerRemark& each : *instance.remarks()) {
    if (lasts(each, now) && each.reason != Objection::second_master)
      troubles.emplace_back(fmt::format("{} {}", name_of_peer(each), each.sentence));
  }
}

}  // namespace

std::string sum_of(const Instance& instance) {
  return instance.priority_sum();
}

json::array trackers_of(const Instance& instance) {
  json::array list;
  for (const Tracker& each : instance.settings().trackers) {
    const auto said = instance.verdicts().find(each.id);
    json::value good;
    const bool is_file = each.id.kind == TrackerKind::file;
    json::value number;
    if (said != instance.verdicts().end() && is_file) number = said->second.number;
    if (said != instance.verdicts().end() && !is_file) good = said->second == Verdict::good;
    const bool is_owner = instance.settings().priority == kOwnerPriority;
    list.push_back(json::object{{"kind", name_of(each.id.kind)},
                                {"name", each.id.name},
                                {"good", std::move(good)},
                                {"number", std::move(number)},
                                {"weight", each.weight},
                                {"reverse", each.reverse == Reverse::yes},
                                {"adds", is_owner ? 0 : contribution(each, instance.verdicts())},
                                {"text", verdict_text(each, instance.verdicts())}});
  }
  return list;
}

std::string name_of_peer(const PeerRemark& remark) {
  return remark.peer.is_unspecified() ? "one of many others" : remark.peer.to_string();
}

json::array troubles_of(const Instance& instance, core::Instant now) {
  json::array troubles;
  for (const std::string& each : instance.deafness()) troubles.emplace_back(each);
  if (const auto& placement = instance.placement(); placement && !placement->problem.empty()) {
    troubles.emplace_back(fmt::format("{} of {} addresses are in place: {}", placement->placed,
                                      placement->wanted, placement->problem));
  }
  if (instance.is_deaf()) {
    troubles.emplace_back(
        fmt::format("no frame of any host has been received on {} since the start: it waits for a "
                    "first one before it believes that nobody is there",
                    instance.settings().interface));
  }
  if (const auto& sending = instance.send_trouble()) {
    troubles.emplace_back(fmt::format("adverts have not left for {:.0f} s: {}",
                                      seconds(now - sending->since), sending->why));
  }
  if (const auto& setback = instance.setback(); setback && now < setback->until) {
    troubles.emplace_back(
        fmt::format("leaves a working master alone for another {:.0f} s, because it could not "
                    "serve itself: {}",
                    seconds(setback->until - now), setback->why));
  }
  if (const auto& rival = instance.rival(now)) {
    troubles.emplace_back(fmt::format(
        "{} is master too, with priority {}, for {:.0f} s: it does not hear our adverts or rejects "
        "them",
        rival->address.to_string(), rival->priority, seconds(now - rival->since)));
  }
  return troubles;
}

json::object instance_status(const InstanceCopy& copy, core::Instant now) {
  const Instance& instance = copy.instance;
  const InstanceSettings& settings = instance.settings();
  json::array faults;
  for (const auto& [source, sentence] : instance.faults().all()) faults.emplace_back(sentence);
  json::array troubles = troubles_of(instance, now);
  add_peer_troubles(instance, now, troubles);
  if (const std::string trouble = trouble_with(copy.routes); !trouble.empty())
    troubles.emplace_back(trouble);
  if (copy.claim) {
    troubles.emplace_back(
        fmt::format("{} says by ARP that {} is its own, for the {}. time {:.0f} s ago",
                    copy.claim->mac.to_string(), copy.claim->address.to_string(), copy.claim->times,
                    seconds(now - copy.claim->last_at)));
  }
  if (copy.open_because && !copy.open_because->empty() && instance.holds_addresses())
    troubles.emplace_back(
        fmt::format("its addresses answer although they should not: {}", *copy.open_because));
  return {{"name", settings.name},
          {"interface", settings.interface},
          {"vrid", settings.vrid},
          {"sync_group",
           settings.sync_group.empty() ? json::value() : json::value(settings.sync_group.str())},
          {"family", instance.key().family == core::Family::v4 ? "ipv4" : "ipv6"},
          {"channel", instance.key().channel.to_string()},
          {"version", settings.version},
          {"unicast_peers", unicast_of(settings)},
          {"source", source_of(instance)},
          {"authentication", authentication_of(instance, now)},
          {"advertises", advertised_by(settings)},
          {"state", to_string(instance.state_name())},
          {"since_at", runtime::iso8601_utc(instance.since())},
          {"since_ms", milliseconds(now - instance.since())},
          {"why", instance.why()},
          {"priority", settings.priority},
          {"effective_priority", instance.effective_priority()},
          {"priority_sum", sum_of(instance)},
          {"trackers", trackers_of(instance)},
          {"advert_interval_ms", milliseconds(settings.advert_interval)},
          {"preempt", settings.may_preempt()},
          {"master", master_of(instance, now)},
          {"addresses", addresses_of(copy.publication)},
          {"accept", !copy.open_because.has_value()},
          {"faults", std::move(faults)},
          {"troubles", std::move(troubles)},
          {"claimed_by", claim_of(copy.claim, now)},
          {"rival", rival_of(instance, now)},
          {"partner_addresses", difference_of(instance)},
          {"partner_checksums", checksums_of(instance)},
          {"peer_problems", peer_problems_of(instance, now)},
          {"counters", counters_of(instance)}};
}

std::string closed_text(std::size_t count, bool holds, const netlink::FirewallState& state) {
  const std::string which = fmt::format("{} address{}", count, count == 1 ? "" : "es");
  if (!holds) return fmt::format("to its {} would be dropped if it were master", which);
  if (!state.problem.empty())
    return fmt::format("to its {} should be dropped, and are not: {}", which, state.problem);
  return fmt::format("to its {} are dropped by the nftables table {}", which, state.table);
}

json::object firewall_json(const netlink::FirewallState& state) {
  json::object page{{"table", state.table},
                    {"closed_addresses", state.closed},
                    {"in_place", state.in_place},
                    {"repairs", state.repairs}};
  if (const auto& why = state.problem.empty() ? state.stuck : state.problem; !why.empty())
    page.emplace("problem", why);
  return page;
}

StatusDocument::StatusDocument(const Subject& subject) : subject_(subject) {
  keys_.reserve(subject.router.size());
  for (const Instance* instance : subject.router.instances()) keys_.push_back(instance->key());
}

runtime::ControlPiece StatusDocument::next() {
  switch (step_) {
    case Step::head:
      step_ = Step::instances;
      return head();
    case Step::instances:
      if (told_ < keys_.size()) return some_instances();
      step_ = Step::over;
      return [](std::string& text) { text += "]}"; };
    case Step::over:
      break;
  }
  return {};
}

runtime::ControlPiece StatusDocument::head() const {
  json::object page{{"process", "vrrp"},
                    {"pid", static_cast<std::int64_t>(::getpid())},
                    {"generation", subject_.generation},
                    {"loop", runtime::turns_json()},
                    {"orders", runtime::status_json(subject_.orders, runtime::now())},
                    {"strays", strays_of(subject_.router)},
                    {"sync_groups", groups_of(subject_.router)}};
  if (json::object statics = statics_json(subject_.reflector, subject_.routing); !statics.empty())
    page.emplace("static", std::move(statics));
  if (const netlink::FirewallState firewall = subject_.firewall.state();
      firewall.closed != 0 || !firewall.stuck.empty())
    page.emplace("firewall", firewall_json(firewall));
  return [page = std::move(page)](std::string& text) {
    text = json::serialize(page);
    text.back() = ',';
    text += "\"instances\":[";
  };
}

std::optional<netlink::DeviceState> StatusDocument::device_of(const Instance& instance) const {
  const auto& device = instance.settings().device;
  return device ? subject_.devices.state(device->name) : std::nullopt;
}

std::optional<std::string> StatusDocument::open_because(const Instance& instance) const {
  if (subject_.firewall.claimed(instance.key()) == 0) return std::nullopt;
  return subject_.firewall.state().problem;
}

runtime::ControlPiece StatusDocument::some_instances() {
  std::vector<InstanceCopy> copies;
  const core::Instant now = runtime::now();
  for (std::size_t cost = 0; told_ < keys_.size() && cost < kMostCopies; ++told_) {
    const Instance* instance = subject_.router.find(keys_[told_]);
    if (instance == nullptr) continue;  // a reload has removed it meanwhile
    const core::ScriptRecord* scripts = subject_.router.scripts(instance->key());
    copies.push_back({*instance, subject_.reflector.publication(instance->key()),
                      subject_.claims.claim(instance->key(), now),
                      scripts == nullptr ? std::nullopt : std::optional(*scripts),
                      subject_.routing.states(instance->key()), device_of(*instance),
                      open_because(*instance)});
    cost += 1 + copies.back().publication.addresses.size();
  }
  return [copies = std::move(copies), now](std::string& text) {
    for (const InstanceCopy& each : copies) {
      if (text.back() != '[') text += ',';
      json::object page = instance_status(each, now);
      if (!each.routes.empty()) page.emplace("routes", routes_of(each.routes));
      if (each.device) page.emplace("device", device_json(*each.device));
      if (each.scripts) page.emplace("scripts", runtime::to_json(*each.scripts, now));
      text += json::serialize(page);
    }
  };
}

}  // namespace holdfast::vrrp
