// Rows of the table: words of global_defs that are checked and have no effect in Holdfast.
#include "config/schema/notices.hpp"
#include "config/schema/schema.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr Arg kStatistics{.type = ArgType::seconds, .low = 1000, .high = 30 * kMicroseconds};

constexpr std::string_view kNoDbus = "Holdfast has no D-Bus service yet: nothing is served";
constexpr std::string_view kNoMarks =
    "accepted, without effect: firewall rules for groups of virtual servers (Holdfast has none)";
constexpr std::string_view kBuffers =
    "accepted, without effect: sizes of receive buffers (Holdfast chooses them itself)";
constexpr std::string_view kNames =
    "accepted, without effect: names of processes (Holdfast names its processes itself)";
constexpr std::string_view kDumps =
    "accepted, without effect: files of keepalived's dumps (ask 'holdfastctl status')";

// A word that is checked and not kept.
constexpr Keyword checked(std::string_view name, std::array<Arg, kMaxArgs> args,
                          std::string_view doc, std::string_view notice = {}) {
  return {.name = name, .args = args, .effect = Effect::checked, .doc = doc, .notice = notice};
}
constexpr Keyword alias(std::string_view name, std::array<Arg, kMaxArgs> args,
                        std::string_view alias_of, std::string_view notice = {}) {
  return {.name = name,
          .args = args,
          .effect = Effect::checked,
          .alias_of = alias_of,
          .notice = notice,
          .deprecated = true};
}
constexpr Keyword since_2_4(Keyword row) {
  row.since = "2.4";
  return row;
}

