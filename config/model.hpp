// The typed configuration: what the files mean once defaults, inheritance and aliases are resolved.
// Values only. Made by config/load.hpp, compared by config/diff.hpp, translated into each core's
// settings by the daemons' wiring. Every object knows where it was written; two objects that differ
// only in their place are equal.
#pragma once

#include "config/rare.hpp"
#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "core/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::config {

/// Where something was written: an index into Model::files, line and column from 1 (column counts
/// bytes). Never part of a value: all locations compare equal. Line 0 means "not written anywhere"
/// (a default).
struct SourceLocation {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend bool operator==(const SourceLocation&, const SourceLocation&) { return true; }
};

/// The names that SourceLocation::file points into. Like a location, never part of a value.
struct SourceFiles {
  std::vector<std::string> names;

  friend bool operator==(const SourceFiles&, const SourceFiles&) { return true; }
};

/// A command that is run without a shell, already split into words. keepalived: any SCRIPT [USER
/// [GROUP]] value.
struct Script {
  std::vector<std::string> argv;  ///< never empty
  std::string user;               ///< empty: Globals::script_user
  std::string group;              ///< empty: the user's own group
  SourceLocation location;

  bool operator==(const Script&) const = default;
};

/// Gratuitous ARP habits. keepalived: vrrp_garp_* in global_defs, garp_* in an instance. Not in the
/// RFC.
struct GarpSettings {
  /// second burst this long after taking over; 0 none
  core::Duration master_delay = std::chrono::seconds(5);
  std::uint32_t master_repeat = 5;          ///< announcements an address in a burst, at least 1
  core::Duration master_refresh{0};         ///< periodic burst while master; 0 never
  std::uint32_t master_refresh_repeat = 1;  ///< announcements in a periodic burst
  /// as master_delay, after a lower-priority advert
  core::Duration lower_prio_delay = std::chrono::seconds(5);
  std::uint32_t lower_prio_repeat = 5;  ///< as master_repeat, after a lower-priority advert
  core::Duration interval{0};  ///< least time between two announcements on an interface; 0 no limit
  core::Duration gna_interval{0};  ///< as interval, for neighbour advertisements (IPv6)

  bool operator==(const GarpSettings&) const = default;
};

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

/// A named pipe that gets a line for every event, and the program that reads it. keepalived:
/// notify_fifo, vrrp_notify_fifo, lvs_notify_fifo and their _script words.
struct NotifyFifo {
  std::string path;  ///< empty: none
  std::string user;
  std::string group;
  Rare<Script> script;

  bool operator==(const NotifyFifo&) const = default;
};

/// How a process is scheduled by the kernel. keepalived: vrrp_*, checker_* and bfd_* words.
struct ProcessSettings {
  std::optional<std::int8_t> priority;  ///< nice value, -20..19
  std::uint8_t rt_priority = 0;         ///< SCHED_RR, 1..99; 0 none
  bool no_swap = false;                 ///< pages stay in memory (mlockall)
  /// with rt_priority: CPU time without a pause after which the kernel ends it
  core::Duration rlimit_rttime = std::chrono::milliseconds(10);
  std::vector<std::uint16_t> cpu_affinity;  ///< processors it may run on; empty: all

