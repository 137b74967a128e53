// vrrp_instance: settings that contradict each other, and routers that share a link.
#include "config/text.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <map>

namespace holdfast::config::validation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Who hears whom: adverts of one interface, family and router id, to one group or between peers.
// keepalived tells unicast instances of different sources apart, and multicast groups. The same as
// the key of the VRRP room, so that it never meets two routers of one key.
std::string link_of(const VrrpInstance& instance) {
  const core::IpAddress unspecified =
      instance.family == core::Family::v4 ? core::IpAddress() : core::IpAddress::v6({});
  const core::IpAddress channel =
      instance.unicast
          ? instance.mcast_src_ip.value_or(unspecified)
          : instance.mcast_dst_ip.value_or(multicast_group(Globals(), instance.family));
  return fmt::format("{} {} {} {}", instance.place(), static_cast<int>(instance.family),
                     instance.virtual_router_id, channel.to_string());
}

std::string place_of(const VrrpInstance& instance) {
  const std::string& place = instance.place();
  return place.empty() ? "for the same source, without an interface" : "on " + place;
}

/// Of unicast with a source of its own; empty otherwise.
std::string source_of(const VrrpInstance& instance) {
  if (!instance.unicast || !instance.mcast_src_ip) return {};
  return fmt::format("{} {}", instance.virtual_router_id, instance.mcast_src_ip->to_string());
}

// keepalived ends here with "both use VRID": each of the two would take the other for its peer.
void check_routers(const Context& context) {
  std::vector<VrrpInstance>& instances = context.model.instances;
  std::unordered_map<std::string, std::size_t> routers;
  routers.reserve(instances.size());
  std::unordered_map<std::string, std::size_t> sources;
  std::vector<bool> remove(instances.size(), false);
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const VrrpInstance& instance = instances[i];
    auto [router, is_new] = routers.emplace(link_of(instance), i);
    // One without an interface hears what is sent to its source on any.
    if (const std::string source = source_of(instance); is_new && !source.empty()) {
      const auto [same, is_alone] = sources.emplace(source, i);
      const VrrpInstance& holder = instances[same->second];
      if (is_alone || instance.place().empty() == holder.place().empty()) continue;
      router = same;
    } else if (is_new) {
      continue;
    }
    const VrrpInstance& other = instances[router->second];
    remove[i] = true;
    context.error(instance.location,
                  fmt::format("vrrp_instance '{}' and '{}' ({}) both use virtual_router_id {} {}{}",
                              instance.name, other.name, context.line_of(other.location),
                              instance.virtual_router_id, place_of(instance),
                              instance.vmac ? ", virtual MAC or not" : ""),
                  "choose another virtual_router_id for one of them, on all its directors");
  }
  remove_flagged(instances, remove);
}

void check_owner(const Context& context, const VrrpInstance& instance) {
  if (instance.priority != 255) return;
  const Tracking& tracking = instance.tracking;
  for (const auto* list : {&tracking.interfaces, &tracking.scripts, &tracking.files,
                           &tracking.processes, &tracking.bfd}) {
    for (const Tracked& one : *list) {
      if (one.weight.value_or(0) == 0) continue;
      context.warn(one.location,
                   fmt::format("the weight of '{}' never counts: priority 255 of vrrp_instance "
                               "'{}' does not change",
                               one.name, instance.name),
                   "choose a priority of at most 254");
    }
  }
}

void check_peers(const Context& context, VrrpInstance& instance) {
  const std::vector<UnicastPeer>& peers = instance.unicast_peers;
  for (const UnicastPeer& peer : peers) {
    if (!instance.mcast_src_ip || *instance.mcast_src_ip != peer.address) continue;
    context.warn(peer.location,
                 fmt::format("{} is the source address of vrrp_instance '{}' itself, not a peer",
                             peer.address.to_string(), instance.name),
                 "name the other directors here, and this one in 'unicast_src_ip'");
  }
  if (!peers.empty() && instance.vmac && !instance.vmac_xmit_base) {
    context.warn(instance.location,
                 fmt::format("unicast adverts of vrrp_instance '{}' go out of {}, not of its "
                             "virtual MAC interface",
                             instance.name, instance.interface),
                 "write 'vmac_xmit_base', which is what is done");
    instance.vmac_xmit_base = true;
  }
}

// One interface has one MAC: the second instance would be master above the other's link.
void check_device_names(const Context& context) {
  std::map<std::string, const VrrpInstance*> first;
  for (VrrpInstance& instance : context.model.instances) {
    if (!instance.vmac || instance.vmac->name.empty()) continue;
    const auto [other, is_new] = first.emplace(instance.vmac->name, &instance);
    if (is_new) continue;
    context.warn(instance.location,
                 fmt::format("vrrp_instance '{}' and '{}' ({}) both name their virtual MAC "
                             "interface '{}': this one gets its default name",
                             instance.name, other->second->name,
                             context.line_of(other->second->location), instance.vmac->name),
                 "give each its own name behind 'use_vmac', or none");
    instance.vmac->name.clear();
  }
}

// RFC 9568 §5.2.9: it is the virtual router's own one. keepalived warns, too, and sends the list.
void check_first_address(const VrrpInstance& instance, Few& without) {
  const auto& list = instance.virtual_addresses;
  if (instance.family == core::Family::v4 || list.empty()) return;
  if (list.front().prefix.address.is_link_local()) return;
  without.add(list.front().location,
              fmt::format("the first IPv6 address of vrrp_instance '{}' is not link-local: hosts "
                          "cannot take it for their router, and strict peers refuse its adverts",
                          instance.name),
              "begin with one of fe80::/64, the same on all its directors");
}

// A master is missed after three intervals and the skew.
void check_interval(const VrrpInstance& instance, Few& slow, Few& fast) {
  if (instance.advert_int > seconds(10)) {
    slow.add(instance.location,
             fmt::format("with 'advert_int {}' the backup of vrrp_instance '{}' waits {} seconds "
                         "before it replaces a dead master",
                         seconds_text(instance.advert_int), instance.name,
                         seconds_text(instance.down_timer_adverts * instance.advert_int)),
             "1 is usual; all directors of the instance need the same");
  }
  if (instance.advert_int < milliseconds(50)) {
    fast.add(instance.location,
             fmt::format("with 'advert_int {}' a pause of {} ms, such as a busy machine makes, "
                         "gives vrrp_instance '{}' two masters",
                         seconds_text(instance.advert_int),
                         instance.down_timer_adverts * (instance.advert_int / milliseconds(1)),
                         instance.name));
  }
}

}  // namespace

void check_instances(const Context& context) {
  check_routers(context);
  check_device_names(context);
  Few slow(context, Severity::note);
  Few fast(context, Severity::note);
  Few without_link_local(context, Severity::note);
  for (VrrpInstance& instance : context.model.instances) {
    check_owner(context, instance);
    check_peers(context, instance);
    check_interval(instance, slow, fast);
    check_first_address(instance, without_link_local);
    if (instance.interface == "lo") {
      context.warn(instance.location,
                   fmt::format("the adverts of vrrp_instance '{}' never leave this host on 'lo': "
                               "every director is master",
                               instance.name),
                   "name the interface to the other directors");
    }
  }
  slow.finish();
  fast.finish();
  without_link_local.finish();
}

}  // namespace holdfast::config::validation
