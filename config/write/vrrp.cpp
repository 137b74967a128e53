// VrrpInstance → words.
#include "config/write/tracking.hpp"
#include "config/write/write.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

// What an instance has when it says nothing.
GarpSettings garp_default(const VrrpInstance& instance, const Globals& globals) {
  GarpSettings garp = globals.garp;
  if (!instance.strict) return garp;
  garp.lower_prio_delay = core::Duration{0};  // strict mode announces nothing then
  garp.lower_prio_repeat = 0;
  return garp;
}

void write_election(Writer& out, const VrrpInstance& instance, const Globals& globals) {
  const bool master = instance.state == InitialState::master;
  if (instance.state != InitialState::unset) out.text("state", to_string(instance.state), "");
  out.text("interface", instance.interface, globals.default_interface);
  out.number("virtual_router_id", instance.virtual_router_id, 0);
  out.number("priority", instance.priority, master ? 255 : 100);
  out.seconds("advert_int", instance.advert_int, std::chrono::seconds(1));
  out.number("version", instance.version, globals.vrrp_version);
  out.flag("nopreempt", !instance.preempt);
  out.seconds("preempt_delay", instance.preempt_delay, core::Duration{0});
  out.boolean("strict_mode", instance.strict, globals.vrrp_strict);
  out.number("down_timer_adverts", instance.down_timer_adverts,
             instance.strict ? 3 : globals.vrrp_down_timer_adverts);
  out.boolean("skip_check_adv_addr", instance.skip_check_adv_addr,
              globals.vrrp_skip_check_adv_addr);
  out.boolean("higher_prio_send_advert", instance.higher_prio_send_advert,
              globals.vrrp_higher_prio_send_advert);
  out.boolean("lower_prio_no_advert", instance.lower_prio_no_advert,
              instance.strict || globals.vrrp_lower_prio_no_advert);
  out.boolean("owner_ignore_adverts", instance.owner_ignore_adverts,
              globals.vrrp_owner_ignore_adverts);
}

void write_authentication(Writer& out, const Authentication& authentication) {
  if (authentication.type == AuthType::none) return;
  Writer body = body_of(out.block("authentication"), out.detail());
  body.text("auth_type", to_string(authentication.type));
  body.statement("auth_pass", {authentication.password});
}

void write_auth_hmac(Writer& out, const Rare<AuthHmac>& hmac) {
  if (!hmac) return;
  constexpr std::string_view kModes[] = {"enforce", "permissive", "receive-only"};
  Writer body = body_of(out.block("auth_hmac"), out.detail());
  for (const AuthHmac::Key& key : hmac->keys)
    body.statement("key", {fmt::format("{}", key.id), key.value});
  if (hmac->active_key != 0) body.number("active_key", hmac->active_key, 0);
  if (hmac->time_window.count() != 0)
    body.seconds("time_window", hmac->time_window, core::Duration{0});
  const bool monotonic = hmac->anti_replay == AuthHmac::AntiReplay::monotonic;
  body.text("anti_replay", monotonic ? "monotonic" : "time", "time");
  body.text("mode", kModes[static_cast<std::size_t>(hmac->mode)], kModes[0]);
}

void write_unicast(Writer& out, const VrrpInstance& instance, const Globals& globals) {
  out.address("mcast_src_ip", instance.mcast_src_ip);
  const Globals standard;
  const core::IpAddress group =
      instance.mcast_dst_ip.value_or(multicast_group(standard, instance.family));
  if (group != multicast_group(globals, instance.family))
    out.statement("mcast_dst_ip", {group.to_string()});
  if (instance.unicast) {
    Writer body = body_of(out.block("unicast_peer"), out.detail());
    for (const UnicastPeer& peer : instance.unicast_peers) {
      std::vector<std::string> words{peer.address.to_string()};
      if (peer.min_ttl) words.insert(words.end(), {"min_ttl", fmt::format("{}", *peer.min_ttl)});
      if (peer.max_ttl) words.insert(words.end(), {"max_ttl", fmt::format("{}", *peer.max_ttl)});
      body.entry(std::move(words));
    }
  }
  if (instance.unicast_ttl)
    out.statement("unicast_ttl", {fmt::format("{}", *instance.unicast_ttl)});
  out.flag("unicast_fault_no_peer", instance.unicast_fault_no_peer);
  out.boolean("check_unicast_src", instance.check_unicast_src, globals.vrrp_check_unicast_src);
  out.flag("track_src_ip", instance.track_src_ip);
  out.boolean("v3_checksum_as_v2", instance.v3_checksum_as_v2, globals.v3_checksum_as_v2);
}