  bool operator==(const ProcessSettings&) const = default;
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

/// keepalived: global_defs, and the words outside of all blocks.
struct Globals {
  std::string instance;       ///< `instance`: suffix of pid files and messages; empty: none
  std::string net_namespace;  ///< empty: the one Holdfast was started in
  Rare<std::string> net_namespace_ipvs;  ///< set and empty: the default namespace
  std::string router_id;                 ///< empty: the host's name
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  /// host name or address, looked up by whoever sends the mail; empty: no mail
  std::string smtp_server;
  std::uint16_t smtp_port = 25;
  std::string smtp_helo_name;
  core::Duration smtp_connect_timeout = std::chrono::seconds(30);
  std::optional<bool> smtp_alert;          ///< default of every smtp_alert below
  std::optional<bool> smtp_alert_vrrp;     ///< the same for instances and groups
  std::optional<bool> smtp_alert_checker;  ///< the same for services and servers
  GarpSettings garp;                       ///< defaults of the instances
  std::uint8_t vrrp_version = 2;           ///< default of the instances
  core::IpAddress vrrp_mcast_group4 = core::IpAddress::v4({224, 0, 0, 18});
  core::IpAddress vrrp_mcast_group6 =
      core::IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
  std::string default_interface;              ///< for instances without one; empty: none
  bool vrrp_strict = false;                   ///< default of strict_mode
  bool vrrp_skip_check_adv_addr = false;      ///< default of skip_check_adv_addr
  bool vrrp_check_unicast_src = false;        ///< default of check_unicast_src
  bool vrrp_higher_prio_send_advert = false;  ///< default of higher_prio_send_advert
  bool vrrp_lower_prio_no_advert = false;     ///< default of lower_prio_no_advert
  bool vrrp_owner_ignore_adverts = false;     ///< default of owner_ignore_adverts
  bool v3_checksum_as_v2 = false;             ///< default of v3_checksum_as_v2
  std::uint8_t vrrp_down_timer_adverts = 3;   ///< default of down_timer_adverts
  bool vrrp_notify_priority_changes = false;  ///< default of notify_priority_changes
  DynamicInterfaces dynamic_interfaces = DynamicInterfaces::no;
  std::vector<LinkDelay> link_delays;
  /// Firewall table that no_accept uses; empty: none. keepalived: nftables.
  std::string nftables;
  /// Chains of iptables that no_accept uses: input, output. Empty: none.
  std::vector<std::string> vrrp_iptables;
  Rare<SyncDaemon> lvs_sync_daemon;
  IpvsTimeouts lvs_timeouts;
  ProcessSettings vrrp_process;
  ProcessSettings checker_process;
  ProcessSettings bfd_process;
  std::int8_t max_auto_priority = 0;      ///< -1..99; 0 off. Nothing follows from it in Holdfast
  bool checker_log_all_failures = false;  ///< default of log_all_failures
  NotifyFifo notify_fifo;
  NotifyFifo vrrp_notify_fifo;
  NotifyFifo lvs_notify_fifo;
  std::string snmp_socket;  ///< AgentX master; empty: the library's default
  bool enable_traps = false;
  bool enable_snmp_vrrp = false;
  bool enable_snmp_checker = false;
  std::uint8_t json_version = 1;  ///< 1 or 2
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
  Rare<Script> startup_script;  ///< run before everything else
  core::Duration startup_script_timeout = std::chrono::seconds(10);
  Rare<Script> shutdown_script;  ///< run after everything else
  core::Duration shutdown_script_timeout = std::chrono::seconds(10);
  core::Duration vrrp_startup_delay{0};     ///< wait before the first election
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

enum class InitialState : std::uint8_t { backup, master };
enum class AuthType : std::uint8_t { none, pass, ah };

/// keepalived: authentication { auth_type; auth_pass }.
struct Authentication {
  AuthType type = AuthType::none;
  std::string password;  ///< at most 8 bytes: longer ones are cut, with a warning

  bool operator==(const Authentication&) const = default;
};

/// rtnetlink's address scopes by number. linux/rtnetlink.h: RT_SCOPE_*.
inline constexpr std::uint8_t kScopeGlobal = 0;
inline constexpr std::uint8_t kScopeSite = 200;
inline constexpr std::uint8_t kScopeLink = 253;
inline constexpr std::uint8_t kScopeHost = 254;
inline constexpr std::uint8_t kScopeNowhere = 255;

/// A lifetime without an end. linux/if_addr.h: INFINITY_LIFE_TIME.
inline constexpr std::uint32_t kForever = 0xFFFFFFFF;

/// One line of virtual_ipaddress: what is put on an interface while the instance is master.
struct VirtualAddress {
  core::IpPrefix prefix;  ///< /32 (/128) when no length was written
  std::string interface;  ///< `dev`; the instance's interface when not written
  std::string label;      ///< `label`, IPv4 only, at most 15 bytes; empty: none
  /// `brd`; `brd +` and `brd -` are resolved to an address
  std::optional<core::IpAddress> broadcast;
  std::uint8_t scope = kScopeGlobal;  ///< `scope`
  bool no_track = false;              ///< nothing follows when somebody removes it
  bool use_vmac = false;              ///< put on a virtual MAC of that interface
  bool no_prefix_route = false;       ///< noprefixroute
  bool home = false;                  ///< IFA_F_HOMEADDRESS
  bool duplicate_detection = false;   ///< `-nodad`: IPv6 duplicate address detection is done
  bool manage_temporary = false;      ///< mngtmpaddr
  bool auto_join = false;             ///< autojoin
  /// preferred_lft, seconds or kForever; not set: forever, 0 for an IPv6 /128.
  std::optional<std::uint32_t> preferred_lifetime;
  std::optional<core::IpPrefix> peer;  ///< other end of a point-to-point link
  std::string track_group;             ///< static addresses only
  SourceLocation location;

