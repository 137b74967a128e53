// The typed configuration: what the files mean once defaults, inheritance and aliases are resolved.
// Values only. Made by config/load.hpp, compared by config/compare/diff.hpp, translated into each
// core's settings by the daemons' wiring. Every object knows where it was written; two objects that
// differ only in their place are equal.
#pragma once

#include "config/model_common.hpp"
#include "config/model_service.hpp"
#include "config/model_vrrp.hpp"
#include "config/rare.hpp"
#include "core/ip_address.hpp"
#include "core/scheduling.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::config {

/// The IPVS connection synchronisation daemon. keepalived: lvs_sync_daemon.
struct SyncDaemon {
  std::string interface;
  std::string instance;  ///< master while this vrrp_instance is; empty: both roles always run
  std::optional<std::uint8_t> id;        ///< 0..255; not set: the instance's VRID
  std::uint16_t max_length = 0;          ///< bytes of a datagram; 0: the kernel's choice
  std::uint16_t port = 0;                ///< 0: the kernel's choice (8848)
  std::uint8_t ttl = 0;                  ///< 0: the kernel's choice (1)
  std::optional<core::IpAddress> group;  ///< multicast group; not set: 224.0.0.81

  bool operator==(const SyncDaemon&) const = default;
};

/// Timeouts of IPVS connections; 0 leaves the kernel's. Whole seconds. keepalived: lvs_timeouts.
struct IpvsTimeouts {
  core::Duration tcp{0};
  core::Duration tcp_fin{0};
  core::Duration udp{0};

  bool operator==(const IpvsTimeouts&) const = default;
};

/// Switches of IPVS below /proc/sys/net/ipv4/vs: name → value, as the kernel prints it. A block of
/// Holdfast: lvs_sysctl.
struct LvsSysctl {
  std::map<std::string, std::string, std::less<>> values;
  bool restore_on_stop = false;

  bool operator==(const LvsSysctl&) const = default;
};

/// A named pipe that gets a line for every event, and the program that reads it. keepalived:
/// notify_fifo, vrrp_notify_fifo, lvs_notify_fifo and their _script words.
struct NotifyFifo {
  std::string path;  ///< empty: none
  std::string user;
  std::string group;
  Rare<Script> script;

  bool operator==(const NotifyFifo&) const = default;
};

/// How long a link must stay as it is before the change counts. keepalived:
/// interface_up_down_delays.
struct LinkDelay {
  std::string interface;
  core::Duration down{0};
  core::Duration up{0};
  SourceLocation location;

  bool operator==(const LinkDelay&) const = default;
};

/// Which interfaces may be missing. keepalived: dynamic_interfaces [allow_if_changes].
enum class DynamicInterfaces : std::uint8_t { no, yes, allow_if_changes };

