// Words of keepalived that are only recognised yet: their arguments and bodies are skipped. A word
// leaves this list when it gets a row in the table of its block.
#include "config/schema.hpp"

namespace holdfast::config::rows {
namespace {

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

std::span<const Names> known_names() {
  return kKnownNames;
}

}  // namespace holdfast::config::rows