  bool operator==(const VirtualAddress&) const = default;
};

/// What a route does with packets. linux/rtnetlink.h: RTN_*.
enum class RouteType : std::uint8_t {
  unicast,
  local,
  broadcast,
  anycast,
  multicast,
  blackhole,
  unreachable,
  prohibit,
  throw_,
  nat,
  xresolve,
};

/// A word of a route or rule line that Holdfast keeps as it was written: its name and its values.
struct LineOption {
  std::string name;
  std::vector<std::string> values;

  bool operator==(const LineOption&) const = default;
};

/// One leg of a multipath route. keepalived: nexthop.
struct NextHop {
  std::optional<core::IpAddress> via;
  std::string interface;
  std::uint16_t weight = 1;  ///< 1..256
  bool on_link = false;
  std::vector<LineOption> others;  ///< realms, encap

  bool operator==(const NextHop&) const = default;
};

/// One line of virtual_routes or static_routes.
struct Route {
  RouteType type = RouteType::unicast;
  core::IpPrefix destination;             ///< `default`: length 0 of its family
  std::optional<core::IpAddress> source;  ///< `src`
  std::optional<core::IpAddress> via;     ///< `via`, `gw`
  std::string interface;                  ///< `dev`, `oif`
  std::string table;                      ///< number or name; empty: main
  std::optional<std::uint8_t> scope;
  std::optional<std::uint32_t> metric;  ///< `metric`, `priority`, `preference`
  std::optional<std::uint32_t> mtu;
  bool mtu_locked = false;
  bool on_link = false;
  bool no_track = false;
  std::string track_group;  ///< static routes only
  std::vector<NextHop> next_hops;
  std::vector<LineOption> others;  ///< the remaining words in their order
  SourceLocation location;

  bool operator==(const Route&) const = default;
};

/// One line of virtual_rules or static_rules.
struct Rule {
  core::Family family = core::Family::v4;
  std::optional<core::IpPrefix> from;  ///< not set: all
  std::optional<core::IpPrefix> to;    ///< not set: all
  std::string table;                   ///< `table`, `lookup`; empty: another action in `others`
  /// Not set: 16384 downwards, for each family in the order of the files.
  std::optional<std::uint32_t> priority;
  std::optional<std::uint32_t> fwmark;
  std::optional<std::uint32_t> fwmask;
  std::string in_interface;   ///< `iif`, `dev`
  std::string out_interface;  ///< `oif`
  bool inverted = false;      ///< `not`
  bool no_track = false;
  std::string track_group;         ///< static rules only
  std::vector<LineOption> others;  ///< the remaining words in their order
  SourceLocation location;

  bool operator==(const Rule&) const = default;
};

/// One entry of a track_* block: what is watched, and what follows.
struct Tracked {
  std::string name;  ///< interface, or name of a script, file, process or BFD session
  /// Not set: the tracker's own. 0: fault. Positive: added while good; negative: while bad.
  std::optional<std::int16_t> weight;
  std::optional<bool> reverse;  ///< the result is turned round; not set: the tracker's own
  SourceLocation location;

  bool operator==(const Tracked&) const = default;
};

/// Everything that an instance or a sync group tracks.
struct Tracking {
  std::vector<Tracked> interfaces;
  std::vector<Tracked> scripts;
  std::vector<Tracked> files;
  std::vector<Tracked> processes;
  std::vector<Tracked> bfd;

  bool operator==(const Tracking&) const = default;
};

/// One line of unicast_peer.
struct UnicastPeer {
  core::IpAddress address;
  std::optional<std::uint8_t> min_ttl;  ///< adverts with less are dropped
  std::optional<std::uint8_t> max_ttl;  ///< adverts with more are dropped
  SourceLocation location;

  bool operator==(const UnicastPeer&) const = default;
};

/// The virtual interface of an instance. RFC 5798 §7.3. keepalived: use_vmac, use_ipvlan.
struct Vmac {
  enum class Kind : std::uint8_t { macvlan, ipvlan };
  enum class IpvlanMode : std::uint8_t { bridge, private_, vepa };

