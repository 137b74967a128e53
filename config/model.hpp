// The typed configuration: what the files mean once defaults, inheritance and aliases are resolved.
// Values only. Made by config/load.hpp, compared by config/diff.hpp, translated into each core's
// settings by the daemons' wiring. Every object knows where it was written; two objects that differ
// only in their place are equal.
#pragma once

#include "core/ip_address.hpp"
#include "core/time.hpp"

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

  bool operator==(const GarpSettings&) const = default;
};

/// keepalived: global_defs.
struct Globals {
  std::string router_id;  ///< empty: the host's name
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  /// host name or address, looked up by whoever sends the mail; empty: no mail
  std::string smtp_server;
  std::uint16_t smtp_port = 25;
  std::string smtp_helo_name;
  core::Duration smtp_connect_timeout = std::chrono::seconds(30);
  bool smtp_alert = false;        ///< default of every smtp_alert below
  GarpSettings garp;              ///< defaults of the instances
  std::uint8_t vrrp_version = 2;  ///< default of the instances
  core::IpAddress vrrp_mcast_group4 = core::IpAddress::v4({224, 0, 0, 18});
  std::string default_interface;  ///< for instances without one; empty: none
  std::string script_user;  ///< empty: keepalived_script if that user exists, else the daemon's
  std::string script_group;
  bool enable_script_security = false;
  core::Duration vrrp_startup_delay{0};  ///< wait before the first election
  bool lvs_flush = false;
  bool lvs_flush_on_stop = false;
  SourceLocation location;

  bool operator==(const Globals&) const = default;
};

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

/// One line of virtual_ipaddress: what is put on an interface while the instance is master.
struct VirtualAddress {
  core::IpPrefix prefix;  ///< /32 (/128) when no length was written
  std::string interface;  ///< `dev`; the instance's interface when not written
  std::string label;      ///< `label`, IPv4 only, at most 15 bytes; empty: none
  /// `brd`; `brd +` and `brd -` are resolved to an address
  std::optional<core::IpAddress> broadcast;
  std::uint8_t scope = kScopeGlobal;  ///< `scope`
  SourceLocation location;

  bool operator==(const VirtualAddress&) const = default;
};

/// keepalived: vrrp_instance NAME.
struct VrrpInstance {
  std::string name;
  InitialState state = InitialState::backup;
  std::string interface;
  std::uint8_t virtual_router_id = 0;  ///< 1..255
  /// 1..255; default 100, with `state MASTER` 255 (keepalived takes such a director for the address
  /// owner).
  std::uint8_t priority = 100;
  core::Duration advert_int = std::chrono::seconds(1);  ///< whole seconds 1..255 for version 2
  std::uint8_t version = 2;  ///< 2; 3 is recognised and refused with a warning so far
  core::Family family = core::Family::v4;
  bool preempt = true;  ///< false by `nopreempt`, unless `state MASTER` or priority 255 cancel it
  core::Duration preempt_delay{0};  ///< 0..1000 s
  Authentication authentication;
  std::optional<core::IpAddress> mcast_src_ip;    ///< not set: the interface's first address
  std::vector<VirtualAddress> virtual_addresses;  ///< advertised
  std::vector<VirtualAddress> virtual_addresses_excluded;  ///< held alike, but not advertised
  GarpSettings garp;
  std::optional<Script> notify_master;
  std::optional<Script> notify_backup;
  std::optional<Script> notify_fault;
  std::optional<Script> notify_stop;
  std::optional<Script> notify;  ///< called with INSTANCE|GROUP, name, state, priority appended
  bool smtp_alert = false;
  std::uint8_t debug = 0;
  SourceLocation location;

  bool operator==(const VrrpInstance&) const = default;
};

enum class Protocol : std::uint8_t { tcp, udp, sctp };
enum class ForwardingMethod : std::uint8_t { nat, direct_route, tunnel };
/// HTTP/1.0; 1.0 with "Connection: close" (1.0C); 1.1. keepalived: http_protocol.
enum class HttpProtocol : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// How a checker reaches its target and paces itself. Completely resolved: nothing is inherited any
/// more.
struct ConnectOptions {
  core::IpAddress connect_ip;             ///< default: the real server's address
  std::uint16_t connect_port = 0;         ///< default: the real server's port
  std::optional<core::IpAddress> bindto;  ///< source address
  std::uint16_t bind_port = 0;            ///< source port; 0: the kernel's choice
  core::Duration connect_timeout = std::chrono::seconds(5);  ///< bound on one whole probe
  std::uint32_t retry = 1;  ///< further tries before an up server is called down
  core::Duration delay_before_retry = std::chrono::seconds(1);  ///< HTTP_GET: 3 s
  core::Duration delay_loop = std::chrono::seconds(60);         ///< between two probes
  /// first probe within this random time; 0 at once
  core::Duration warmup = std::chrono::seconds(60);
  bool alpha = false;  ///< starts as failed

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

/// keepalived: url { … } of HTTP_GET.
struct HttpUrl {
  std::string path;
  std::vector<StatusRange> status_codes;  ///< never empty: 200-299 when none is written
  std::string digest;  ///< MD5 of the body, 32 lower-case hex digits; empty: not compared
  /// Host header, inherited url < checker < real < virtual server; may be empty
  std::string virtualhost;
  SourceLocation location;