/// How mail goes to its relay: in clear text, in TLS after STARTTLS (RFC 3207), or in TLS from the
/// first byte. Holdfast: smtp_tls.
enum class MailTls : std::uint8_t { off, starttls, implicit };
/// keepalived: global_defs, and the words outside of all blocks.
struct Globals {
  std::string instance;       ///< `instance`: suffix of pid files and messages; empty: none
  std::string net_namespace;  ///< empty: the one Holdfast was started in
  Rare<std::string> net_namespace_ipvs;  ///< set and empty: the default namespace
  std::string router_id;                 ///< shown by status; empty: none
  std::string vmac_prefix;               ///< of names of virtual interfaces; empty: vrrp
  std::string vmac_addr_prefix;          ///< of those of single addresses; empty: vmac_prefix
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  /// host name or address, looked up by whoever sends the mail; empty: no mail
  std::string smtp_server;
  std::uint16_t smtp_port = 25;
  std::string smtp_helo_name;
  MailTls smtp_tls = MailTls::off;
  std::string smtp_user;      ///< empty: nobody logs in
  std::string smtp_password;  ///< itself, or file:PATH
  std::string smtp_ca;        ///< a file; empty: the authorities that this host knows
  std::string smtp_tls_name;  ///< in the certificate; empty: smtp_server
  core::Duration smtp_connect_timeout = std::chrono::seconds(30);
  std::optional<bool> smtp_alert;          ///< default of every smtp_alert below
  std::optional<bool> smtp_alert_vrrp;     ///< the same for instances and groups
  std::optional<bool> smtp_alert_checker;  ///< the same for services and servers
  bool no_email_faults = false;            ///< no mail about instances that enter FAULT
  GarpSettings garp;                       ///< defaults of the instances
  std::uint8_t vrrp_version = 2;           ///< default of the instances
  core::IpAddress vrrp_mcast_group4 = core::IpAddress::v4({224, 0, 0, 18});
  core::IpAddress vrrp_mcast_group6 =
      core::IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
  core::Duration vrrp_membership_refresh{0};  ///< 0: memberships are reported as the kernel does
  bool log_unknown_vrids = false;         ///< tell of adverts of virtual routers that are not ours
  std::string default_interface;          ///< for instances without one; empty: none
  bool vrrp_strict = false;               ///< default of strict_mode
  bool vrrp_skip_check_adv_addr = false;  ///< default of skip_check_adv_addr
  bool vrrp_check_unicast_src = false;    ///< default of check_unicast_src
  bool vrrp_higher_prio_send_advert = false;  ///< default of higher_prio_send_advert
  bool vrrp_lower_prio_no_advert = false;     ///< default of lower_prio_no_advert
  bool vrrp_owner_ignore_adverts = false;     ///< default of owner_ignore_adverts
  bool v3_checksum_as_v2 = false;             ///< default of v3_checksum_as_v2
  std::uint8_t vrrp_down_timer_adverts = 3;   ///< default of down_timer_adverts
  bool vrrp_notify_priority_changes = false;  ///< default of notify_priority_changes
  DynamicInterfaces dynamic_interfaces = DynamicInterfaces::no;
  std::vector<LinkDelay> link_delays;
  std::string nftables;  ///< table of nftables in which no_accept drops packets; empty: holdfast
  std::optional<std::int32_t> nftables_priority;  ///< of its chains; unset: -1
  bool nftables_ifindex = false;                  ///< interfaces by number, not by name
  bool nftables_counters = false;                 ///< rules count packets
  Rare<SyncDaemon> lvs_sync_daemon;
  IpvsTimeouts lvs_timeouts;
  Rare<LvsSysctl> lvs_sysctl;
  core::Scheduling vrrp_process;
  core::Scheduling checker_process;
  core::Scheduling bfd_process;
  std::int8_t max_auto_priority = 0;  ///< -1..99; up to 0: off
  core::Duration min_auto_priority_delay = std::chrono::seconds(1);
  bool checker_log_all_failures = false;  ///< default of log_all_failures
  NotifyFifo notify_fifo;
  NotifyFifo vrrp_notify_fifo;
  NotifyFifo lvs_notify_fifo;
  bool fifo_write_vrrp_states_on_reload = false;  ///< all states, after a reload
  std::string snmp_socket;                        ///< AgentX master; empty: the library's default
  bool enable_traps = false;
  bool enable_snmp_vrrp = false;
  bool enable_snmp_checker = false;
  /// What happens to instances is told on D-Bus.
  bool enable_dbus = false;
  std::string dbus_service_name = "org.keepalived.Vrrp1";
  std::string dbus_no_interface_name = "none";  ///< in the path of an instance without interface
  std::uint8_t json_version = 1;                ///< 1 or 2
  std::string state_dump_file;                  ///< instead of keepalived.data; empty: none
  std::string stats_dump_file;                  ///< instead of keepalived.stats; empty: none
  std::string json_dump_file;                   ///< instead of keepalived.json; empty: none
  bool data_use_instance = false;  ///< names of dumps end with the name space and `instance`
  /// Set: a reload's findings are also written to this file (empty: nowhere else).
  Rare<std::string> reload_check_config;
  std::string reload_time_file;  ///< holds the moment of the next reload; empty: none
  bool reload_repeat = false;    ///< reload_time_file counts every day
  /// Exists while the configuration is being read; set and empty: the default path.
  Rare<std::string> reload_file;
  /// A reload that removes more than this share of addresses or servers is refused; percent
  /// 0..100; not set: no limit. A word of Holdfast, not of keepalived.
  std::optional<std::uint8_t> reload_limit;
  std::string script_user;  ///< empty: keepalived_script if that user exists, else the daemon's
  std::string script_group;
  bool enable_script_security = false;
  /// Of scripts and of the watchdog's files, 0 to 0777; not set: that of who started us.
  std::optional<std::uint16_t> umask;
  /// Scripts have all groups of their account, not only its first one.
  bool set_supplementary_groups = true;
  Rare<Script> startup_script;  ///< run before everything else
  core::Duration startup_script_timeout = std::chrono::seconds(10);
  Rare<Script> shutdown_script;  ///< run after everything else
  core::Duration shutdown_script_timeout = std::chrono::seconds(10);
  core::Duration vrrp_startup_delay{0};  ///< wait before the first election
  /// longest wait for a first frame of anybody, after a boot
  core::Duration vrrp_listen_after_boot = std::chrono::seconds(10);
  core::Duration vrrp_delay_after_boot{0};  ///< the same, counted from the boot
  bool lvs_flush = false;
  bool lvs_flush_on_stop = false;
  bool lvs_flush_on_stop_own = false;  ///< `lvs_flush_on_stop VS`: only our own services
  SourceLocation location;

  bool operator==(const Globals&) const = default;
};

/// vrrp_mcast_group4 or vrrp_mcast_group6.
[[nodiscard]] inline const core::IpAddress& multicast_group(const Globals& globals,
                                                            core::Family family) {
  return family == core::Family::v4 ? globals.vrrp_mcast_group4 : globals.vrrp_mcast_group6;
}

/// An account that scripts run as, as the loader found it: see config/accounts.hpp.
struct Account {
  std::string user{};   ///< as the file names it
  std::string group{};  ///< the same; empty: the primary one of `user`
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups{};  ///< all of them, `gid` included
  std::string problem{};                ///< why it cannot be used, a sentence; empty: it can

  bool operator==(const Account&) const = default;
};

/// The whole configuration.
struct Model {
  Globals globals;
  std::vector<VrrpInstance> instances;  ///< all lists are in the order of the files
  std::vector<SyncGroup> sync_groups;
  std::vector<VrrpScript> scripts;
  std::vector<TrackProcess> track_processes;
  std::vector<TrackFile> track_files;
  std::vector<BfdInstance> bfd_instances;
  std::vector<TrackGroup> track_groups;
  std::vector<GarpGroup> garp_groups;
  std::vector<VirtualAddress> static_addresses;
  std::vector<Route> static_routes;
  std::vector<Rule> static_rules;
  std::vector<VirtualServerGroup> service_groups;
  std::vector<VirtualServer> services;
  TlsIdentity tls;
  SourceFiles files;
  std::vector<Account> accounts;  ///< of the scripts; empty where nobody has looked them up

  bool operator==(const Model&) const = default;
  /// "file:line:column", or "file" for a place that was not written.
  [[nodiscard]] std::string where(const SourceLocation& location) const;
};

}  // namespace holdfast::config