  Kind kind = Kind::macvlan;
  std::string name;                      ///< empty: vrrp.VRID
  std::optional<core::MacAddress> mac;   ///< not set: 00-00-5E-00-01-VRID, -02- for IPv6
  std::optional<core::IpPrefix> source;  ///< ipvlan: address of the interface
  IpvlanMode mode = IpvlanMode::bridge;  ///< ipvlan only
  bool netlink_notify_msg = false;
  std::string group;

  bool operator==(const Vmac&) const = default;
};

/// Whether a master that does not own the addresses answers on them. RFC 5798 §6.1 Accept_Mode.
enum class AcceptMode : std::uint8_t { by_strictness, accept, no_accept };

/// keepalived: auth_hmac { … }.
struct AuthHmac {
  struct Key {
    std::uint8_t id = 1;  ///< 1..255
    std::string value;    ///< text, hex:DIGITS or file:PATH
    bool operator==(const Key&) const = default;
  };
  enum class AntiReplay : std::uint8_t { time, monotonic };
  enum class Mode : std::uint8_t { enforce, permissive, receive_only };

  std::vector<Key> keys;
  std::uint8_t active_key = 0;    ///< 0: the first
  core::Duration time_window{0};  ///< 0: the larger of 5 s and 3 intervals
  AntiReplay anti_replay = AntiReplay::time;
  Mode mode = Mode::enforce;

  bool operator==(const AuthHmac&) const = default;
};

/// keepalived: vrrp_instance NAME.
struct VrrpInstance {
  std::string name;
  InitialState state = InitialState::backup;
  std::string interface;               ///< empty only with unicast peers
  std::uint8_t virtual_router_id = 0;  ///< 1..255
  /// 1..255; default 100, with `state MASTER` 255 (keepalived takes such a director for the address
  /// owner).
  std::uint8_t priority = 100;
  core::Duration advert_int = std::chrono::seconds(1);  ///< whole seconds 1..255 for version 2
  std::uint8_t version = 2;                             ///< 2 or 3; IPv6 is always 3
  core::Family family = core::Family::v4;
  bool preempt = true;  ///< false by `nopreempt`, unless `state MASTER` or priority 255 cancel it
  core::Duration preempt_delay{0};  ///< 0..1000 s
  Authentication authentication;
  Rare<AuthHmac> auth_hmac;
  /// mcast_src_ip, unicast_src_ip: source of the adverts; not set: the interface's first address
  std::optional<core::IpAddress> mcast_src_ip;
  std::vector<UnicastPeer> unicast_peers;
  /// Adverts go to the peers, not to a group. Without a peer only by unicast_fault_no_peer:
  /// keepalived falls back to multicast otherwise.
  bool unicast = false;
  std::optional<std::uint8_t> unicast_ttl;
  bool unicast_fault_no_peer = false;
  bool check_unicast_src = false;
  bool track_src_ip = false;
  /// mcast_dst_ip, vrrp_mcast_group4; not set: the standard group
  std::optional<core::IpAddress> mcast_dst_ip;
  bool v3_checksum_as_v2 = false;
  std::vector<VirtualAddress> virtual_addresses;           ///< advertised
  std::vector<VirtualAddress> virtual_addresses_excluded;  ///< held alike, but not advertised
  bool no_virtual_ipaddress = false;
  std::vector<Route> virtual_routes;
  std::vector<Rule> virtual_rules;
  Rare<Vmac> vmac;
  bool use_vmac_addr = false;
  bool vmac_xmit_base = false;
  std::string vrf;
  bool dont_track_primary = false;
  Tracking tracking;
  bool promote_secondaries = false;
  AcceptMode accept = AcceptMode::by_strictness;
  bool strict = false;  ///< strict_mode, vrrp_strict
  bool skip_check_adv_addr = false;
  bool higher_prio_send_advert = false;
  bool lower_prio_no_advert = false;
  bool owner_ignore_adverts = false;
  std::uint8_t down_timer_adverts = 3;  ///< adverts missed before a master is given up; 1..100
  GarpSettings garp;
  Rare<Script> notify_master;
  Rare<Script> notify_backup;
  Rare<Script> notify_fault;
  Rare<Script> notify_stop;
  Rare<Script> notify_deleted;
  Rare<Script> notify_master_rx_lower_pri;
  Rare<Script> notify;  ///< called with INSTANCE|GROUP, name, state, priority appended
  bool notify_priority_changes = false;
  bool smtp_alert = false;
  std::string lvs_sync_daemon_interface;  ///< the old way to name Globals::lvs_sync_daemon
  std::uint8_t debug = 0;
  SourceLocation location;

