#include "vrrp/status.hpp"

#include "runtime/clock.hpp"
#include "vrrp/io/executor.hpp"

#include <boost/json/array.hpp>

#include <unistd.h>

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;

double milliseconds(core::Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

json::object counters_of(const Instance& instance) {
  const Counters& counters = instance.counters();
  json::object errors;
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    errors.emplace(to_string(static_cast<RejectReason>(i)), counters.rejected.by_reason[i]);
  }
  return {{"adverts_sent", counters.adverts_sent},
          {"adverts_received", counters.adverts_received},
          {"became_master", counters.became_master},
          {"released_master", counters.released_master},
          {"priority_zero_sent", counters.priority_zero_sent},
          {"priority_zero_received", counters.priority_zero_received},
          {"addresses_repaired", counters.addresses_repaired},
          {"pauses", counters.pauses},
          {"errors", std::move(errors)}};
}

json::value master_of(const Instance& instance, core::Instant now) {
  if (instance.state_name() == StateName::master) {
    const auto address = instance.source_address();
    return json::object{{"address", address ? json::value(address->to_string()) : json::value()},
                        {"priority", instance.effective_priority()},
                        {"heard_ms", 0}};
  }
  const auto& heard = instance.heard_master();
  if (!heard) return nullptr;
  return json::object{{"address", heard->address.to_string()},
                      {"priority", heard->priority},
                      {"heard_ms", milliseconds(now - heard->heard_at)}};
}

json::array addresses_of(const Instance& instance, const netlink::Reflector& reflector) {
  const InstanceSettings& settings = instance.settings();
  const auto publication = reflector.publication(router_key({settings.interface, settings.vrid}));
  json::array addresses;
  for (const netlink::HeldAddress& each : publication.addresses) {
    json::object address{{"address", each.desired.prefix.address.to_string() + "/" +
                                         std::to_string(each.desired.prefix.length)},
                         {"interface", each.desired.interface},
                         {"label", each.desired.label},
                         {"held", each.held},
                         {"foreign", each.foreign}};
    if (!each.problem.empty()) address.emplace("problem", each.problem);
    addresses.push_back(std::move(address));
  }
  return addresses;
}

json::object instance_status(const Instance& instance, const netlink::Reflector& reflector,
                             core::Instant now) {
  const InstanceSettings& settings = instance.settings();
  json::array faults;
  for (const auto& [source, sentence] : instance.faults().all()) faults.emplace_back(sentence);
  return {{"name", settings.name},
          {"interface", settings.interface},
          {"vrid", settings.vrid},
          {"family", "ipv4"},
          {"version", 2},
          {"state", to_string(instance.state_name())},
          {"since_at", runtime::iso8601_utc(instance.since())},
          {"since_ms", milliseconds(now - instance.since())},
          {"why", instance.why()},
          {"priority", settings.priority},
          {"effective_priority", instance.effective_priority()},
          {"advert_interval_ms", milliseconds(settings.advert_interval)},
          {"preempt", settings.may_preempt()},
          {"master", master_of(instance, now)},
          {"addresses", addresses_of(instance, reflector)},
          {"faults", std::move(faults)},
          {"counters", counters_of(instance)}};
}

/// Packets that belong to no instance: of other virtual routers, and too broken to tell whose.
json::object strays_of(const Router& router) {
  json::object by_interface;
  for (const std::string& name : router.interfaces_in_use()) {
    const auto id = router.interface_id(name);
    if (!id) continue;
    json::object reasons;
    for (std::size_t i = 0; i < kRejectReasons; ++i) {
      const std::uint64_t count = router.strays(*id).by_reason[i];
      if (count != 0) reasons.emplace(to_string(static_cast<RejectReason>(i)), count);
    }
    by_interface.emplace(name, std::move(reasons));
  }
  return by_interface;
}

}  // namespace

boost::json::object status_of(const Router& router, const netlink::Reflector& reflector,
                              std::uint64_t generation, core::Instant now) {
  json::array instances;
  for (const InstanceId id : router.ids())
    instances.push_back(instance_status(router.view(id), reflector, now));
  return {{"process", "vrrp"},
          {"pid", static_cast<std::int64_t>(::getpid())},
          {"generation", generation},
          {"instances", std::move(instances)},
          {"strays", strays_of(router)}};
}

}  // namespace holdfast::vrrp
