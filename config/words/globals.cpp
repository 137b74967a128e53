// Rows of the table: global_defs.
#include "config/schema/row.hpp"
#include "config/words/notices.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kManyTimes = 1'000'000;
constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr std::string_view kNoProcess =
    "Holdfast does not change how its processes are scheduled yet: they run as they were started";
constexpr std::string_view kNoHost =
    "Holdfast does not run scripts at start and stop yet: this script is not run";
constexpr std::string_view kNoFlush =
    "accepted, without effect: 'lvs_flush_on_stop' (Holdfast removes its own services at stop, "
    "never others)";
constexpr std::string_view kNoIpv6 =
    "Holdfast does not do VRRP over IPv6 yet: settings of IPv6 adverts and announcements have no "
    "effect";

constexpr Keyword kGlobalDefs[] = {
    word("router_id", text("name"), fallback("the host's name"),
         doc("name of this director in messages")),
    word("lvs_id", text("name"), alias_of("router_id"),
         notice("'lvs_id' is an old name: write 'router_id'"), kDeprecated),

    // reload
    word("reload_limit", integer(0, 100), since("holdfast"),
         doc("refuse a reload that removes more than this share of addresses or servers, percent")),
    word("reload_check_config", optional(text("file")),
         doc("refuse a reload with new warnings; what a reload finds is written to this file as "
             "well")),
    word("reload_time_file", text("path"), doc("file that holds the moment of the next reload")),
    word("reload_repeat", doc("reload_time_file counts every day")),
    word("reload_file", optional(text("path")), fallback("<run-dir>/keepalived.reload"),
         doc("file that exists while the configuration is being read")),

    // mail
    word("notification_email", opens(Block::mail_list), not_yet(kNoMail), kRepeatable,
         doc("who gets mail, one address a line")),
    word("notification_email_from", text("address"), fallback("user@host"), not_yet(kNoMail),
         doc("sender of the mail")),
    word("smtp_server", text("host"), optional(integer(1, 65535)), not_yet(kNoMail),
         doc("mail relay: host or address, and port (25)")),
    word("smtp_helo_name", text("name"), fallback("the host's name"), not_yet(kNoMail),
         doc("name given in HELO")),
    word("smtp_connect_timeout", seconds(0, 3600), fallback("30"), not_yet(kNoMail),
         doc("time for one dialogue with the mail relay, seconds")),
    word("smtp_alert", boolean(), fallback("false"), not_yet(kNoMail),
         doc("default of every smtp_alert")),
    word("smtp_alert_vrrp", boolean(), fallback("smtp_alert"), not_yet(kNoMail),
         doc("default of smtp_alert in instances and sync groups")),
    word("smtp_alert_checker", boolean(), fallback("smtp_alert"), not_yet(kNoMail),
         doc("default of smtp_alert in services and servers")),

    // announcements
    word("vrrp_garp_master_delay", seconds(0, 86400), fallback("5"),
         doc("second burst of announcements this long after taking over, seconds; 0 none")),
    word("vrrp_garp_master_repeat", integer(0, kManyTimes), fallback("5"),
         doc("announcements of each address in a burst")),
    word("vrrp_garp_master_refresh", seconds(0, 86400), fallback("0"),
         doc("announce again this often while master, seconds; 0 never")),
    word("vrrp_garp_master_refresh_repeat", integer(0, kManyTimes), fallback("1"),
         doc("announcements of each address in such a refresh")),
    word("vrrp_garp_lower_prio_delay", seconds(0, 86400), fallback("vrrp_garp_master_delay"),
         doc("as vrrp_garp_master_delay, after an advert of lower priority was heard")),
    word("vrrp_garp_lower_prio_repeat", integer(0, kManyTimes), fallback("vrrp_garp_master_repeat"),
         doc("as vrrp_garp_master_repeat, after an advert of lower priority was heard; 0 none")),
    word("vrrp_garp_interval", seconds(0, 86400), fallback("0"),
         doc("least time between two announcements on an interface, seconds; 0 no limit")),
    word("vrrp_gna_interval", seconds(0, 86400), fallback("0"), not_yet(kNoIpv6),
         doc("as vrrp_garp_interval, for neighbour advertisements of IPv6")),
    word("vrrp_min_garp", boolean(), fallback("false"),
         doc("one announcement and no second burst, where nothing else is said")),

    // VRRP
    word("vrrp_version", integer(2, 3), fallback("2"),
         doc("VRRP version of instances that name none")),
    word("vrrp_mcast_group4", of(ArgType::ip4), fallback("224.0.0.18"),
         doc("multicast group of the adverts")),
    word("vrrp_mcast_group6", of(ArgType::ip6), fallback("ff02::12"), not_yet(kNoIpv6),
         doc("multicast group of the adverts of IPv6")),
    word("default_interface", of(ArgType::interface),
         doc("interface of instances and static addresses that name none")),
    word("dynamic_interfaces", optional(choice("allow_if_changes")),
         doc("interfaces may be missing and come later; Holdfast always allows it")),
    word("vrrp_strict", boolean(), fallback("false"), doc("default of strict_mode")),
    word("vrrp_skip_check_adv_addr", boolean(), fallback("false"),
         not_yet(
             "accepted, without effect: 'vrrp_skip_check_adv_addr' (Holdfast always compares the "
             "addresses of an advert, and only reports a difference)"),
         doc("default of skip_check_adv_addr")),
    word("vrrp_check_unicast_src",
         not_yet("Holdfast does not do unicast peers yet: 'vrrp_check_unicast_src' has no effect"),
         doc("default of check_unicast_src")),
    word("vrrp_higher_prio_send_advert", boolean(), fallback("false"),
         doc("default of higher_prio_send_advert")),
    word("vrrp_lower_prio_no_advert", boolean(), fallback("false"),
         doc("default of lower_prio_no_advert")),
    word("vrrp_owner_ignore_adverts", boolean(), fallback("false"), since("2.4"),
         doc("default of owner_ignore_adverts")),
    word("v3_checksum_as_v2",
         not_yet("Holdfast does not do VRRP version 3 yet: 'v3_checksum_as_v2' has no effect"),
         since("2.4"), doc("default of v3_checksum_as_v2 of the instances")),
    word("vrrp_down_timer_adverts", integer(1, 100), fallback("3"),
         doc("default of down_timer_adverts")),
    word("vrrp_startup_delay", seconds(0, 86400), fallback("0"),
         not_yet("Holdfast does not do 'vrrp_startup_delay' yet: elections start at once"),
         doc("wait this long before the first election, seconds")),
    word("vrrp_delay_after_boot", seconds(0, 86400), fallback("0"),
         not_yet("Holdfast does not do 'vrrp_delay_after_boot' yet: elections start at once"),
         since("2.4"),
         doc("wait until this long after the boot before the first election, seconds")),
    word("vrrp_notify_priority_changes", boolean(), fallback("false"), not_yet(kNoFifo),
         doc("default of notify_priority_changes")),
    word("nftables", optional(text("table")), fallback("keepalived"), not_yet(kNoFirewall),
         doc("nftables table in which no_accept drops packets")),
    word("vrrp_iptables", optional(text("chain of incoming packets")),
         optional(text("chain of outgoing packets")), not_yet(kNoFirewall),
         doc("iptables chains in which no_accept drops packets")),

    // IPVS
    word("lvs_sync_daemon", of(ArgType::interface), options(Block::sync_daemon_line),
         not_yet(kNoSyncDaemon), kRepeatable,
         doc("synchronise connections with the other directors over this interface")),
    word("lvs_timeouts", required_options(Block::timeouts_line),
         not_yet("Holdfast does not set the timeouts of IPVS yet: those of the kernel stay"),
         doc("how long IPVS remembers idle connections")),
    word("lvs_flush",
         not_yet("accepted, without effect: 'lvs_flush' (Holdfast adopts the table it finds and "
                 "never flushes it)"),
         doc("empty the IPVS table at start")),
    word("lvs_flush_on_stop", optional(choice("VS")), not_yet(kNoFlush),
         doc("empty the IPVS table at stop; VS: only our own services")),
    word("lvs_flush_onstop", optional(choice("VS")), alias_of("lvs_flush_on_stop"),
         not_yet(kNoFlush), kDeprecated),
    word(
        "checker_log_all_failures", boolean(), fallback("false"),
        not_yet("Holdfast does not do 'checker_log_all_failures' yet: changes of state are logged, "
                "not every failure"),
        doc("default of log_all_failures")),

    // scripts and pipes
    word("script_user", text("user"), optional(text("group")), fallback("keepalived_script"),
         doc("user that runs scripts which name none")),
    word("enable_script_security", doc("refuse scripts that others than root may change")),
    word("startup_script", command(), not_yet(kNoHost),
         doc("run before everything else; the start waits for its end")),
    word("startup_script_timeout", seconds(1, 1000), fallback("10"), not_yet(kNoHost),
         doc("time for startup_script, seconds")),
    word("shutdown_script", command(), not_yet(kNoHost), doc("run at the very end of a stop")),
    word("shutdown_script_timeout", seconds(1, 1000), fallback("10"), not_yet(kNoHost),
         doc("time for shutdown_script, seconds")),
    word("notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         not_yet(kNoFifo), doc("named pipe that gets a line for every event")),
    word("notify_fifo_script", command(), not_yet(kNoFifo),
         doc("program that reads notify_fifo; its path is the last argument")),
    word("vrrp_notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         not_yet(kNoFifo), doc("the same for events of VRRP only")),
    word("vrrp_notify_fifo_script", command(), not_yet(kNoFifo),
         doc("program that reads vrrp_notify_fifo")),
    word("lvs_notify_fifo", text("path"), optional(text("user")), optional(text("group")),
         not_yet(kNoFifo), doc("the same for events of services and servers only")),
    word("lvs_notify_fifo_script", command(), not_yet(kNoFifo),
         doc("program that reads lvs_notify_fifo")),

    // the processes
    word(
        "max_auto_priority", optional(integer(-1, 99)), fallback("0"),
        not_yet("accepted, without effect: 'max_auto_priority' (Holdfast never raises its priority "
                "by itself)"),
        doc("highest real-time priority that late timers may raise a process to")),
    word("vrrp_priority", integer(-20, 19), not_yet(kNoProcess),
         doc("nice value of the VRRP process")),
    word("vrrp_rt_priority", integer(1, 99), not_yet(kNoProcess),
         doc("real-time priority of the VRRP process (SCHED_RR)")),
    word("vrrp_no_swap", not_yet(kNoProcess), doc("the VRRP process stays in memory")),
    word("vrrp_cpu_affinity", repeated(integer(0, 1023)), not_yet(kNoProcess),
         doc("processors that the VRRP process may run on")),
    word(
        "vrrp_rlimit_rttime", integer(1, kAny32), fallback("10000"), not_yet(kNoProcess),
        doc("real-time CPU time without a pause after which the kernel ends the VRRP process, µs")),
    word("vrrp_rlimit_rtime", integer(1, kAny32), alias_of("vrrp_rlimit_rttime"),
         not_yet(kNoProcess), kDeprecated),
    word("checker_priority", integer(-20, 19), not_yet(kNoProcess),
         doc("nice value of the checkers")),
    word("checker_rt_priority", integer(1, 99), not_yet(kNoProcess),
         doc("real-time priority of the checkers (SCHED_RR)")),
    word("checker_no_swap", not_yet(kNoProcess), doc("the checkers stay in memory")),
    word("checker_cpu_affinity", repeated(integer(0, 1023)), not_yet(kNoProcess),
         doc("processors that the checkers may run on")),
    word("checker_rlimit_rttime", integer(1, kAny32), fallback("10000"), not_yet(kNoProcess),
         doc("real-time CPU time without a pause after which the kernel ends the checkers, µs")),
    word("checker_rlimit_rtime", integer(1, kAny32), alias_of("checker_rlimit_rttime"),
         not_yet(kNoProcess), kDeprecated),
    word("bfd_priority", integer(-20, 19), not_yet(kNoProcess),
         doc("nice value of the BFD process")),
    word("bfd_rt_priority", integer(1, 99), not_yet(kNoProcess),
         doc("real-time priority of the BFD process (SCHED_RR)")),
    word("bfd_no_swap", not_yet(kNoProcess), doc("the BFD process stays in memory")),
    word("bfd_cpu_affinity", repeated(integer(0, 1023)), not_yet(kNoProcess),
         doc("processors that the BFD process may run on")),
    word("bfd_rlimit_rttime", integer(1, kAny32), fallback("10000"), not_yet(kNoProcess),
         doc("real-time CPU time without a pause after which the kernel ends the BFD process, µs")),
    word("bfd_rlimit_rtime", integer(1, kAny32), alias_of("bfd_rlimit_rttime"), not_yet(kNoProcess),
         kDeprecated),

    // SNMP and JSON
    word("snmp_socket", text("address"), fallback("unix:/var/agentx/master"), not_yet(kNoSnmp),
         doc("AgentX master")),
    word("enable_traps", not_yet(kNoSnmp), doc("send SNMP traps")),
    word("enable_snmp_vrrp", not_yet(kNoSnmp), doc("serve instances by SNMP")),
    word("enable_snmp_keepalived", alias_of("enable_snmp_vrrp"), not_yet(kNoSnmp), kDeprecated),
    word("enable_snmp_checker", not_yet(kNoSnmp), doc("serve services and servers by SNMP")),
    word("json_version", integer(1, 2), fallback("1"),
         not_yet("accepted, without effect: 'json_version' (the status of Holdfast has a format of "
                 "its own)"),
         doc("format of keepalived's JSON dump")),
};

}  // namespace

std::span<const Keyword> global_defs() {
  return kGlobalDefs;
}

}  // namespace holdfast::config::rows
