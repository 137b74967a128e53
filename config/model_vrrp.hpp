// The part of the model that elects and moves addresses: instances, sync groups, what they put on
// interfaces and what they track.
#pragma once

#include "config/model_common.hpp"
#include "config/rare.hpp"
#include "core/address_scope.hpp"
#include "core/ip_address.hpp"
#include "core/mac_address.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::config {

enum class InitialState : std::uint8_t { unset, backup, master };
enum class AuthType : std::uint8_t { none, pass, ah };

/// keepalived: authentication { auth_type; auth_pass }.
struct Authentication {
  AuthType type = AuthType::none;
  std::string password;  ///< at most 8 bytes: longer ones are cut, with a warning

  bool operator==(const Authentication&) const = default;
};

/// A lifetime without an end. linux/if_addr.h: INFINITY_LIFE_TIME.
inline constexpr std::uint32_t kForever = 0xFFFFFFFF;

/// One line of virtual_ipaddress: what is put on an interface while the instance is master.
struct VirtualAddress {
  core::IpPrefix prefix;  ///< /32 (/128) when no length was written
  std::string interface;  ///< `dev`; the instance's interface when not written
  std::string label;      ///< `label`, IPv4 only, at most 15 bytes; empty: none
  /// `brd`; `brd +` and `brd -` are resolved to an address
  std::optional<core::IpAddress> broadcast;
  std::uint8_t scope = core::kScopeGlobal;  ///< `scope`
  bool no_track = false;                    ///< nothing follows when somebody removes it
  bool use_vmac = false;                    ///< put on a virtual MAC of that interface
  bool no_prefix_route = false;             ///< noprefixroute
  bool home = false;                        ///< IFA_F_HOMEADDRESS
  bool duplicate_detection = false;         ///< `-nodad`: IPv6 duplicate address detection is done
  bool manage_temporary = false;            ///< mngtmpaddr
  bool auto_join = false;                   ///< autojoin
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
  InitialState state = InitialState::unset;
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
  std::string vrf;  ///< Where the routes are, without an interface; empty: in the main table.
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

  /// A master takes packets to its addresses. keepalived: no_accept; and under strict mode only the
  /// owner does, or with version 3 who says accept.
  [[nodiscard]] bool answers() const;
  /// The device that its adverts are sent and heard on: its interface or VRF. Empty: the kernel's
  /// routes decide.
  [[nodiscard]] const std::string& place() const { return interface.empty() ? vrf : interface; }
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

/// "MASTER", "BACKUP"; an instance that says nothing starts as BACKUP.
[[nodiscard]] const char* to_string(InitialState state);
[[nodiscard]] const char* to_string(AuthType type);   ///< "none", "PASS", "AH"
[[nodiscard]] const char* to_string(RouteType type);  ///< "unicast", "blackhole", …

}  // namespace holdfast::config