  bool operator==(const VrrpInstance&) const = default;
};

/// keepalived: vrrp_sync_group NAME: instances that change state together.
struct SyncGroup {
  std::string name;
  std::vector<std::string> instances;
  Tracking tracking;
  Rare<Script> notify_master;
  Rare<Script> notify_backup;
  Rare<Script> notify_fault;
  Rare<Script> notify_stop;
  Rare<Script> notify;
  bool notify_priority_changes = false;
  bool smtp_alert = false;
  bool sync_group_tracking_weight = false;  ///< weights count inside the group
  SourceLocation location;

  bool operator==(const SyncGroup&) const = default;
};

/// keepalived: vrrp_script NAME.
struct VrrpScript {
  std::string name;
  Script script;
  core::Duration interval = std::chrono::seconds(1);
  core::Duration timeout{0};  ///< 0: the interval
  std::int16_t weight = 0;    ///< -253..253; 0: fault on failure
  bool reverse = false;
  std::uint32_t rise = 1;  ///< successes until it counts as good
  std::uint32_t fall = 1;  ///< failures until it counts as bad
  bool init_fail = false;  ///< bad until the first success
  SourceLocation location;

  bool operator==(const VrrpScript&) const = default;
};

/// keepalived: vrrp_track_process NAME.
struct TrackProcess {
  enum class ParamMatch : std::uint8_t { exact, initial, partial };

  std::string name;
  std::vector<std::string> command;  ///< never empty: the process, and the parameters to match
  ParamMatch param_match = ParamMatch::exact;
  std::int16_t weight = 0;  ///< -254..254
  bool reverse = false;
  std::uint32_t quorum = 1;
  std::optional<std::uint32_t> quorum_max;  ///< not set: no upper bound
  core::Duration fork_delay{0};
  core::Duration terminate_delay{0};
  bool full_command = false;
  SourceLocation location;

  bool operator==(const TrackProcess&) const = default;
};

/// keepalived: track_file NAME, vrrp_track_file NAME.
struct TrackFile {
  std::string name;
  std::string path;
  std::int16_t weight = 1;  ///< -254..254; 0: any value but 0 is a fault
  bool reverse = false;
  std::optional<std::int32_t> init_value;  ///< init_file: written when the file is missing
  bool init_overwrite = false;             ///< … and when it is not
  SourceLocation location;

  bool operator==(const TrackFile&) const = default;
};

/// keepalived: bfd_instance NAME. RFC 5880.
struct BfdInstance {
  std::string name;
  core::IpAddress neighbor;
  std::optional<core::IpAddress> source;
  core::Duration min_rx = std::chrono::milliseconds(10);
  core::Duration min_tx = std::chrono::milliseconds(10);
  core::Duration idle_tx = std::chrono::seconds(1);
  std::uint8_t multiplier = 5;
  bool passive = false;
  std::optional<std::uint8_t> ttl;  ///< `ttl`, `hoplimit`
  std::int16_t max_hops = 0;        ///< -1..255
  bool multihop = false;
  std::int16_t weight = 0;  ///< -253..253
  bool reverse = false;
  bool vrrp = true;     ///< events go to the VRRP process
  bool checker = true;  ///< events go to the checkers
  SourceLocation location;

  bool operator==(const BfdInstance&) const = default;
};

/// keepalived: track_group NAME { group { … } }: instances that go down with a static address,
/// route or rule.
struct TrackGroup {
  std::string name;
  std::vector<std::string> instances;
  SourceLocation location;

  bool operator==(const TrackGroup&) const = default;
};

/// keepalived: garp_group: interfaces that share one pacing queue.
struct GarpGroup {
  core::Duration garp_interval{0};
  core::Duration gna_interval{0};
  std::vector<std::string> interfaces;
  SourceLocation location;

  bool operator==(const GarpGroup&) const = default;
};

enum class Protocol : std::uint8_t { tcp, udp, sctp };
enum class ForwardingMethod : std::uint8_t { nat, direct_route, tunnel };

/// How a tunnelled packet is wrapped. keepalived: lvs_method TUN type …. linux/ip_vs.h:
/// IP_VS_CONN_F_TUNNEL_TYPE_*, IP_VS_TUNNEL_ENCAP_FLAG_*.
struct Tunnel {
  enum class Type : std::uint8_t { ipip, gue, gre };
  enum class Checksum : std::uint8_t { none, csum, remcsum };