constexpr Keyword kGlobalDefs[] = {
    // processes and their files
    checked("process_names", {}, "give each process a name of its own", kNames),
    checked("process_name", {optional(word("name"))}, "name of the parent", kNames),
    checked("vrrp_process_name", {optional(word("name"))}, "name of the VRRP process", kNames),
    checked("checker_process_name", {optional(word("name"))}, "name of the checkers", kNames),
    alias("lvs_process_name", {optional(word("name"))}, "checker_process_name", kNames),
    checked("bfd_process_name", {optional(word("name"))}, "name of the BFD process", kNames),
    checked("umask", {word("mask")}, "umask of files that are made"),
    {.name = "random_seed", .args = {integer(0, kAny32)}, .doc = "seed of ${_RANDOM}"},
    checked("min_auto_priority_delay", {integer(1, 10'000'000)},
            "lateness that makes max_auto_priority act, µs"),
    since_2_4(checked("use_symlink_paths", {boolean()},
                      "run scripts by the path as written, not by what it points to")),
    since_2_4(checked("set_supplementary_groups", {boolean()},
                      "give scripts the further groups of their user",
                      "accepted, without effect: 'set_supplementary_groups' (Holdfast always gives "
                      "a script the groups of its user)")),
    checked("config_save_dir", {word("directory")},
            "keep configuration and state of every reload here"),
    checked("tmp_config_directory", {word("directory")},
            "where the expanded configuration is kept while it is read"),
    checked("data_use_instance", {boolean()}, "add the instance's name to names of dumps", kDumps),
    since_2_4(checked("state_dump_file", {word("path")}, "where SIGUSR1 writes the state", kDumps)),
    alias("state_file_location", {word("path")}, "state_dump_file", kDumps),
    since_2_4(
        checked("stats_dump_file", {word("path")}, "where SIGUSR2 writes the counters", kDumps)),
    alias("stats_file_location", {word("path")}, "stats_dump_file", kDumps),
    since_2_4(checked("json_dump_file", {word("path")}, "where the JSON dump is written", kDumps)),
    alias("json_file_location", {word("path")}, "json_dump_file", kDumps),
    since_2_4(checked("iproute_usr_dir", {word("directory")}, "where iproute2 keeps rt_tables",
                      "accepted, without effect: 'iproute_usr_dir' (tables by name are looked up "
                      "in the usual places)")),
    since_2_4(checked("iproute_etc_dir", {word("directory")},
                      "where the administrator keeps rt_tables",
                      "accepted, without effect: 'iproute_etc_dir' (tables by name are looked up "
                      "in the usual places)")),

    // mail
    checked("no_email_faults", {}, "no mail about faults", kNoMail),
    checked("no_checker_emails", {}, "no mail about single checkers", kNoMail),
    checked("email_faults", {}, "an old word: mail about faults", kNoMail),

    // VRRP
    checked("disable_local_igmp", {}, "send no IGMP reports for groups of the link",
            "accepted, without effect: 'disable_local_igmp' (the kernel goes on reporting groups "
            "of the link)"),
    checked("vrrp_garp_extra_if", {optional(choice("all")), seconds(1, 86400)},
            "announce again this often on interfaces that only hold addresses, seconds"),
    alias("vrrp_vmac_garp_intvl", {optional(choice("all")), seconds(1, 86400)},
          "vrrp_garp_extra_if"),
    since_2_4(checked("vrrp_ipsets", {optional(repeated(word("name of a set")))},
                      "sets that go with vrrp_iptables", kNoFirewall)),
    checked("nftables_priority", {integer(-2'147'483'648, 2'147'483'647)},
            "priority of the chains of nftables", kNoFirewall),
    checked("nftables_ifindex", {}, "match interfaces by number, not by name", kNoFirewall),
    checked("nftables_counters", {}, "count packets in the rules", kNoFirewall),
    checked("log_unknown_vrids", {}, "log adverts of virtual routers that are not ours"),
    checked("fifo_write_vrrp_states_on_reload", {}, "write all states to the pipes on a reload",
            kNoFifo),
    checked("vmac_prefix", {word("prefix")}, "how names of virtual interfaces begin", kNoVmac),
    checked("vmac_addr_prefix", {word("prefix")},
            "how names of virtual interfaces for single addresses begin", kNoVmac),
    checked(
        "vrrp_rx_bufs_policy",
        {Arg{.type = ArgType::choice_any_case, .low = 1, .high = kAny32, .words = "MTU ADVERT"}},
        "size of the receive buffers for adverts", kBuffers),
    checked("vrrp_rx_bufs_multiplier", {integer(1, kAny32)}, "how many of these", kBuffers),

    // netlink
    checked("vrrp_netlink_cmd_rcv_bufs", {integer(0, kAny32)}, "receive buffer, bytes", kBuffers),
    checked("vrrp_netlink_cmd_rcv_bufs_force", {boolean()}, "beyond the system's limit", kBuffers),
    checked("vrrp_netlink_monitor_rcv_bufs", {integer(0, kAny32)}, "receive buffer, bytes",
            kBuffers),
    checked("vrrp_netlink_monitor_rcv_bufs_force", {boolean()}, "beyond the system's limit",
            kBuffers),
    checked("process_monitor_rcv_bufs", {integer(0, kAny32)}, "receive buffer, bytes", kBuffers),
    checked("process_monitor_rcv_bufs_force", {boolean()}, "beyond the system's limit", kBuffers),
    checked("lvs_netlink_cmd_rcv_bufs", {integer(0, kAny32)}, "receive buffer, bytes", kBuffers),
    checked("lvs_netlink_cmd_rcv_bufs_force", {boolean()}, "beyond the system's limit", kBuffers),
    checked("lvs_netlink_monitor_rcv_bufs", {integer(0, kAny32)}, "receive buffer, bytes",
            kBuffers),
    checked("lvs_netlink_monitor_rcv_bufs_force", {boolean()}, "beyond the system's limit",
            kBuffers),

    // IPVS
    checked("rs_init_notifies", {}, "run notifications for the first state of each server",
            "accepted, without effect: 'rs_init_notifies' (the first state of a server notifies "
            "nobody)"),
    checked("nftables_ipvs", {optional(word("table"))},
            "nftables table that marks packets to groups of virtual servers", kNoMarks),
    checked("nftables_ipvs_priority", {integer(-2'147'483'648, 2'147'483'647)},
            "priority of its chains", kNoMarks),
    checked("nftables_ipvs_start_fwmark", {integer(1, kAny32)}, "its first mark", kNoMarks),
    checked("checker_shutdown_vs_only", {}, "an old word for 'lvs_flush_on_stop VS'",
            "'checker_shutdown_vs_only' is an old word: write 'lvs_flush_on_stop VS'"),

    // SNMP and D-Bus
    checked("enable_snmp_rfc", {}, "serve the MIBs of both RFCs", kNoSnmp),
    checked("enable_snmp_rfcv2", {}, "serve the MIB of RFC 2787", kNoSnmp),
    checked("enable_snmp_rfcv3", {}, "serve the MIB of RFC 6527", kNoSnmp),
    since_2_4(checked("snmp_vs_stats_update_interval", {kStatistics},
                      "greatest age of a service's counters, seconds", kNoSnmp)),
    since_2_4(checked("snmp_rs_stats_update_interval", {kStatistics},
                      "greatest age of a server's counters, seconds", kNoSnmp)),
    checked("enable_dbus", {}, "serve instances by D-Bus", kNoDbus),
    checked("dbus_service_name", {word("name")}, "name on the bus", kNoDbus),
    since_2_4(checked("dbus_no_interface_name", {word("name")},
                      "element of the path of an instance without interface", kNoDbus)),

    // reading
    {.name = "include_check",
     .args = {optional(
         repeated(choice("read readable match wildcard_match brace_match +read +readable +match "
                         "+wildcard_match +brace_match -read -readable -match -wildcard_match "
                         "-brace_match")))},
     .doc = "how strict 'include' is about files that are missing"},
    {.name = "glob_strict",
     .doc = "an old word for include_check without a value",
     .notice = "'glob_strict' is an old word: write 'include_check'",
     .deprecated = true},
    alias("config_directory", {word("directory")}, "tmp_config_directory",
          "'config_directory' is an old word: write 'tmp_config_directory'"),
    checked("plugin_dir", {word("directory")}, "an old word: where plugins were",
            "'plugin_dir' is an old word without a meaning: remove it"),
};

}  // namespace

std::span<const Keyword> global_defs_rare() {
  return kGlobalDefs;
}

}  // namespace holdfast::config::rows
