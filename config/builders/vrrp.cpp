// vrrp_instance → VrrpInstance: what each word sets. What several words decide together is in
// finish_vrrp.cpp.
#include "config/builders/route_line.hpp"
#include "config/builders/tracking.hpp"
#include "config/builders/vrrp_draft.hpp"

namespace holdfast::config {
namespace {

using Draft = InstanceDraft;
using Rows = std::vector<Setters<Draft>::Row>;

template <Rare<Script> VrrpInstance::*kMember>
void set_script(Draft& draft, const Args& args) {
  draft.instance.*kMember = args.script();
}
template <bool VrrpInstance::*kMember>
void set_flag(Draft& draft, const Args& args) {
  draft.instance.*kMember = args.flag();
}
template <std::vector<Tracked> Tracking::*kMember>
void read_list(Draft& draft, const Args& args) {
  read_tracked(args, draft.instance.tracking.*kMember);
}
template <core::Duration GarpSettings::*kMember>
void set_garp_time(Draft& draft, const Args& args) {
  draft.instance.garp.*kMember = args.duration(0);
}
template <std::uint32_t GarpSettings::*kMember>
void set_garp_count(Draft& draft, const Args& args) {
  draft.instance.garp.*kMember = at_least_once(args);
}

void set_source(Draft& draft, const Args& args) {
  draft.instance.mcast_src_ip = args.value(0).address;
  draft.source_at = args.value(0).range;
  if (Schema::instance()[args.statement().keyword].name == "unicast_src_ip")
    draft.unicast_word = true;
}

void read_routes(Draft& draft, const Args& args) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    auto route = read_route_line(context, context.tree.statements[at], ListOwner::instance);
    if (route) draft.instance.virtual_routes.push_back(std::move(*route));
  }
}

void read_rules(Draft& draft, const Args& args) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    auto rule = read_rule_line(context, context.tree.statements[at], ListOwner::instance);
    if (rule) draft.instance.virtual_rules.push_back(std::move(*rule));
  }
}

const Rows kElection = {
    {"state",
     [](Draft& d, const Args& a) {
       d.instance.state = a.number(0) == 0 ? InitialState::master : InitialState::backup;
       d.state_at = a.statement().range;
     }},
    {"interface", [](Draft& d, const Args& a) { d.instance.interface = a.text(0); }},
    {"virtual_router_id",
     [](Draft& d, const Args& a) { d.instance.virtual_router_id = a.as<std::uint8_t>(0); }},
    {"priority", [](Draft& d, const Args& a) { d.instance.priority = a.as<std::uint8_t>(0); }},
    {"advert_int",
     [](Draft& d, const Args& a) {
       d.instance.advert_int = a.duration(0);
       d.advert_int_at = a.value(0).range;
     }},
    {"version",
     [](Draft& d, const Args& a) {
       d.version = a.as<std::uint8_t>(0);
       d.version_at = a.value(0).range;
     }},
    {"preempt", [](Draft& d, const Args&) { d.wants_no_preempt = false; }},
    {"nopreempt",
     [](Draft& d, const Args& a) {
       d.wants_no_preempt = true;
       d.no_preempt_at = a.statement().range;
     }},
    {"preempt_delay",
     [](Draft& d, const Args& a) {
       d.instance.preempt_delay = a.duration(0);
       d.preempt_delay_at = a.statement().range;
     }},
    {"strict_mode", [](Draft& d, const Args& a) { d.strict = a.flag(); }},
    {"down_timer_adverts",
     [](Draft& d, const Args& a) { d.instance.down_timer_adverts = a.as<std::uint8_t>(0); }},
    {"skip_check_adv_addr", set_flag<&VrrpInstance::skip_check_adv_addr>},
    {"higher_prio_send_advert", set_flag<&VrrpInstance::higher_prio_send_advert>},
    {"lower_prio_no_advert", set_flag<&VrrpInstance::lower_prio_no_advert>},
    {"owner_ignore_adverts", set_flag<&VrrpInstance::owner_ignore_adverts>},
    {"debug",
     [](Draft& d, const Args& a) { d.instance.debug = a.has(0) ? a.as<std::uint8_t>(0) : 0; }},
};

const Rows kAdverts = {
    {"authentication", read_authentication},
    {"auth_hmac", read_auth_hmac},
    {"mcast_src_ip", set_source},
    {"mcast_dst_ip",
     [](Draft& d, const Args& a) {
       d.instance.mcast_dst_ip = a.value(0).address;
       d.group_at = a.value(0).range;
     }},
    {"unicast_peer", read_unicast_peers},
    {"unicast_ttl",
     [](Draft& d, const Args& a) {
       d.instance.unicast_ttl = a.as<std::uint8_t>(0);
       d.unicast_word = true;
     }},
    {"unicast_fault_no_peer", set_flag<&VrrpInstance::unicast_fault_no_peer>},
    {"check_unicast_src", set_flag<&VrrpInstance::check_unicast_src>},
    {"track_src_ip", set_flag<&VrrpInstance::track_src_ip>},
    {"v3_checksum_as_v2", set_flag<&VrrpInstance::v3_checksum_as_v2>},
};

