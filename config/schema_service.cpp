// Rows of the table: virtual_server, real_server and their checkers.
#include "config/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kManyTries = 1'000'000;
constexpr std::int64_t kLargestWeight = 2'147'483'647;

constexpr std::string_view kNoMail =
    "accepted, without effect yet: mail settings (Holdfast does not send mail yet)";
constexpr std::string_view kOldRetry = "'nb_get_retry' is an old name: write 'retry'";
constexpr std::string_view kForwarding = "NAT DR TUN";

constexpr Arg pace() {
  return seconds(0, kWeek31);
}

// Where 0 would mean to probe without a pause, or to give up before trying.
constexpr Arg positive_pace() {
  return {.type = ArgType::seconds, .low = 1000, .high = kWeek31 * kMicroseconds};
}

constexpr Keyword kVirtualServer[] = {
    {.name = "delay_loop",
     .args = {positive_pace()},
     .fallback = "60",
     .doc = "time between two probes, seconds"},
    {.name = "retry",
     .args = {integer(0, kManyTries)},
     .fallback = "1",
     .doc = "further tries before a server is called down"},
    {.name = "delay_before_retry",
     .args = {pace()},
     .fallback = "1; HTTP_GET 3",
     .doc = "time between such tries, seconds"},
    {.name = "warmup",
     .args = {pace()},
     .fallback = "delay_loop",
     .doc = "the first probe happens within this random time, seconds; 0 at once"},
    {.name = "connect_timeout",
     .args = {positive_pace()},
     .fallback = "5",
     .doc = "time for one probe, seconds"},
    {.name = "lb_algo",
     .args = {of(ArgType::scheduler)},
     .fallback = "wlc",
     .doc = "scheduler: rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf"},
    {.name = "lvs_sched", .args = {of(ArgType::scheduler)}, .alias_of = "lb_algo"},
    {.name = "lb_kind",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "NAT",
     .doc = "how packets reach a real server: NAT, DR or TUN"},
    {.name = "lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .alias_of = "lb_kind"},
    {.name = "protocol",
     .args = {Arg{.type = ArgType::choice_any_case, .words = "TCP UDP SCTP"}},
     .fallback = "UDP",
     .doc = "TCP, UDP or SCTP; say it always"},
    {.name = "nat_mask",
     .args = {of(ArgType::netmask)},
     .effect = Effect::inert,
     .doc = "left over from old tutorials",
     .notice =
         "accepted, without effect: 'nat_mask' (keepalived dropped it in 2015; it can be removed)"},
    {.name = "persistence_timeout",
     .args = {optional(integer(0, kWeek31))},
     .fallback = "0, not persistent",
     .doc = "a client stays with its server for this long, seconds; 360 without a number"},
    {.name = "persistence_granularity",
     .args = {of(ArgType::netmask)},
     .fallback = "255.255.255.255",
     .doc = "clients that are equal under this mask share a server"},
    {.name = "ops", .doc = "every UDP packet is scheduled by itself"},
    {.name = "ha_suspend",
     .effect = Effect::inert,
     .doc = "probe only while the virtual address is on this host",
     .notice = "Holdfast does not do 'ha_suspend' yet: backups probe the real servers as well"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "false",
     .doc = "mail when quorum is won or lost",
     .notice = kNoMail},
    {.name = "virtualhost",
     .args = {word("host")},
     .doc = "Host header of HTTP checkers that name none"},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "false",
     .doc = "servers are not used before their first success"},
    {.name = "omega",
     .args = {boolean()},
     .fallback = "false",
     .doc = "run notify_down and quorum_down at an orderly stop"},
    {.name = "quorum",
     .args = {integer(1, kLargestWeight)},
     .fallback = "1",
     .doc = "sum of weights needed to serve"},
    {.name = "hysteresis",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "quorum is won at quorum + hysteresis, lost below quorum - hysteresis"},
    {.name = "quorum_up", .args = command(), .doc = "run when quorum is won"},
    {.name = "quorum_down", .args = command(), .doc = "run when quorum is lost"},
    {.name = "weight",
     .args = {integer(0, kLargestWeight)},
     .fallback = "1",
     .doc = "weight of servers that name none"},
    {.name = "inhibit_on_failure",
     .args = {boolean()},
     .fallback = "false",
     .doc = "failed servers get weight 0 instead of leaving the table"},
    {.name = "sorry_server",
     .args = {of(ArgType::ip), optional(integer(0, 65535))},
     .doc = "serves while quorum is lost"},
    {.name = "sorry_server_inhibit", .doc = "the sorry server stays in the table with weight 0"},
    {.name = "sorry_server_lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "lb_kind",
     .doc = "how packets reach the sorry server"},
    {.name = "real_server",
     .args = {of(ArgType::ip), optional(integer(0, 65535))},
     .opens = Block::real_server,
     .doc = "one server of the pool",
     .repeatable = true},
    {.name = "ip_family",
     .effect = Effect::known,
     .notice = "accepted, without effect yet: 'ip_family' (only services by firewall mark use it)"},
    {.name = "sh-port",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: clients are spread without 'sh-port'"},
    {.name = "sh-fallback",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: 'sh-fallback' is not set"},
    {.name = "mh-port",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: clients are spread without 'mh-port'"},
    {.name = "mh-fallback",
     .effect = Effect::known,
     .notice = "Holdfast does not set scheduler flags yet: 'mh-fallback' is not set"},
    {.name = "persistence_engine",
     .effect = Effect::known,
     .notice = "Holdfast does not set persistence engines yet: persistence goes by client address"},
};

constexpr std::string_view kAlwaysUp =
    "Holdfast does not do this checker yet: without another one the server counts as always up";

constexpr Keyword kRealServer[] = {
    {.name = "weight",
     .args = {integer(0, kLargestWeight)},
     .fallback = "1",
     .doc = "share of the connections; 0 takes no new ones"},
    {.name = "lvs_method",
     .args = {choice(kForwarding), repeated(optional(word("tunnel options")))},
     .fallback = "lb_kind",
     .doc = "how packets reach this server"},
    {.name = "uthreshold",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "no new connections above this many"},
    {.name = "lthreshold",
     .args = {integer(0, kLargestWeight)},
     .fallback = "0",
     .doc = "new connections again below this many"},
    {.name = "inhibit_on_failure",
     .args = {boolean()},
     .fallback = "the service's",
     .doc = "failed: weight 0 instead of leaving the table"},
    {.name = "alpha",
     .args = {boolean()},
     .fallback = "the service's",
     .doc = "not used before its first success"},
    {.name = "notify_up", .args = command(), .doc = "run when the server comes up"},
    {.name = "notify_down", .args = command(), .doc = "run when the server goes down"},
    {.name = "smtp_alert",
     .args = {boolean()},
     .effect = Effect::inert,
     .fallback = "true",
     .doc = "mail when the server comes up or goes down",
     .notice = kNoMail},
    {.name = "delay_loop",
     .args = {positive_pace()},
     .fallback = "the service's",
     .doc = "time between two probes, seconds"},
    {.name = "retry",
     .args = {integer(0, kManyTries)},
     .fallback = "the service's",
     .doc = "further tries before the server is called down"},
    {.name = "delay_before_retry",
     .args = {pace()},
     .fallback = "the service's",
     .doc = "time between such tries, seconds"},
    {.name = "warmup",
     .args = {pace()},
     .fallback = "the service's",
     .doc = "the first probe happens within this random time, seconds"},
    {.name = "connect_timeout",
     .args = {positive_pace()},
     .fallback = "the service's",
     .doc = "time for one probe, seconds"},
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the service's",
     .doc = "Host header of HTTP checkers that name none"},
    {.name = "TCP_CHECK",
     .opens = Block::tcp_check,
     .doc = "up when a TCP connection is accepted",
     .repeatable = true},
    {.name = "HTTP_GET",
     .opens = Block::http_get,
     .doc = "up when every url answers as expected",
     .repeatable = true},
    {.name = "SSL_GET",
     .effect = Effect::known,
     .opens = Block::ssl_get,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "SMTP_CHECK",
     .effect = Effect::known,
     .opens = Block::smtp_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "DNS_CHECK",
     .effect = Effect::known,
     .opens = Block::dns_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "MISC_CHECK",
     .effect = Effect::known,
     .opens = Block::misc_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "UDP_CHECK",
     .effect = Effect::known,
     .opens = Block::udp_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "PING_CHECK",
     .effect = Effect::known,
     .opens = Block::ping_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "BFD_CHECK",
     .effect = Effect::known,
     .opens = Block::bfd_check,
     .notice = kAlwaysUp,
     .repeatable = true},
    {.name = "FILE_CHECK",
     .effect = Effect::known,
     .opens = Block::file_check,
     .notice = kAlwaysUp,
     .repeatable = true},
};

// The words that every connecting checker has.
#define HOLDFAST_CONNECT_ROWS(default_delay_before_retry)                                    \
  {.name = "connect_ip",                                                                     \
   .args = {of(ArgType::ip)},                                                                \
   .fallback = "the server's address",                                                       \
   .doc = "probe this address instead"},                                                     \
      {.name = "connect_port",                                                               \
       .args = {integer(1, 65535)},                                                          \
       .fallback = "the server's port",                                                      \
       .doc = "probe this port instead"},                                                    \
      {.name = "bindto", .args = {of(ArgType::ip)}, .doc = "source address of the probe"},   \
      {.name = "bind_port", .args = {integer(1, 65535)}, .doc = "source port of the probe"}, \
      {.name = "connect_timeout",                                                            \
       .args = {positive_pace()},                                                            \
       .fallback = "the server's, 5",                                                        \
       .doc = "time for one probe, seconds"},                                                \
      {.name = "retry",                                                                      \
       .args = {integer(0, kManyTries)},                                                     \
       .fallback = "the server's, 1",                                                        \
       .doc = "further tries before the server is called down"},                             \
      {.name = "nb_get_retry",                                                               \
       .args = {integer(0, kManyTries)},                                                     \
       .alias_of = "retry",                                                                  \
       .notice = kOldRetry},                                                                 \
      {.name = "delay_before_retry",                                                         \
       .args = {pace()},                                                                     \
       .fallback = "the server's, " default_delay_before_retry,                              \
       .doc = "time between such tries, seconds"},                                           \
      {.name = "warmup",                                                                     \
       .args = {pace()},                                                                     \
       .fallback = "the server's, delay_loop",                                               \
       .doc = "the first probe happens within this random time, seconds"},                   \
      {.name = "delay_loop",                                                                 \
       .args = {positive_pace()},                                                            \
       .fallback = "the server's, 60",                                                       \
       .doc = "time between two probes, seconds"},                                           \
  {                                                                                          \
    .name = "alpha", .args = {boolean()}, .fallback = "the server's",                        \
    .doc = "counts as failed until its first success"                                        \
  }

constexpr Keyword kTcpCheck[] = {HOLDFAST_CONNECT_ROWS("1")};

constexpr Keyword kHttpGet[] = {
    HOLDFAST_CONNECT_ROWS("3"),
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the server's",
     .doc = "Host header of urls that name none"},
    {.name = "http_protocol",
     .args = {choice("1.0 1.0C 1.1 1.0c")},
     .fallback = "1.0",
     .doc = "version of the request; 1.0C asks for the connection to be closed"},
    {.name = "url",
     .opens = Block::url,
     .doc = "one request; all have to pass",
     .repeatable = true},
};
#undef HOLDFAST_CONNECT_ROWS

constexpr Keyword kUrl[] = {
    {.name = "path",
     .args = {word("path")},
     .doc = "what to ask for, from the first slash on; required"},
    {.name = "status_code",
     .args = {repeated(of(ArgType::status_code))},
     .fallback = "200-299",
     .doc = "acceptable codes: single ones and ranges"},
    {.name = "digest",
     .args = {of(ArgType::digest)},
     .doc = "MD5 that the body must have, 32 hex digits"},
    {.name = "virtualhost",
     .args = {word("host")},
     .fallback = "the checker's",
     .doc = "Host header"},
    {.name = "regex",
     .effect = Effect::known,
     .notice =
         "Holdfast does not match bodies against 'regex' yet: only status code and digest decide"},
};

constexpr std::string_view kConnect =
    "connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark retry "
    "delay_before_retry "
    "warmup delay_loop alpha log_all_failures";

// Names only: what each block of keepalived may hold beyond the rows above.
constexpr Names kKnownNames[] = {
    {Block::root,
     "linkbeat_use_polling namespace_with_ipsets use_pid_dir instance child_wait_time "
     "track_group garp_group linkbeat_interfaces interface_up_down_delays SSL "
     "real_server_group"},
    {Block::global_defs,
     "process_names process_name vrrp_process_name checker_process_name lvs_process_name "
     "bfd_process_name use_symlink_paths set_supplementary_groups startup_script "
     "startup_script_timeout shutdown_script shutdown_script_timeout min_auto_priority_delay "
     "checker_log_all_failures dynamic_interfaces disable_local_igmp v3_checksum_as_v2 "
     "lvs_timeouts "
     "lvs_flush_onstop vrrp_mcast_group6 vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if "
     "vrrp_vmac_garp_intvl vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_ipsets "
     "nftables_priority nftables_ifindex nftables_counters nftables_ipvs nftables_ipvs_priority "
     "nftables_ipvs_start_fwmark vrrp_check_unicast_src vrrp_skip_check_adv_addr vrrp_priority "
     "vrrp_no_swap vrrp_rt_priority vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime "
     "checker_priority checker_no_swap checker_rt_priority checker_cpu_affinity "
     "checker_rlimit_rttime checker_rlimit_rtime bfd_priority bfd_no_swap bfd_rt_priority "
     "bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime notify_fifo notify_fifo_script "
     "vrrp_notify_fifo vrrp_notify_fifo_script vrrp_notify_priority_changes "
     "fifo_write_vrrp_states_on_reload lvs_notify_fifo lvs_notify_fifo_script snmp_socket "
     "enable_traps enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 "
     "enable_snmp_rfcv3 enable_snmp_checker snmp_vs_stats_update_interval "
     "snmp_rs_stats_update_interval enable_dbus dbus_service_name dbus_no_interface_name "
     "vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs "
     "vrrp_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force "
     "lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs "
     "lvs_netlink_monitor_rcv_bufs_force rs_init_notifies vrrp_rx_bufs_policy "
     "vrrp_rx_bufs_multiplier vrrp_delay_after_boot log_unknown_vrids vrrp_owner_ignore_adverts "
     "vmac_prefix vmac_addr_prefix umask random_seed reload_check_config reload_time_file "
     "reload_repeat reload_file include_check config_save_dir tmp_config_directory "
     "data_use_instance json_version iproute_usr_dir iproute_etc_dir state_dump_file "
     "stats_dump_file json_dump_file checker_shutdown_vs_only config_directory glob_strict "
     "plugin_dir"},
    {Block::vrrp_instance,
     "unicast_ttl unicast_fault_no_peer check_unicast_src track_src_ip old_unicast_checksum "
     "v3_checksum_as_v2 native_ipv6 promote_secondaries linkbeat_use_polling accept "
     "skip_check_adv_addr notify_deleted notify_master_rx_lower_pri notify_priority_changes "
     "garp_extra_if vmac_garp_intvl timer_expired_backup thread_timer_expired "
     "lower_prio_no_advert higher_prio_send_advert owner_ignore_adverts kernel_rx_buf_size "
     "disabled"},
    {Block::auth_hmac, "key active_key time_window anti_replay mode"},
    {Block::vrrp_sync_group,
     "group track_interface track_script track_file track_process track_bfd notify_master "
     "notify_backup notify_fault notify_stop notify smtp_alert global_tracking "
     "sync_group_tracking_weight notify_priority_changes"},
    {Block::vrrp_script, "script interval timeout weight rise fall user init_fail"},
    {Block::vrrp_track_process,
     "process param_match weight quorum quorum_max delay fork_delay terminate_delay full_command"},
    {Block::track_file, "file weight init_file"},
    {Block::garp_group, "garp_interval gna_interval interface interfaces"},
    {Block::track_group, "group"},
    {Block::ssl, "password ca certificate key"},
    {Block::virtual_server, "hashed flag-1 flag-2 flag-3 snmp_name real_group lb_flags"},
    {Block::real_server, "snmp_name CI-LINUX lvs_weight quorum_weight"},
    {Block::tcp_check, "bind_if fwmark log_all_failures"},
    {Block::http_get, "bind_if fwmark log_all_failures enable_sni sni_name fast_recovery"},
    {Block::url,
     "regex_no_match regex_options regex_min_offset regex_max_offset regex_stack tls_compliant"},
    {Block::ssl_get, kConnect},
    {Block::ssl_get,
     "nb_get_retry virtualhost http_protocol enable_sni sni_name fast_recovery "
     "tls_compliant url"},
    {Block::smtp_check, kConnect},
    {Block::smtp_check, "helo_name host"},
    {Block::dns_check, kConnect},
    {Block::dns_check, "type name"},
    {Block::misc_check,
     "misc_path misc_timeout misc_dynamic user retry delay_before_retry warmup "
     "delay_loop alpha log_all_failures"},
    {Block::udp_check, kConnect},
    {Block::udp_check, "payload require_reply min_reply_length max_reply_length"},
    {Block::ping_check, kConnect},
    {Block::bfd_check, "name alpha"},
    {Block::file_check, "track_file weight"},
    {Block::bfd_instance,
     "neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multiplier passive "
     "ttl hoplimit max_hops multihop weight vrrp checker"},
};

}  // namespace

std::span<const Keyword> virtual_server() {
  return kVirtualServer;
}
std::span<const Keyword> real_server() {
  return kRealServer;
}
std::span<const Keyword> tcp_check() {
  return kTcpCheck;
}
std::span<const Keyword> http_get() {
  return kHttpGet;
}
std::span<const Keyword> url() {
  return kUrl;
}
std::span<const Names> known_names() {
  return kKnownNames;
}

}  // namespace holdfast::config::rows