  bool operator==(const HttpUrl&) const = default;
};

/// keepalived: HTTP_GET. Every url has to pass.
struct HttpCheck {
  ConnectOptions connect;
  bool tls = false;  ///< SSL_GET; always false so far
  HttpProtocol http_protocol = HttpProtocol::http_1_0;
  std::vector<HttpUrl> urls;  ///< never empty
  SourceLocation location;

  bool operator==(const HttpCheck&) const = default;
};

using Check = std::variant<TcpCheck, HttpCheck>;

/// keepalived: real_server ADDRESS PORT.
struct RealServer {
  core::IpAddress address;
  std::uint16_t port = 0;    ///< the service's own port with DR and TUN
  std::uint32_t weight = 1;  ///< 0..65535; 0 takes no new connections
  /// the service's, unless lvs_method says otherwise
  ForwardingMethod forwarding = ForwardingMethod::nat;
  std::uint32_t upper_threshold = 0;  ///< uthreshold, connections; 0 none
  std::uint32_t lower_threshold = 0;  ///< lthreshold, connections; 0 none
  bool inhibit_on_failure = false;    ///< failed: weight 0 instead of removal
  bool alpha = false;                 ///< not in the table before its first success
  bool smtp_alert = false;
  std::optional<Script> notify_up;
  std::optional<Script> notify_down;
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
  SourceLocation location;

  bool operator==(const SorryServer&) const = default;
};

/// keepalived: virtual_server ADDRESS PORT.
struct VirtualServer {
  core::IpAddress address;
  std::uint16_t port = 0;             ///< 0: all ports, persistent services only
  Protocol protocol = Protocol::udp;  ///< keepalived's default, with a warning
  std::string scheduler = "wlc";      ///< lb_algo, lvs_sched: name of a kernel scheduler
  ForwardingMethod forwarding = ForwardingMethod::nat;  ///< lb_kind, lvs_method
  std::optional<core::IpAddress> nat_mask;              ///< accepted for old files; nothing uses it
  core::Duration persistence_timeout{0};                ///< whole seconds; 0 not persistent
  /// Clients that share this many leading bits share a server. persistence_granularity, as a prefix
  /// length.
  std::uint8_t persistence_prefix = 32;
  std::uint32_t quorum = 1;      ///< sum of weights needed, at least 1, at most the total weight
  std::uint32_t hysteresis = 0;  ///< below quorum
  std::optional<Script> quorum_up;
  std::optional<Script> quorum_down;
  bool ha_suspend = false;             ///< probe only while the address is on this host
  bool alpha = false;                  ///< default of its servers
  bool omega = false;                  ///< run the "down" notifications at an orderly stop
  bool one_packet_scheduling = false;  ///< ops, UDP only
  bool smtp_alert = false;
  std::string virtualhost;  ///< default of its HTTP checkers
  std::optional<SorryServer> sorry_server;
  std::vector<RealServer> real_servers;
  SourceLocation location;

  bool operator==(const VirtualServer&) const = default;
};

/// The whole configuration.
struct Model {
  Globals globals;
  std::vector<VrrpInstance> instances;  ///< in the order of the files
  std::vector<VirtualServer> services;  ///< in the order of the files
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
[[nodiscard]] const char* to_string(Protocol protocol);            ///< "TCP", "UDP", "SCTP"
[[nodiscard]] const char* to_string(ForwardingMethod forwarding);  ///< "NAT", "DR", "TUN"
[[nodiscard]] const char* to_string(HttpProtocol protocol);        ///< "1.0", "1.0C", "1.1"
[[nodiscard]] const char* type_name(const Check& check);  ///< "TCP_CHECK", "HTTP_GET", "SSL_GET"
/// "TCP 192.168.1.200:8099": how a service is named in messages.
[[nodiscard]] std::string name_of(const VirtualServer& service);

}  // namespace holdfast::config
