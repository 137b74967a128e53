// The part of the model that is balanced: services, their servers and how those are checked.
#pragma once

#include "config/model_common.hpp"
#include "config/rare.hpp"
#include "core/ip_address.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::config {

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
  Rare<std::string> snmp_name;
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
  Rare<std::string> snmp_name;
  Rare<SorryServer> sorry_server;
  std::vector<RealServer> real_servers;
  SourceLocation location;

  bool operator==(const VirtualServer&) const = default;
};

/// keepalived: SSL { … }: what SSL_GET shows to servers that ask for a certificate.
struct TlsIdentity {
  SourceLocation location;
  std::string password;
  std::string ca;
  std::string certificate;
  std::string key;

  bool operator==(const TlsIdentity&) const = default;
};

/// The largest weight the kernel's schedulers are safe with. net/netfilter/ipvs stores an int; sums
/// must not overflow.
inline constexpr std::uint32_t kMaxWeight = 65535;

[[nodiscard]] const char* to_string(Protocol protocol);            ///< "TCP", "UDP", "SCTP"
[[nodiscard]] const char* to_string(ForwardingMethod forwarding);  ///< "NAT", "DR", "TUN"
[[nodiscard]] const char* to_string(HttpProtocol protocol);        ///< "1.0", "1.0C", "1.1"
[[nodiscard]] const char* type_name(const Check& check);           ///< "TCP_CHECK", "SSL_GET", …
/// "TCP 192.168.1.200:8099", "fwmark 5", "fwmark 5 IPv6", "TCP group web": its name in messages.
[[nodiscard]] std::string name_of(const VirtualServer& service);

}  // namespace holdfast::config
