// Rows of the table: vrrp_instance and its blocks.
#include "config/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kManyTimes = 1'000'000;

constexpr std::string_view kNoMail =
    "accepted, without effect yet: mail settings (Holdfast does not send mail yet)";

constexpr std::string_view kNoVmac =
    "Holdfast does not make virtual MAC interfaces yet: the addresses are put on the interface "
    "itself";
constexpr std::string_view kNoUnicast =
    "Holdfast does not do unicast peers yet: this instance sends its adverts by multicast";
constexpr std::string_view kNoTracking =
    "Holdfast does not track anything but the instance's own interface yet: this changes no "
    "priority and no state";
constexpr std::string_view kNoSyncDaemon =
    "Holdfast does not start the IPVS sync daemon yet: a failover loses established connections";

constexpr Keyword kVrrpInstance[] = {
    {.name = "state",
     .args = {choice("MASTER BACKUP")},
     .fallback = "BACKUP",
     .doc = "who is expected to win; the election decides"},
    {.name = "interface",
     .args = {of(ArgType::interface)},
     .doc = "where adverts are sent and heard; required"},
    {.name = "virtual_router_id",
     .args = {integer(1, 255)},
     .doc = "number that the directors of one virtual router share; required"},
    {.name = "priority",
     .args = {integer(1, 255)},
     .fallback = "100",
     .doc = "the highest wins; 255 is the owner of the address"},
    {.name = "advert_int",
     .args = {Arg{.type = ArgType::seconds, .low = 10'000, .high = 255 * kMicroseconds}},
     .fallback = "1",
     .doc = "time between two adverts, seconds; whole ones for version 2"},
    {.name = "version", .args = {integer(2, 3)}, .fallback = "vrrp_version", .doc = "VRRP version"},
    {.name = "authentication",
     .opens = Block::authentication,
     .doc = "password of version 2, sent in clear",
     .repeatable = true},
    {.name = "virtual_ipaddress",
     .opens = Block::address_list,
     .doc = "addresses that the master holds and advertises, one a line",
     .repeatable = true},
    {.name = "virtual_ipaddress_excluded",
     .opens = Block::address_list,
     .doc = "addresses that the master holds but does not advertise",
     .repeatable = true},
    {.name = "no_virtual_ipaddress", .doc = "an instance without addresses is meant to be so"},
    {.name = "mcast_src_ip",
     .args = {of(ArgType::ip)},
     .fallback = "the interface's first address",
     .doc = "source address of the adverts"},
    {.name = "preempt", .doc = "take over from a live master of lower priority (the default)"},
    {.name = "nopreempt", .doc = "do not take over from a live master of lower priority"},
    {.name = "preempt_delay",
     .args = {seconds(0, 1000)},
     .fallback = "0",
     .doc = "wait this long before taking over from a live master, seconds"},
    {.name = "debug", .args = {optional(integer(0, 4))}, .doc = "has no effect, as in keepalived"},
    {.name = "garp_master_delay",
     .args = {seconds(0, 86400)},
     .fallback = "vrrp_garp_master_delay",
     .doc = "second burst of announcements this long after taking over, seconds; 0 none"},
    {.name = "garp_master_repeat",
     .args = {integer(0, kManyTimes)},
     .fallback = "vrrp_garp_master_repeat",
     .doc = "announcements of each address in a burst"},
    {.name = "garp_master_refresh",
     .args = {seconds(0, 86400)},
     .fallback = "vrrp_garp_master_refresh",
     .doc = "announce again this often while master, seconds; 0 never"},
    {.name = "garp_master_refresh_repeat",
     .args = {integer(0, kManyTimes)},
     .fallback = "vrrp_garp_master_refresh_repeat",
     .doc = "announcements of each address in such a refresh"},
    {.name = "garp_lower_prio_delay",
     .args = {seconds(0, 86400)},
     .fallback = "vrrp_garp_lower_prio_delay",
     .doc = "as garp_master_delay, after an advert of lower priority was heard"},
    {.name = "garp_lower_prio_repeat",
     .args = {integer(0, kManyTimes)},
     .fallback = "vrrp_garp_lower_prio_repeat",
     .doc = "as garp_master_repeat, after an advert of lower priority was heard"},
    {.name = "notify_master", .args = command(), .doc = "run on becoming master"},
    {.name = "notify_backup", .args = command(), .doc = "run on becoming backup"},
    {.name = "notify_fault", .args = command(), .doc = "run on entering fault"},
    {.name = "notify_stop", .args = command(), .doc = "run when Holdfast stops"},
    {.name = "notify",
     .args = command(),
     .doc = "run on every change, with INSTANCE, name, state and priority as arguments"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "false",
     .doc = "mail on every change",
     .notice = kNoMail},
    {.name = "virtual_routes",
     .effect = Effect::known,
     .opens = Block::other,
     .notice = "Holdfast does not set routes yet: the routes of this instance are not set"},
    {.name = "virtual_rules",
     .effect = Effect::known,
     .opens = Block::other,
     .notice = "Holdfast does not set routing rules yet: the rules of this instance are not set"},
    {.name = "unicast_src_ip", .effect = Effect::known, .notice = kNoUnicast},
    {.name = "unicast_peer", .effect = Effect::known, .opens = Block::other, .notice = kNoUnicast},
    {.name = "use_vmac", .effect = Effect::known, .notice = kNoVmac},
    {.name = "use_ipvlan", .effect = Effect::known, .notice = kNoVmac},
    {.name = "use_vmac_addr", .effect = Effect::known, .notice = kNoVmac},
    {.name = "vmac_xmit_base", .effect = Effect::known, .notice = kNoVmac},
    {.name = "dont_track_primary",
     .effect = Effect::known,
     .notice = "Holdfast does not do 'dont_track_primary' yet: an instance whose interface is down "
               "is in fault"},
    {.name = "track_interface",
     .effect = Effect::known,
     .opens = Block::other,
     .notice = kNoTracking},
    {.name = "track_script", .effect = Effect::known, .opens = Block::other, .notice = kNoTracking},
    {.name = "track_file", .effect = Effect::known, .opens = Block::other, .notice = kNoTracking},
    {.name = "track_process",
     .effect = Effect::known,
     .opens = Block::other,
     .notice = kNoTracking},
    {.name = "track_bfd", .effect = Effect::known, .opens = Block::other, .notice = kNoTracking},
    {.name = "auth_hmac",
     .effect = Effect::known,
     .opens = Block::auth_hmac,
     .notice = "Holdfast does not do 'auth_hmac' yet: adverts are neither signed nor verified"},
    {.name = "mcast_dst_ip",
     .effect = Effect::known,
     .notice =
         "Holdfast does not do 'mcast_dst_ip' yet: adverts go to the group of vrrp_mcast_group4"},
    {.name = "strict_mode",
     .effect = Effect::known,
     .notice = "Holdfast does not do 'strict_mode' yet: an instance that strict mode would refuse "
               "is started"},
    {.name = "down_timer_adverts",
     .effect = Effect::known,
     .notice =
         "Holdfast does not do 'down_timer_adverts' yet: a master is given up after three adverts"},
    {.name = "no_accept",
     .effect = Effect::known,
     .notice = "Holdfast does not do 'no_accept' yet: a master answers on its virtual addresses"},
    {.name = "lvs_sync_daemon_interface", .effect = Effect::known, .notice = kNoSyncDaemon},
    {.name = "lvs_sync_daemon_inteface", .effect = Effect::known, .notice = kNoSyncDaemon},
    {.name = "vrf",
     .effect = Effect::known,
     .notice = "Holdfast does not do 'vrf' yet: adverts use the interface's own routing domain"},
    {.name = "sync_instance",
     .effect = Effect::known,
     .notice = "Holdfast does not do sync groups yet: each instance fails over on its own"},
};

constexpr Keyword kAuthentication[] = {
    {.name = "auth_type",
     .args = {choice("PASS AH")},
     .doc = "PASS: the password is sent in clear; AH is not done yet"},
    {.name = "auth_pass",
     .args = {word("password")},
     .doc = "the same on all directors; the first 8 bytes count"},
};

}  // namespace

std::span<const Keyword> vrrp_instance() {
  return kVrrpInstance;
}
std::span<const Keyword> authentication() {
  return kAuthentication;
}

}  // namespace holdfast::config::rows
