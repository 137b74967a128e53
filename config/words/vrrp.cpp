// vrrp_instance: its words, what each reads and writes. What several words decide together is in
// builders/finish_vrrp.cpp.
#include "config/builders/vrrp_draft.hpp"
#include "config/signing_keys.hpp"
#include "config/words/extra_garp.hpp"
#include "config/words/lines.hpp"
#include "config/words/notices.hpp"
#include "config/words/tracking.hpp"

#include <algorithm>

namespace holdfast::config {
using namespace rows;
namespace {

using Draft = InstanceDraft;

constexpr std::int64_t kManyTimes = 1'000'000;
constexpr std::int64_t kDay = 86'400;

constexpr std::string_view kNoTracking =
    "Holdfast does not track BFD sessions yet: this changes no priority and no state";
constexpr std::string_view kNoLateness =
    "'timer_expired_backup' is how Holdfast works anyway: a master that ran so late that a peer of "
    "any priority may have taken over withdraws and listens first";

void read_state(Draft& draft, const Args& args) {
  draft.state = args.number(0) == 0 ? InitialState::master : InitialState::backup;
  draft.state_at = args.statement().range;
}
void write_state(const VrrpInstance& instance, Writer& out) {
  if (instance.state != InitialState::unset) out.text("state", to_string(instance.state));
}

// With unicast peers its absence means something: none.
void write_interface(const VrrpInstance& instance, const VrrpInstance& standard, Writer& out) {
  const bool goes_without_saying =
      instance.interface == standard.interface && instance.unicast_peers.empty();
  if (!instance.interface.empty() && !goes_without_saying)
    out.text("interface", instance.interface);
}

void read_advert_int(Draft& draft, const Args& args) {
  draft.advert_int = args.duration(0);
  draft.advert_int_at = args.value(0).range;
}

void read_version(Draft& draft, const Args& args) {
  draft.version = args.as<std::uint8_t>(0);
  draft.version_at = args.value(0).range;
}

void read_source(Draft& draft, const Args& args) {
  draft.mcast_src_ip = args.value(0).address;
  draft.source_at = args.value(0).range;
  draft.unicast_word = draft.unicast_word || args.row().name == "unicast_src_ip";
}

void read_group(Draft& draft, const Args& args) {
  if (!gives_group(args)) return;
  draft.mcast_dst_ip = args.value(0).address;
  draft.group_at = args.value(0).range;
}
void write_group(const VrrpInstance& instance, const VrrpInstance& standard, Writer& out) {
  if (instance.mcast_dst_ip == standard.mcast_dst_ip) return;
  out.address("mcast_dst_ip",
              instance.mcast_dst_ip.value_or(multicast_group(Globals(), instance.family)));
}

void read_unicast_ttl(Draft& draft, const Args& args) {
  draft.unicast_ttl = args.as<std::uint8_t>(0);
  draft.unicast_word = true;
}

void read_preempt(Draft& draft, const Args&) {
  draft.wants_no_preempt = false;
}
void read_no_preempt(Draft& draft, const Args& args) {
  draft.wants_no_preempt = true;
  draft.no_preempt_at = args.statement().range;
}
void write_no_preempt(const VrrpInstance& instance, Writer& out) {
  out.flag("nopreempt", !instance.preempt);
}
void read_preempt_delay(Draft& draft, const Args& args) {
  draft.preempt_delay = args.duration(0);
  draft.preempt_delay_at = args.statement().range;
}

void read_accept(VrrpInstance& instance, const Args&) {
  instance.accept = AcceptMode::accept;
}
void write_accept(const VrrpInstance& instance, Writer& out) {
  out.flag("accept", instance.accept == AcceptMode::accept);
}
void read_no_accept(VrrpInstance& instance, const Args&) {
  instance.accept = AcceptMode::no_accept;
}
void write_no_accept(const VrrpInstance& instance, Writer& out) {
  out.flag("no_accept", instance.accept == AcceptMode::no_accept);
}

void inherit_garp(VrrpInstance& instance, const Globals& globals) {
  instance.garp = globals.garp;
}
void read_extra(VrrpInstance& instance, const Args& args) {
  read_extra_announcements(instance.garp, args);
}
void write_extra(const VrrpInstance& instance, const VrrpInstance& standard, Writer& out) {
  write_extra_announcements(instance.garp, standard.garp, "garp_extra_if", out);
}
template <std::uint32_t GarpSettings::*kMember>
void read_repeat(VrrpInstance& instance, const Args& args) {
  instance.garp.*kMember = at_least_once(args);
}

void read_debug(VrrpInstance& instance, const Args& args) {
  instance.debug = args.has(0) ? args.as<std::uint8_t>(0) : 0;
}

// Half of what was meant could make a second master. The link-local address is the source then,
// while the peers list, and send to, a global one.
std::string_view without_source(const VrrpInstance& instance) {
  const auto& peers = instance.unicast_peers;
  const bool is_local = std::all_of(peers.begin(), peers.end(), [](const UnicastPeer& peer) {
    return peer.address.is_link_local();
  });
  const bool is_routed = instance.interface.empty();  // the route to the peers chooses
  if (instance.family == core::Family::v4 || instance.mcast_src_ip || is_local || is_routed)
    return "";
  return "add 'unicast_src_ip ADDRESS', the address of this host that its peers list, or adverts "
         "come from the link-local one and every director is master";
}
// Rather no director than one that its peers refuse, or that signs with nothing.
std::string_view without_keys(const VrrpInstance& instance) {
  if (!instance.auth_hmac) return "";
  const bool has_header = instance.authentication.type == AuthType::ah && instance.version == 2 &&
                          !instance.strict;  // where it is not dropped
  if (has_header) return "auth_hmac and 'auth_type AH' exclude each other, remove one of them";
  if (bytes_of(*instance.auth_hmac)) return "";
  return "auth_hmac has a key that cannot be used, or none (keys have 32 to 64 bytes, as text, as "
         "hex:DIGITS, or in a file that can be read; active_key is one of them)";
}

constexpr Keyword kVrrpInstance[] = {
    word("state", choice("MASTER BACKUP"), fallback("BACKUP"), reads<read_state>,
         writes<write_state>, doc("who is expected to win; the election decides")),
    word("interface", of(ArgType::interface), fallback("default_interface"), kRequired,
         value<&VrrpInstance::interface>,
         inherits<&VrrpInstance::interface, &Globals::default_interface>,
         writes_against<write_interface>,
         doc("where adverts are sent and heard; with unicast peers none is needed, the kernel's "
             "routes decide then")),
    word("virtual_router_id", integer(1, 255), kRequired, value<&VrrpInstance::virtual_router_id>,
         doc("number that the directors of one virtual router share")),
    word("priority", integer(1, 255), fallback("100"), value<&VrrpInstance::priority>,
         doc("the highest wins; 255 is the owner of the address, and the default of 'state "
             "MASTER'")),
    word("advert_int", Arg{.type = ArgType::seconds, .low = 10'000, .high = 255 * kMicroseconds},
         fallback("1"), value<&VrrpInstance::advert_int>, reads<read_advert_int>,
         doc("time between two adverts, seconds: whole ones for version 2, steps of 0.01 up to "
             "40.95 for version 3")),
    word("version", integer(2, 3), fallback("vrrp_version"), value<&VrrpInstance::version>,
         reads<read_version>, inherits<&VrrpInstance::version, &Globals::vrrp_version>,
         doc("VRRP version; IPv6 is always 3")),
    word("native_ipv6",
         not_kept("'native_ipv6' has no effect, as in keepalived: the first address decides the "
                  "family"),
         kDeprecated, doc("an old word: the addresses decide the family")),
    word("authentication", opens(Block::authentication), kRepeatable, reads<read_authentication>,
         writes<write_authentication>,
         doc("of version 2: a password in clear, or a header that proves the sender")),
    word("auth_hmac", opens(Block::auth_hmac), kRepeatable, since("2.4"), reads<read_auth_hmac>,
         writes<write_auth_hmac>, not_started_when<without_keys>, doc("adverts are signed")),
    word("virtual_ipaddress", opens(Block::address_list), kRepeatable,
         reads<read_virtual_addresses>, writes<write_virtual_addresses>,
         doc("addresses that the master holds and advertises, one a line, all of one family")),
    word("virtual_ipaddress_excluded", opens(Block::address_list), kRepeatable,
         reads<read_excluded_addresses>, writes<write_excluded_addresses>,
         doc("addresses of any family that the master holds but does not advertise")),
    word("no_virtual_ipaddress", acts_in(Room::reader), value<&VrrpInstance::no_virtual_ipaddress>,
         doc("an instance without addresses is meant to be so")),
    word("virtual_routes", opens(Block::route_list), kRepeatable, reads<read_routes>,
         writes<write_routes>, doc("routes of the master, one a line")),
    word("virtual_rules", opens(Block::rule_list), kRepeatable, reads<read_rules>,
         writes<write_rules>, doc("routing rules of the master, one a line")),
    word("mcast_src_ip", of(ArgType::ip), fallback("the interface's first address"),
         value<&VrrpInstance::mcast_src_ip>, reads<read_source>,
         doc("source address of the adverts")),
    word("unicast_src_ip", of(ArgType::ip), alias_of("mcast_src_ip"),
         fallback("the interface's first address"), doc("source address of the adverts")),
    word("unicast_peer", opens(Block::peer_list), kRepeatable, reads<read_unicast_peers>,
         writes<write_unicast_peers>, not_started_when<without_source>,
         doc("adverts go to these addresses instead of the multicast group; addresses of this host "
             "are left out")),
    word("unicast_ttl", integer(0, 255), fallback("255"), value<&VrrpInstance::unicast_ttl>,
         reads<read_unicast_ttl>, with("unicast_peer"), doc("TTL of adverts to unicast peers")),
    word("unicast_fault_no_peer", with("unicast_peer"), value<&VrrpInstance::unicast_fault_no_peer>,
         doc("with unicast words but no peer: fault, instead of multicast")),
    word("check_unicast_src", boolean(), fallback("vrrp_check_unicast_src"), with("unicast_peer"),
         value<&VrrpInstance::check_unicast_src>,
         inherits<&VrrpInstance::check_unicast_src, &Globals::vrrp_check_unicast_src>,
         doc("drop unicast adverts of others than the peers")),
    word("track_src_ip", value<&VrrpInstance::track_src_ip>,
         doc("fault while the source address is on no interface; with unicast peers and with IPv6 "
             "always so")),
    word("mcast_dst_ip", of(ArgType::ip), fallback("vrrp_mcast_group4"), reads<read_group>,
         writes_against<write_group>, doc("group that adverts go to")),
    word("old_unicast_checksum", optional(choice("never")),
         not_kept("'old_unicast_checksum' is not needed: every peer is answered with the checksum "
                  "that it uses itself"),
         doc("checksum of version 3 as before keepalived 1.3.6")),
    word("v3_checksum_as_v2", boolean(), fallback("v3_checksum_as_v2 of global_defs"), since("2.4"),
         value<&VrrpInstance::v3_checksum_as_v2>,
         inherits<&VrrpInstance::v3_checksum_as_v2, &Globals::v3_checksum_as_v2>,
         doc("checksum of version 3 over IPv4 without pseudo header, as RFC 9568 has it")),
    word("use_vmac", options(Block::vmac_line), reads<read_use_vmac>, writes<write_use_vmac>,
         doc("the addresses are on an interface with the virtual router's MAC: [name] INTERFACE, "
             "MAC, netlink_notify_msg, group GROUP")),
    word("use_ipvlan", options(Block::ipvlan_line), reads<read_use_ipvlan>,
         writes<write_use_ipvlan>,
         doc("the addresses are on an ipvlan interface: [name] INTERFACE, ADDRESS, "
             "bridge|private|vepa, group GROUP")),
    word("use_vmac_addr", value<&VrrpInstance::use_vmac_addr>,
         doc("virtual MACs also on the other interfaces that addresses are on")),
    word("vmac_xmit_base", value<&VrrpInstance::vmac_xmit_base>,
         doc("with use_vmac: adverts are sent from the interface below")),
    word("vrf", of(ArgType::interface), with("unicast_peer"), value<&VrrpInstance::vrf>,
         doc("without 'interface': the VRF that adverts to peers are routed and heard in")),
    word("dont_track_primary", value<&VrrpInstance::dont_track_primary>,
         doc("no fault while the instance's own interface is down")),
    word("track_interface", opens(Block::track_interface_list), kRepeatable,
         value<&VrrpInstance::tracking, &Tracking::interfaces>,
         doc("interfaces whose loss means fault, or another priority")),
    word("track_script", opens(Block::track_list), kRepeatable,
         value<&VrrpInstance::tracking, &Tracking::scripts>,
         doc("names of vrrp_script whose failure means fault, or another priority")),
    word("track_file", opens(Block::track_list), kRepeatable,
         value<&VrrpInstance::tracking, &Tracking::files>,
         doc("names of track_file whose value changes the priority")),
    word("track_process", opens(Block::track_list), kRepeatable,
         value<&VrrpInstance::tracking, &Tracking::processes>,
         doc("names of vrrp_track_process whose end means fault, or another priority")),
    word("track_bfd", opens(Block::track_list), not_yet(kNoTracking), kRepeatable,
         value<&VrrpInstance::tracking, &Tracking::bfd>,
         doc("names of bfd_instance whose loss means fault, or another priority")),
    word("promote_secondaries", value<&VrrpInstance::promote_secondaries>,
         doc("the kernel keeps the other addresses of a prefix when the first one goes: sets "
             "net.ipv4.conf.INTERFACE.promote_secondaries until the stop")),
    word("linkbeat_use_polling",
         not_kept("'linkbeat_use_polling' is not needed: the kernel reports link changes"),
         kDeprecated, doc("an old word: the kernel reports link changes")),
    word("accept", reads<read_accept>, writes<write_accept>,
         doc("a master that does not own the addresses answers on them: the default, and in strict "
             "mode possible with version 3")),
    word("no_accept", reads<read_no_accept>, writes<write_no_accept>,
         doc("a master that does not own the addresses drops packets to and from them with "
             "nftables; ARP and neighbour discovery are answered")),
    word("strict_mode", boolean(), fallback("vrrp_strict"), value<&VrrpInstance::strict>,
         inherits<&VrrpInstance::strict, &Globals::vrrp_strict>,
         doc("hold to the RFC: no passwords, no preempt_delay, no answer on the addresses unless "
             "they are owned")),
    word("skip_check_adv_addr", boolean(), fallback("vrrp_skip_check_adv_addr"),
         value<&VrrpInstance::skip_check_adv_addr>,
         inherits<&VrrpInstance::skip_check_adv_addr, &Globals::vrrp_skip_check_adv_addr>,
         doc("do not compare the addresses of an advert from the known master again")),
    word("preempt", as_is(), reads<read_preempt>,
         doc("take over from a live master of lower priority (the default)")),
    word("nopreempt", reads<read_no_preempt>, writes<write_no_preempt>,
         doc("do not take over from a live master of lower priority")),
    word("preempt_delay", seconds(0, 1000), fallback("0"), value<&VrrpInstance::preempt_delay>,
         reads<read_preempt_delay>,
         doc("wait this long before taking over from a live master, seconds")),
    word("down_timer_adverts", integer(1, 100), fallback("vrrp_down_timer_adverts"),
         value<&VrrpInstance::down_timer_adverts>,
         inherits<&VrrpInstance::down_timer_adverts, &Globals::vrrp_down_timer_adverts>,
         doc("adverts missed before a master is given up")),
    word("lower_prio_no_advert", boolean(), fallback("vrrp_lower_prio_no_advert"),
         value<&VrrpInstance::lower_prio_no_advert>,
         inherits<&VrrpInstance::lower_prio_no_advert, &Globals::vrrp_lower_prio_no_advert>,
         doc("a master does not answer an advert of lower priority with its own")),
    word("higher_prio_send_advert", boolean(), fallback("vrrp_higher_prio_send_advert"),
         value<&VrrpInstance::higher_prio_send_advert>,
         inherits<&VrrpInstance::higher_prio_send_advert, &Globals::vrrp_higher_prio_send_advert>,
         doc("a master that yields sends one more advert")),
    word("owner_ignore_adverts", boolean(), fallback("vrrp_owner_ignore_adverts"), since("2.4"),
         value<&VrrpInstance::owner_ignore_adverts>,
         inherits<&VrrpInstance::owner_ignore_adverts, &Globals::vrrp_owner_ignore_adverts>,
         doc("a master of priority 255 ignores adverts of others")),
    word("timer_expired_backup", optional(integer(1, 254)), not_kept(kNoLateness), since("2.4"),
         doc("a master whose timer ran so late that a node of this priority may have taken over "
             "yields")),
    word("thread_timer_expired", optional(integer(1, 254)), alias_of("timer_expired_backup"),
         not_kept(kNoLateness), since("2.4")),
    word(
        "kernel_rx_buf_size", integer(0, 2'147'483'647),
        not_kept("accepted, without effect: every socket for adverts has a receive buffer of 4 MB"),
        doc("receive buffer of this instance, bytes")),
    word("garp_master_delay", seconds(0, kDay), fallback("vrrp_garp_master_delay"),
         value<&VrrpInstance::garp, &GarpSettings::master_delay>, inherits_by<inherit_garp>,
         doc("second burst of announcements this long after taking over, seconds; 0 none")),
    word("garp_master_repeat", integer(0, kManyTimes), fallback("vrrp_garp_master_repeat"),
         value<&VrrpInstance::garp, &GarpSettings::master_repeat>,
         reads<read_repeat<&GarpSettings::master_repeat>>,
         doc("announcements of each address in a burst")),
    word("garp_master_refresh", seconds(0, kDay), fallback("vrrp_garp_master_refresh"),
         value<&VrrpInstance::garp, &GarpSettings::master_refresh>,
         doc("announce again this often while master, seconds; 0 never")),
    word("garp_master_refresh_repeat", integer(0, kManyTimes),
         fallback("vrrp_garp_master_refresh_repeat"),
         value<&VrrpInstance::garp, &GarpSettings::master_refresh_repeat>,
         reads<read_repeat<&GarpSettings::master_refresh_repeat>>,
         doc("announcements of each address in such a refresh")),
    word("garp_lower_prio_delay", seconds(0, kDay), fallback("vrrp_garp_lower_prio_delay"),
         value<&VrrpInstance::garp, &GarpSettings::lower_prio_delay>,
         doc("as garp_master_delay, after an advert of lower priority was heard")),
    word("garp_lower_prio_repeat", integer(0, kManyTimes), fallback("vrrp_garp_lower_prio_repeat"),
         value<&VrrpInstance::garp, &GarpSettings::lower_prio_repeat>,
         reads<read_repeat<&GarpSettings::lower_prio_repeat>>,
         doc("as garp_master_repeat, after an advert of lower priority was heard")),
    word("garp_extra_if", optional(choice("all")), seconds(0, kDay), fallback("vrrp_garp_extra_if"),
         reads<read_extra>, writes_against<write_extra>,
         doc("while master, announce again this often where no advert shows the MAC address, that "
             "switches do not forget it: addresses on virtual MACs of other interfaces; all: on "
             "any other interface; 0 never")),
    word("vmac_garp_intvl", optional(choice("all")), seconds(0, kDay), alias_of("garp_extra_if"),
         kDeprecated),
    word("notify_master", command(), value<&VrrpInstance::notify_master>,
         doc("run on becoming master")),
    word("notify_backup", command(), value<&VrrpInstance::notify_backup>,
         doc("run on becoming backup")),
    word("notify_fault", command(), value<&VrrpInstance::notify_fault>,
         doc("run on entering fault")),
    word("notify_stop", command(), value<&VrrpInstance::notify_stop>,
         doc("run when Holdfast stops")),
    word("notify_deleted", command(), value<&VrrpInstance::notify_deleted>,
         doc("run when a reload has removed the instance; notify hears DELETED then, without this "
             "word FAULT")),
    word("notify_master_rx_lower_pri", command(), value<&VrrpInstance::notify_master_rx_lower_pri>,
         doc("run when a master hears an advert of lower priority")),
    word("notify", command(), value<&VrrpInstance::notify>,
         doc("run on every change, with INSTANCE, name, state and priority as arguments")),
    word("notify_priority_changes", boolean(), fallback("vrrp_notify_priority_changes"),
         value<&VrrpInstance::notify_priority_changes>,
         inherits<&VrrpInstance::notify_priority_changes, &Globals::vrrp_notify_priority_changes>,
         doc("priority changes are also written to the notify FIFO")),
    word("smtp_alert", boolean(), fallback("smtp_alert_vrrp"), value<&VrrpInstance::smtp_alert>,
         inherits_by<inherit_mail<VrrpInstance>>, doc("mail on every change")),
    word("lvs_sync_daemon_interface", of(ArgType::interface), acts_in(Room::checkers), kDeprecated,
         value<&VrrpInstance::lvs_sync_daemon_interface>,
         doc("the old way to say lvs_sync_daemon: its interface, with this instance")),
    word("lvs_sync_daemon_inteface", of(ArgType::interface), alias_of("lvs_sync_daemon_interface"),
         acts_in(Room::checkers), kDeprecated),
    word("debug", optional(integer(0, 4)), as_is(), value<&VrrpInstance::debug>, reads<read_debug>,
         doc("has no effect, as in keepalived")),
    word("sync_instance", text("name"),
         not_kept("'sync_instance' does nothing, as in keepalived since 2002: write a "
                  "vrrp_sync_group"),
         kRepeatable, kDeprecated, doc("a word of keepalived 0.6: vrrp_sync_group took its place")),
    word("disabled",
         not_kept("'disabled' does nothing, as in keepalived since 2017: this instance is started"),
         kDeprecated, doc("a word that keepalived had for a while")),
};

// What an instance is when it says nothing but its state, family and strictness.
VrrpInstance standard_for(const VrrpInstance& instance, const Globals& globals) {
  auto standard = inherited<VrrpInstance>(Block::vrrp_instance, globals);
  const core::IpAddress& group = multicast_group(globals, instance.family);
  if (group != multicast_group(Globals(), instance.family)) standard.mcast_dst_ip = group;
  if (instance.state == InitialState::master) standard.priority = 255;
  if (!instance.strict) return standard;
  standard.garp.lower_prio_delay = core::Duration{0};  // strict mode announces nothing then
  standard.garp.lower_prio_repeat = 0;
  standard.down_timer_adverts = 3;
  standard.lower_prio_no_advert = true;
  return standard;
}

}  // namespace

std::span<const Keyword> rows::vrrp_instance() {
  return kVrrpInstance;
}

void build_instance(const Args& args) {
  Draft draft(named<VrrpInstance>(args));
  read_body(args, draft);
  if (finish_instance(draft, args)) args.context().model.instances.push_back(std::move(draft));
}

Node document_of(const VrrpInstance& instance, const Globals& globals, Detail detail) {
  return block_of("vrrp_instance", {instance.name}, instance, standard_for(instance, globals),
                  detail);
}

}  // namespace holdfast::config