  Type type = Type::ipip;
  std::uint16_t port = 0;  ///< gue only
  Checksum checksum = Checksum::none;

  bool operator==(const Tunnel&) const = default;
};
/// HTTP/1.0; 1.0 with "Connection: close" (1.0C); 1.1. keepalived: http_protocol.
enum class HttpProtocol : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// Where a probe leaves from, when the kernel is not to choose.
struct Binding {
  std::optional<core::IpAddress> bindto;  ///< source address
  std::uint16_t bind_port = 0;            ///< source port; 0: the kernel's choice
  std::string bind_if;                    ///< SO_BINDTODEVICE; empty: none
  std::uint32_t fwmark = 0;               ///< SO_MARK; 0 none

  bool operator==(const Binding&) const = default;
};

/// How a checker reaches its target and paces itself. Completely resolved: nothing is inherited any
/// more.
struct ConnectOptions {
  core::IpAddress connect_ip;      ///< default: the real server's address
  std::uint16_t connect_port = 0;  ///< default: the real server's port
  std::uint32_t retry = 1;         ///< further tries before an up server is called down
  Rare<Binding> binding;           ///< not set: all as in Binding{}
  core::Duration connect_timeout = std::chrono::seconds(5);     ///< bound on one whole probe
  core::Duration delay_before_retry = std::chrono::seconds(1);  ///< HTTP_GET: 3 s
  core::Duration delay_loop = std::chrono::seconds(60);         ///< between two probes
  /// first probe within this random time; 0 at once
  core::Duration warmup = std::chrono::seconds(60);
  bool alpha = false;  ///< starts as failed
  bool log_all_failures = false;

  bool operator==(const ConnectOptions&) const = default;
};

/// keepalived: TCP_CHECK. Up when the connection is accepted.
struct TcpCheck {
  ConnectOptions connect;
  SourceLocation location;

  bool operator==(const TcpCheck&) const = default;
};

/// An inclusive range of HTTP status codes, within 100..599.
struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;

  bool operator==(const StatusRange&) const = default;
};

/// What the body of an answer has to match. keepalived: regex and its options.
struct BodyPattern {
  std::string regex;                 ///< PCRE2
  bool no_match = false;             ///< regex_no_match: the body must not match
  std::vector<std::string> options;  ///< regex_options, as written
  std::optional<std::uint32_t> min_offset;
  std::optional<std::uint32_t> max_offset;

  bool operator==(const BodyPattern&) const = default;
};

/// keepalived: url { … } of HTTP_GET.
struct HttpUrl {
  std::string path;
  std::vector<StatusRange> status_codes;  ///< never empty: 200-299 when none is written
  std::string digest;  ///< MD5 of the body, 32 lower-case hex digits; empty: not compared
  /// Host header, inherited url < checker < real < virtual server; may be empty
  std::string virtualhost;
  Rare<BodyPattern> pattern;
  std::optional<bool> tls_compliant;  ///< not set: the checker's
  SourceLocation location;

  bool operator==(const HttpUrl&) const = default;
};

/// keepalived: HTTP_GET. Every url has to pass.
struct HttpCheck {
  ConnectOptions connect;
  bool tls = false;         ///< SSL_GET
  bool enable_sni = false;  ///< the host name is sent in the TLS hello
  std::string sni_name;     ///< name to send instead; empty: the Host header
  bool fast_recovery = false;
  bool tls_compliant = false;  ///< SSL_GET: the server has to close TLS in order
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  std::vector<HttpUrl> urls;  ///< never empty
  SourceLocation location;

  bool operator==(const HttpCheck&) const = default;
};

/// keepalived: SMTP_CHECK. Up when the server greets and takes HELO. One with `host { … }` blocks
/// is one check for each of them.
struct SmtpCheck {
  ConnectOptions connect;
  std::string helo_name;  ///< empty: smtp_helo_name
  SourceLocation location;

  bool operator==(const SmtpCheck&) const = default;
};

/// keepalived: DNS_CHECK. Up when the question is answered.
struct DnsCheck {
  ConnectOptions connect;
  std::string type = "SOA";  ///< A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY
  std::string name = ".";
  SourceLocation location;

