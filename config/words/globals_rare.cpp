// Rows of the table: words of global_defs that are checked and have no effect in Holdfast.
#include "config/words/meaning.hpp"
#include "config/words/notices.hpp"

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kAny32 = 4'294'967'295;

constexpr Arg kStatistics{.type = ArgType::seconds, .low = 1000, .high = 30 * kMicroseconds};

constexpr std::string_view kNoMarks =
    "accepted, without effect: firewall rules for groups of virtual servers (Holdfast has none)";
constexpr std::string_view kBuffers =
    "accepted, without effect: sizes of receive buffers (Holdfast chooses them itself)";
constexpr std::string_view kAdvertBuffers =
    "accepted, without effect: Holdfast's sockets for adverts have a receive buffer of 4 MB each, "
    "which is more than this asks for";
constexpr std::string_view kNames =
    "accepted, without effect: names of processes (Holdfast names its processes itself)";

// keepalived/preprocess.cpp has acted on them.
void read_by_the_expander(Globals&, const Args&) {}

constexpr Keyword kGlobalDefs[] = {
    // processes and their files
    word("process_names", not_kept(kNames), doc("give each process a name of its own")),
    word("process_name", optional(text("name")), not_kept(kNames), doc("name of the parent")),
    word("vrrp_process_name", optional(text("name")), not_kept(kNames),
         doc("name of the VRRP process")),
    word("checker_process_name", optional(text("name")), not_kept(kNames),
         doc("name of the checkers")),
    word("lvs_process_name", optional(text("name")), alias_of("checker_process_name"),
         not_kept(kNames), kDeprecated),
    word("bfd_process_name", optional(text("name")), not_kept(kNames),
         doc("name of the BFD process")),
    word("random_seed", integer(0, kAny32), acts_in(Room::reader), reads<read_by_the_expander>,
         doc("seed of ${_RANDOM}")),
    word("use_symlink_paths", boolean(), not_kept(), since("2.4"),
         doc("run scripts by the path as written, not by what it points to")),
    word("config_save_dir", text("directory"), not_kept(),
         doc("keep configuration and state of every reload here")),
    word("tmp_config_directory", text("directory"), not_kept(),
         doc("where the expanded configuration is kept while it is read")),
    word("data_use_instance", boolean(), acts_in(Room::legacy), value<&Globals::data_use_instance>,
         doc("add the instance's name to names of dumps")),
    word("state_dump_file", text("path"), acts_in(Room::legacy), since("2.4"),
         value<&Globals::state_dump_file>, doc("where SIGUSR1 writes the state")),
    word("state_file_location", text("path"), alias_of("state_dump_file"), acts_in(Room::legacy),
         kDeprecated),
    word("stats_dump_file", text("path"), acts_in(Room::legacy), since("2.4"),
         value<&Globals::stats_dump_file>, doc("where SIGUSR2 writes the counters")),
    word("stats_file_location", text("path"), alias_of("stats_dump_file"), acts_in(Room::legacy),
         kDeprecated),
    word("json_dump_file", text("path"), acts_in(Room::legacy), since("2.4"),
         value<&Globals::json_dump_file>, doc("where the JSON dump is written")),
    word("json_file_location", text("path"), alias_of("json_dump_file"), acts_in(Room::legacy),
         kDeprecated),
    word("iproute_usr_dir", text("directory"),
         not_kept("accepted, without effect: 'iproute_usr_dir' (tables by name are looked up "
                  "in the usual places)"),
         since("2.4"), doc("where iproute2 keeps rt_tables")),
    word("iproute_etc_dir", text("directory"),
         not_kept("accepted, without effect: 'iproute_etc_dir' (tables by name are looked up "
                  "in the usual places)"),
         since("2.4"), doc("where the administrator keeps rt_tables")),

    // mail
    word("no_email_faults", acts_in(Room::vrrp), value<&Globals::no_email_faults>,
         doc("no mail about instances that enter FAULT")),
    word("no_checker_emails",
         not_kept("'no_checker_emails' is how Holdfast works anyway: one mail "
                  "a server, none for each of its checks"),
         doc("mail about servers, not about each of their checks")),
    word("email_faults", not_kept("'email_faults' is how Holdfast works anyway"), kDeprecated,
         doc("an old word: mail about faults")),

    // VRRP
    word("disable_local_igmp",
         not_kept(
             "accepted, without effect: 'disable_local_igmp' (the kernel goes on reporting groups "
             "of the link)"),
         doc("send no IGMP reports for groups of the link")),
    word("vrrp_ipsets", optional(repeated(text("name of a set"))), not_kept(kByNftables),
         since("2.4"), doc("sets that go with vrrp_iptables")),
    word("log_unknown_vrids", acts_in(Room::vrrp), value<&Globals::log_unknown_vrids>,
         doc("log adverts of virtual routers that are not ours, of each sender once a minute")),
    word("fifo_write_vrrp_states_on_reload", acts_in(Room::vrrp),
         value<&Globals::fifo_write_vrrp_states_on_reload>,
         doc("write all states to the pipes on a reload")),
    word("vmac_prefix", text("prefix"), fallback("vrrp"), acts_in(Room::vrrp),
         value<&Globals::vmac_prefix>, doc("how names of virtual interfaces begin")),
    word("vmac_addr_prefix", text("prefix"), fallback("vmac_prefix"), acts_in(Room::vrrp),
         value<&Globals::vmac_addr_prefix>,
         doc("how names of virtual interfaces for single addresses begin")),
    word("vrrp_rx_bufs_policy",
         Arg{.type = ArgType::choice_any_case, .low = 1, .high = kAny32, .words = "MTU ADVERT"},
         not_kept(kAdvertBuffers), doc("size of the receive buffers for adverts")),
    word("vrrp_rx_bufs_multiplier", integer(1, kAny32), not_kept(kAdvertBuffers),
         doc("how many of these")),

    // netlink
    word("vrrp_netlink_cmd_rcv_bufs", integer(0, kAny32), not_kept(kBuffers),
         doc("receive buffer, bytes")),
    word("vrrp_netlink_cmd_rcv_bufs_force", boolean(), not_kept(kBuffers),
         doc("beyond the system's limit")),
    word("vrrp_netlink_monitor_rcv_bufs", integer(0, kAny32), not_kept(kBuffers),
         doc("receive buffer, bytes")),
    word("vrrp_netlink_monitor_rcv_bufs_force", boolean(), not_kept(kBuffers),
         doc("beyond the system's limit")),
    word("process_monitor_rcv_bufs", integer(0, kAny32), not_kept(kBuffers),
         doc("receive buffer, bytes")),
    word("process_monitor_rcv_bufs_force", boolean(), not_kept(kBuffers),
         doc("beyond the system's limit")),
    word("lvs_netlink_cmd_rcv_bufs", integer(0, kAny32), not_kept(kBuffers),
         doc("receive buffer, bytes")),
    word("lvs_netlink_cmd_rcv_bufs_force", boolean(), not_kept(kBuffers),
         doc("beyond the system's limit")),
    word("lvs_netlink_monitor_rcv_bufs", integer(0, kAny32), not_kept(kBuffers),
         doc("receive buffer, bytes")),
    word("lvs_netlink_monitor_rcv_bufs_force", boolean(), not_kept(kBuffers),
         doc("beyond the system's limit")),

    // IPVS
    word("rs_init_notifies",
         not_kept(
             "accepted, without effect: 'rs_init_notifies' (the first state of a server notifies "
             "nobody)"),
         doc("run notifications for the first state of each server")),
    word("nftables_ipvs", optional(text("table")), not_kept(kNoMarks),
         doc("nftables table that marks packets to groups of virtual servers")),
    word("nftables_ipvs_priority", integer(-2'147'483'648, 2'147'483'647), not_kept(kNoMarks),
         doc("priority of its chains")),
    word("nftables_ipvs_start_fwmark", integer(1, kAny32), not_kept(kNoMarks),
         doc("its first mark")),
    word("checker_shutdown_vs_only",
         not_kept("'checker_shutdown_vs_only' is an old word: write 'lvs_flush_on_stop VS'"),
         doc("an old word for 'lvs_flush_on_stop VS'")),

    // SNMP and D-Bus
    word("enable_snmp_rfc", not_kept(kNoSnmp), doc("serve the MIBs of both RFCs")),
    word("enable_snmp_rfcv2", not_kept(kNoSnmp), doc("serve the MIB of RFC 2787")),
    word("enable_snmp_rfcv3", not_kept(kNoSnmp), doc("serve the MIB of RFC 6527")),
    word("snmp_vs_stats_update_interval", kStatistics, not_kept(kNoSnmp), since("2.4"),
         doc("greatest age of a service's counters, seconds")),
    word("snmp_rs_stats_update_interval", kStatistics, not_kept(kNoSnmp), since("2.4"),
         doc("greatest age of a server's counters, seconds")),
    word("enable_dbus", acts_in(Room::scripts), value<&Globals::enable_dbus>,
         doc("serve instances by D-Bus")),
    word("dbus_service_name", text("name"), fallback("org.keepalived.Vrrp1"),
         acts_in(Room::scripts), with("enable_dbus"), value<&Globals::dbus_service_name>,
         doc("name on the bus")),
    word("dbus_no_interface_name", text("name"), fallback("none"), acts_in(Room::scripts),
         with("enable_dbus"), since("2.4"), value<&Globals::dbus_no_interface_name>,
         doc("element of the path of an instance without interface")),

    // reading
    word("include_check",
         optional(repeated(
             choice("read readable match wildcard_match brace_match +read +readable +match "
                    "+wildcard_match +brace_match -read -readable -match -wildcard_match "
                    "-brace_match"))),
         acts_in(Room::reader), reads<read_by_the_expander>,
         doc("how strict 'include' is about files that are missing")),
    word("glob_strict", acts_in(Room::reader),
         notice("'glob_strict' is an old word: write 'include_check'"), kDeprecated,
         reads<read_by_the_expander>, doc("an old word for include_check without a value")),
    word("config_directory", text("directory"), alias_of("tmp_config_directory"),
         not_kept("'config_directory' is an old word: write 'tmp_config_directory'"), kDeprecated),
    word("plugin_dir", text("directory"),
         not_kept("'plugin_dir' is an old word without a meaning: remove it"),
         doc("an old word: where plugins were")),
};

}  // namespace

std::span<const Keyword> rows::global_defs_rare() {
  return kGlobalDefs;
}

}  // namespace holdfast::config
