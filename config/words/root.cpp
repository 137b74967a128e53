// Rows of the table: the top level.
#include "config/schema/row.hpp"
#include "config/words/notices.hpp"

namespace holdfast::config::rows {
namespace {

constexpr std::string_view kNoNamespaces =
    "Holdfast has its IPVS table in the namespace that it runs in: 'net_namespace_ipvs' has no "
    "effect yet";
constexpr std::string_view kNoPolling =
    "accepted, without effect: polling of links (Holdfast is told about every change by the "
    "kernel)";

constexpr Keyword kRoot[] = {
    word("global_defs", opens(Block::global_defs), acts_in(Room::watchdog), kRepeatable,
         doc("settings of the whole director")),
    word("vrrp_instance", text("name"), opens(Block::vrrp_instance), acts_in(Room::vrrp),
         kRepeatable, doc("one virtual router: an election and the addresses its master holds")),
    word("virtual_server", repeated(text("address and port")), opens(Block::virtual_server),
         acts_in(Room::checkers), kRepeatable, doc("one IPVS service and its real servers")),
    word("vrrp_sync_group", text("name"), opens(Block::vrrp_sync_group), acts_in(Room::vrrp),
         kRepeatable, doc("instances that change state together")),
    word("vrrp_script", text("name"), opens(Block::vrrp_script), acts_in(Room::vrrp), kRepeatable,
         doc("a command that is run again and again, for track_script")),
    word("vrrp_track_process", text("name"), opens(Block::vrrp_track_process), acts_in(Room::vrrp),
         kRepeatable, doc("a process that has to run, for track_process")),
    word("track_file", text("name"), opens(Block::track_file), acts_in(Room::vrrp), kRepeatable,
         doc("a file with a number, for track_file and FILE_CHECK")),
    word("vrrp_track_file", text("name"), opens(Block::track_file), alias_of("track_file"),
         acts_in(Room::vrrp), kRepeatable, kDeprecated),
    word("static_ipaddress", opens(Block::address_list), acts_in(Room::vrrp), kRepeatable,
         doc("addresses that are there as long as Holdfast runs, one a line")),
    word("static_routes", opens(Block::route_list), acts_in(Room::vrrp), kRepeatable,
         doc("routes that are there as long as Holdfast runs, one a line")),
    word("static_rules", opens(Block::rule_list), acts_in(Room::vrrp), kRepeatable,
         doc("routing rules that are there as long as Holdfast runs, one a line")),
    word("virtual_server_group", text("name"), opens(Block::virtual_server_group),
         acts_in(Room::checkers), kRepeatable,
         doc("addresses and firewall marks that share one pool of servers")),
    word("SSL", opens(Block::ssl), acts_in(Room::checkers), kRepeatable,
         doc("certificate that SSL_GET shows to servers")),
    word("bfd_instance", text("name"), opens(Block::bfd_instance),
         not_yet("Holdfast does not do BFD yet: this session is not started"), kRepeatable,
         doc("a BFD session, for track_bfd and BFD_CHECK")),
    word("track_group", text("name"), opens(Block::track_group), acts_in(Room::vrrp), kRepeatable,
         doc("instances that go down while a static address, route or rule is missing and cannot "
             "be put back")),
    word("garp_group", opens(Block::garp_group), acts_in(Room::vrrp), kRepeatable,
         doc("interfaces that share one pace of announcements")),
    word("net_namespace", text("name"), acts_in(Room::watchdog),
         doc("network namespace to run in, of `ip netns`; scripts and mail are in it, too")),
    word("net_namespace_ipvs", optional(text("name")), not_yet(kNoNamespaces),
         doc("network namespace of the IPVS table; no name: the default one")),
    word("namespace_with_ipsets", not_kept(kByNftables),
         doc("use sets of addresses in a namespace")),
    word("instance", text("name"), acts_in(Room::legacy),
         doc("name of this Holdfast among several on one host: in names of dumps and on D-Bus; "
             "run directories are told apart by --run-dir")),
    word("use_pid_dir", not_kept(),
         doc("keep pid files in a directory of their own; Holdfast always does")),
    word("child_wait_time", seconds(0, 3600), fallback("5"), not_kept(),
         doc("how long a stop waits for the children, seconds")),
    word("interface_up_down_delays", opens(Block::delay_list), acts_in(Room::vrrp), kRepeatable,
         doc("how long a link must be down and up before it counts: INTERFACE DOWN [UP], seconds")),
    word("linkbeat_interfaces", opens(Block::delay_list), not_kept(kNoPolling), kRepeatable,
         doc("interfaces whose link is asked for again and again")),
    word("linkbeat_use_polling", not_kept(kNoPolling),
         doc("ask for the link of all interfaces again and again")),
    word("real_server_group", repeated(text("name")), opens(Block::other),
         not_kept("'real_server_group' is an old word without a meaning: remove the block"),
         kRepeatable, doc("an old word that never had a meaning")),
};

}  // namespace

std::span<const Keyword> root() {
  return kRoot;
}

}  // namespace holdfast::config::rows