  bool operator==(const DnsCheck&) const = default;
};

/// keepalived: MISC_CHECK. Up when the command exits with 0.
struct MiscCheck {
  ConnectOptions pace;        ///< its delays; the addresses mean nothing here
  Rare<Script> script;        ///< always there
  core::Duration timeout{0};  ///< misc_timeout; 0: delay_loop
  bool dynamic = false;       ///< exit 2..255 sets the weight to exit - 2
  SourceLocation location;

  bool operator==(const MiscCheck&) const = default;
};

/// keepalived: UDP_CHECK.
struct UdpCheck {
  ConnectOptions connect;
  std::vector<std::uint8_t> payload;  ///< empty: random bytes
  bool require_reply = false;
  std::string reply_pattern;  ///< upper-case hex digits, X for any half byte; empty: any reply
  std::uint16_t min_reply_length = 0;
  std::uint16_t max_reply_length = 255;
  SourceLocation location;

  bool operator==(const UdpCheck&) const = default;
};

/// keepalived: PING_CHECK.
struct PingCheck {
  ConnectOptions connect;
  SourceLocation location;

  bool operator==(const PingCheck&) const = default;
};

/// keepalived: BFD_CHECK.
struct BfdCheck {
  std::string name;
  bool alpha = false;
  SourceLocation location;

  bool operator==(const BfdCheck&) const = default;
};

/// keepalived: FILE_CHECK: the value of a track_file is added to the weight.
struct FileCheck {
  std::string track_file;
  std::optional<std::int32_t> weight;  ///< the number is multiplied by it; not set: the file's own
  bool reverse = false;                ///< the other way round; counts with `weight` only
  SourceLocation location;

  bool operator==(const FileCheck&) const = default;
};

using Check = std::variant<TcpCheck, HttpCheck, SmtpCheck, DnsCheck, MiscCheck, UdpCheck, PingCheck,
                           BfdCheck, FileCheck>;

/// keepalived: real_server ADDRESS PORT.
struct RealServer {
  core::IpAddress address;
  std::uint16_t port = 0;  ///< the service's own port with DR and TUN
  /// 0..2147483647; 0 takes no new connections. Above kMaxWeight only with a warning.
  std::uint32_t weight = 1;
  /// the service's, unless lvs_method says otherwise
  ForwardingMethod forwarding = ForwardingMethod::nat;
  Rare<Tunnel> tunnel;                ///< TUN only; not set: IP in IP
  std::uint32_t upper_threshold = 0;  ///< uthreshold, connections; 0 none
  std::uint32_t lower_threshold = 0;  ///< lthreshold, connections; 0 none
  bool inhibit_on_failure = false;    ///< failed: weight 0 instead of removal
  bool alpha = false;                 ///< not in the table before its first success
  bool smtp_alert = false;
  Rare<Script> notify_up;
  Rare<Script> notify_down;
  std::string virtualhost;  ///< default of its HTTP checkers; empty: the service's
  std::string snmp_name;
  std::vector<Check> checks;  ///< up when all pass; without any: always up
  SourceLocation location;

  bool operator==(const RealServer&) const = default;
};

/// keepalived: sorry_server ADDRESS PORT.
struct SorryServer {
  core::IpAddress address;
  std::uint16_t port = 0;  ///< the service's port when none is written
  bool inhibit = false;    ///< sorry_server_inhibit: stays in the table with weight 0
  /// the service's, unless sorry_server_lvs_method
  ForwardingMethod forwarding = ForwardingMethod::nat;
  Rare<Tunnel> tunnel;
  SourceLocation location;

  bool operator==(const SorryServer&) const = default;
};

/// One entry of virtual_server_group: a stretch of addresses with a port, or a firewall mark.
struct GroupEntry {
  core::IpAddress first;
  core::IpAddress last;                ///< first itself for one address
  std::uint16_t port = 0;              ///< 0: all ports, persistent services only
  std::uint32_t fwmark = 0;            ///< not 0: a mark, and the addresses mean nothing
  std::optional<core::Family> family;  ///< of a mark; not set: that of the real servers
  SourceLocation location;

  bool operator==(const GroupEntry&) const = default;
};

/// keepalived: virtual_server_group NAME.
struct VirtualServerGroup {
  std::string name;
  std::vector<GroupEntry> entries;
  SourceLocation location;