void write_addresses(Writer& out, std::string_view word, const std::vector<VirtualAddress>& list,
                     const VrrpInstance& instance) {
  if (list.empty()) return;
  Node& made = out.block(word);
  for (VirtualAddress address : list) {
    if (address.interface == instance.interface) address.interface.clear();
    made.body.push_back(document_of(address));
  }
}

template <class T>
void write_lines(Writer& out, std::string_view word, const std::vector<T>& list) {
  if (list.empty()) return;
  Node& made = out.block(word);
  for (const T& each : list) made.body.push_back(document_of(each));
}

void write_vmac(Writer& out, const VrrpInstance& instance) {
  if (instance.vmac) {
    constexpr std::string_view kModes[] = {"bridge", "private", "vepa"};
    const Vmac& vmac = *instance.vmac;
    const bool ipvlan = vmac.kind == Vmac::Kind::ipvlan;
    std::vector<std::string> words;
    if (!vmac.name.empty()) words.insert(words.end(), {"name", vmac.name});
    if (vmac.mac) words.push_back(vmac.mac->to_string());
    if (vmac.source) words.push_back(vmac.source->to_string());
    if (ipvlan && vmac.mode != Vmac::IpvlanMode::bridge)
      words.emplace_back(kModes[static_cast<std::size_t>(vmac.mode)]);
    if (vmac.netlink_notify_msg) words.emplace_back("netlink_notify_msg");
    if (!vmac.group.empty()) words.insert(words.end(), {"group", vmac.group});
    out.statement(ipvlan ? "use_ipvlan" : "use_vmac", std::move(words));
  }
  out.flag("use_vmac_addr", instance.use_vmac_addr);
  out.flag("vmac_xmit_base", instance.vmac_xmit_base);
  out.text("vrf", instance.vrf);
  out.flag("promote_secondaries", instance.promote_secondaries);
  out.flag("accept", instance.accept == AcceptMode::accept);
  out.flag("no_accept", instance.accept == AcceptMode::no_accept);
}

void write_garp(Writer& out, const GarpSettings& garp, const GarpSettings& fallback) {
  out.seconds("garp_master_delay", garp.master_delay, fallback.master_delay);
  out.number("garp_master_repeat", garp.master_repeat, fallback.master_repeat);
  out.seconds("garp_master_refresh", garp.master_refresh, fallback.master_refresh);
  out.number("garp_master_refresh_repeat", garp.master_refresh_repeat,
             fallback.master_refresh_repeat);
  out.seconds("garp_lower_prio_delay", garp.lower_prio_delay, fallback.lower_prio_delay);
  out.number("garp_lower_prio_repeat", garp.lower_prio_repeat, fallback.lower_prio_repeat);
}

void write_events(Writer& out, const VrrpInstance& instance, const Globals& globals) {
  out.flag("dont_track_primary", instance.dont_track_primary);
  write_tracking(out, instance.tracking);
  out.script("notify_master", instance.notify_master);
  out.script("notify_backup", instance.notify_backup);
  out.script("notify_fault", instance.notify_fault);
  out.script("notify_stop", instance.notify_stop);
  out.script("notify_deleted", instance.notify_deleted);
  out.script("notify_master_rx_lower_pri", instance.notify_master_rx_lower_pri);
  out.script("notify", instance.notify);
  out.boolean("notify_priority_changes", instance.notify_priority_changes, false);
  out.boolean("smtp_alert", instance.smtp_alert,
              globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false)));
  out.text("lvs_sync_daemon_interface", instance.lvs_sync_daemon_interface);
  out.number("debug", instance.debug, 0);
}

}  // namespace

Node document_of(const VrrpInstance& instance, const Globals& globals, Detail detail) {
  Node made = node(Block::root, "vrrp_instance", {instance.name});
  Writer out = body_of(made, detail);
  write_election(out, instance, globals);
  write_authentication(out, instance.authentication);
  write_auth_hmac(out, instance.auth_hmac);
  write_unicast(out, instance, globals);
  write_vmac(out, instance);
  write_addresses(out, "virtual_ipaddress", instance.virtual_addresses, instance);
  write_addresses(out, "virtual_ipaddress_excluded", instance.virtual_addresses_excluded, instance);
  out.flag("no_virtual_ipaddress", instance.no_virtual_ipaddress);
  write_lines(out, "virtual_routes", instance.virtual_routes);
  write_lines(out, "virtual_rules", instance.virtual_rules);
  write_garp(out, instance.garp, garp_default(instance, globals));
  write_events(out, instance, globals);
  return made;
}

}  // namespace holdfast::config