const Rows kAddresses = {
    {"virtual_ipaddress", read_virtual_addresses},
    {"virtual_ipaddress_excluded", read_excluded_addresses},
    {"no_virtual_ipaddress", set_flag<&VrrpInstance::no_virtual_ipaddress>},
    {"virtual_routes", read_routes},
    {"virtual_rules", read_rules},
    {"use_vmac", read_use_vmac},
    {"use_ipvlan", read_use_ipvlan},
    {"use_vmac_addr", set_flag<&VrrpInstance::use_vmac_addr>},
    {"vmac_xmit_base", set_flag<&VrrpInstance::vmac_xmit_base>},
    {"vrf", [](Draft& d, const Args& a) { d.instance.vrf = a.text(0); }},
    {"promote_secondaries", set_flag<&VrrpInstance::promote_secondaries>},
    {"accept", [](Draft& d, const Args&) { d.instance.accept = AcceptMode::accept; }},
    {"no_accept", [](Draft& d, const Args&) { d.instance.accept = AcceptMode::no_accept; }},
    {"garp_master_delay", set_garp_time<&GarpSettings::master_delay>},
    {"garp_master_repeat", set_garp_count<&GarpSettings::master_repeat>},
    {"garp_master_refresh", set_garp_time<&GarpSettings::master_refresh>},
    {"garp_master_refresh_repeat", set_garp_count<&GarpSettings::master_refresh_repeat>},
    {"garp_lower_prio_delay", set_garp_time<&GarpSettings::lower_prio_delay>},
    {"garp_lower_prio_repeat", set_garp_count<&GarpSettings::lower_prio_repeat>},
};

const Rows kEvents = {
    {"dont_track_primary", set_flag<&VrrpInstance::dont_track_primary>},
    {"track_interface",
     [](Draft& d, const Args& a) { read_tracked_interfaces(a, d.instance.tracking.interfaces); }},
    {"track_script", read_list<&Tracking::scripts>},
    {"track_file", read_list<&Tracking::files>},
    {"track_process", read_list<&Tracking::processes>},
    {"track_bfd", read_list<&Tracking::bfd>},
    {"notify_master", set_script<&VrrpInstance::notify_master>},
    {"notify_backup", set_script<&VrrpInstance::notify_backup>},
    {"notify_fault", set_script<&VrrpInstance::notify_fault>},
    {"notify_stop", set_script<&VrrpInstance::notify_stop>},
    {"notify_deleted", set_script<&VrrpInstance::notify_deleted>},
    {"notify_master_rx_lower_pri", set_script<&VrrpInstance::notify_master_rx_lower_pri>},
    {"notify", set_script<&VrrpInstance::notify>},
    {"notify_priority_changes", set_flag<&VrrpInstance::notify_priority_changes>},
    {"smtp_alert", set_flag<&VrrpInstance::smtp_alert>},
    {"lvs_sync_daemon_interface",
     [](Draft& d, const Args& a) { d.instance.lvs_sync_daemon_interface = a.text(0); }},
};

const Setters<Draft>& setters() {
  static const Setters<Draft> table = [] {
    Rows rows;
    for (const Rows& some : {kElection, kAdverts, kAddresses, kEvents})
      rows.insert(rows.end(), some.begin(), some.end());
    return Setters<Draft>(Block::vrrp_instance, rows);
  }();
  return table;
}

// Globals hold wherever they stand: they are complete before the first instance is built.
void inherit(VrrpInstance& instance, const Globals& globals) {
  instance.interface = globals.default_interface;
  instance.garp = globals.garp;
  instance.smtp_alert = globals.smtp_alert_vrrp.value_or(globals.smtp_alert.value_or(false));
  instance.version = globals.vrrp_version;
  instance.check_unicast_src = globals.vrrp_check_unicast_src;
  instance.v3_checksum_as_v2 = globals.v3_checksum_as_v2;
  instance.skip_check_adv_addr = globals.vrrp_skip_check_adv_addr;
  instance.higher_prio_send_advert = globals.vrrp_higher_prio_send_advert;
  instance.lower_prio_no_advert = globals.vrrp_lower_prio_no_advert;
  instance.owner_ignore_adverts = globals.vrrp_owner_ignore_adverts;
  instance.down_timer_adverts = globals.vrrp_down_timer_adverts;
}

}  // namespace

void build_instance(const Args& args) {
  Draft draft;
  draft.instance.name = args.text(0);
  draft.instance.location = args.location();
  inherit(draft.instance, args.context().model.globals);
  setters().apply(args.context(), args.statement().first_child, draft);
  if (finish_instance(draft, args))
    args.context().model.instances.push_back(std::move(draft.instance));
}

bool instances_know(KeywordId id) {
  return setters().knows(id) || instance_parts_know(id) || tracking_knows(id);
}

}  // namespace holdfast::config