  bool operator==(const VirtualServerGroup&) const = default;
};

/// Flags of a service that its scheduler gives a meaning. linux/ip_vs.h: IP_VS_SVC_F_SCHED1..3.
inline constexpr std::uint8_t kSchedulerFlag1 = 1;  ///< flag-1, sh-fallback, mh-fallback
inline constexpr std::uint8_t kSchedulerFlag2 = 2;  ///< flag-2, sh-port, mh-port
inline constexpr std::uint8_t kSchedulerFlag3 = 4;  ///< flag-3

/// keepalived: virtual_server ADDRESS PORT, virtual_server fwmark MARK, virtual_server group NAME.
struct VirtualServer {
  core::IpAddress address;            ///< of a service by mark or group: any, of its family
  std::uint16_t port = 0;             ///< 0: all ports, persistent services only
  std::uint32_t fwmark = 0;           ///< not 0: a service by firewall mark
  std::string group;                  ///< not empty: a service for a virtual_server_group
  Protocol protocol = Protocol::udp;  ///< keepalived's default, with a warning
  std::string scheduler = "wlc";      ///< lb_algo, lvs_sched: name of a kernel scheduler
  std::uint8_t scheduler_flags = 0;   ///< kSchedulerFlag*
  ForwardingMethod forwarding = ForwardingMethod::nat;  ///< lb_kind, lvs_method
  Rare<Tunnel> tunnel;                                  ///< TUN only; not set: IP in IP
  std::optional<core::IpAddress> nat_mask;              ///< accepted for old files; nothing uses it
  core::Duration persistence_timeout{0};                ///< whole seconds; 0 not persistent
  /// Clients that share this many leading bits share a server. persistence_granularity, as a prefix
  /// length; 128 for IPv6.
  std::uint8_t persistence_prefix = 32;
  std::string persistence_engine;  ///< empty: by client address
  std::uint32_t quorum = 1;        ///< sum of weights needed, at least 1, at most the total weight
  std::uint32_t hysteresis = 0;    ///< below quorum
  Rare<Script> quorum_up;
  Rare<Script> quorum_down;
  bool ha_suspend = false;             ///< probe only while the address is on this host
  bool alpha = false;                  ///< default of its servers
  bool omega = false;                  ///< run the "down" notifications at an orderly stop
  bool hashed = false;                 ///< IP_VS_SVC_F_HASHED
  bool one_packet_scheduling = false;  ///< ops, UDP only
  bool smtp_alert = false;
  std::string virtualhost;  ///< default of its HTTP checkers
  std::string snmp_name;
  Rare<SorryServer> sorry_server;
  std::vector<RealServer> real_servers;
  SourceLocation location;

  bool operator==(const VirtualServer&) const = default;
};

/// keepalived: SSL { … }: what SSL_GET shows to servers that ask for a certificate.
struct TlsIdentity {
  std::string password;
  std::string ca;
  std::string certificate;
  std::string key;

  bool operator==(const TlsIdentity&) const = default;
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

  bool operator==(const Model&) const = default;
  /// "file:line:column", or "file" for a place that was not written.
  [[nodiscard]] std::string where(const SourceLocation& location) const;
};

/// The largest weight the kernel's schedulers are safe with. net/netfilter/ipvs stores an int; sums
/// must not overflow.
inline constexpr std::uint32_t kMaxWeight = 65535;

[[nodiscard]] const char* to_string(InitialState state);           ///< "MASTER", "BACKUP"
[[nodiscard]] const char* to_string(AuthType type);                ///< "none", "PASS", "AH"
[[nodiscard]] const char* to_string(RouteType type);               ///< "unicast", "blackhole", …
[[nodiscard]] const char* to_string(Protocol protocol);            ///< "TCP", "UDP", "SCTP"
[[nodiscard]] const char* to_string(ForwardingMethod forwarding);  ///< "NAT", "DR", "TUN"
[[nodiscard]] const char* to_string(HttpProtocol protocol);        ///< "1.0", "1.0C", "1.1"
[[nodiscard]] const char* type_name(const Check& check);           ///< "TCP_CHECK", "SSL_GET", …
/// "TCP 192.168.1.200:8099", "fwmark 5", "fwmark 5 IPv6", "TCP group web": its name in messages.
[[nodiscard]] std::string name_of(const VirtualServer& service);

}  // namespace holdfast::config
