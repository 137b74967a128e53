// What the engine is told: services, their servers and how each server is checked. Made from
// config's model by checkers/wiring.cpp; completely resolved, nothing is inherited any
// more. Values only.
#pragma once

#include "checkers/core/switches.hpp"
#include "core/ip_address.hpp"
#include "core/pattern.hpp"
#include "core/rare.hpp"
#include "core/scheduling.hpp"
#include "core/script.hpp"
#include "core/shared.hpp"
#include "core/time.hpp"
#include "core/tracked_number.hpp"
#include "ipvs_wrapper/sync.hpp"
#include "ipvs_wrapper/table.hpp"

#include "tls/context.hpp"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::checkers {

/// Up when the connection is accepted. keepalived: TCP_CHECK.
struct TcpProbe {
  bool operator==(const TcpProbe&) const = default;
};

/// Inclusive range of HTTP status codes.
struct StatusRange {
  std::uint16_t first = 200;
  std::uint16_t last = 299;
  bool operator==(const StatusRange&) const = default;
};

/// keepalived: http_protocol 1.0, 1.0C (with "Connection: close"), 1.1.
enum class HttpVersion : std::uint8_t { http_1_0, http_1_0_close, http_1_1 };

/// How a server may end a TLS connection: without a close_notify, as many do after a complete
/// reply, or only with one (RFC 8446 §6.1).
enum class TlsClose : std::uint8_t { as_it_likes, in_order };

/// What we show to servers that ask for a certificate: one for all probes. keepalived: SSL.
struct TlsShown {
  tls::Identity identity{};
  std::string problem{};  ///< Why there is none to show; a sentence.
  std::optional<tls::Context> context{};

  friend bool operator==(const TlsShown& one, const TlsShown& other) {
    return one.identity == other.identity && one.problem == other.problem;
  }
};

struct TlsSettings {
  /// RFC 6066 §3: the name in the hello. Empty: none is sent. keepalived: sni_name, virtualhost.
  std::string name{};
  TlsClose close = TlsClose::as_it_likes;  ///< keepalived: tls_compliant gives in_order.
  std::optional<core::Shared<TlsShown>> shown{};
  bool operator==(const TlsSettings&) const = default;
};

/// keepalived: regex and its words. Its offsets count from the status line.
struct ReplyPattern {
  core::PatternText text{};
  bool no_match = false;
  bool operator==(const ReplyPattern&) const = default;
};

struct HttpUrl {
  std::string path = "/";
  /// Never empty.
  std::vector<StatusRange> statuses{StatusRange{}};
  /// MD5 of the body, 32 hex digits of either case; empty: not compared.
  std::string digest{};
  /// Host header without a port; empty: the target's address (and port).
  std::string virtualhost{};
  /// What the reply, head and body, has to hold (`no_match`: must not).
  core::Rare<ReplyPattern> pattern{};
  std::optional<TlsSettings> tls{};  ///< SSL_GET. Set in all urls of a probe, or in none.
  bool operator==(const HttpUrl&) const = default;
};

/// Up when every url passes. keepalived: HTTP_GET, SSL_GET.
struct HttpProbe {
  HttpVersion version = HttpVersion::http_1_0;
  std::vector<HttpUrl> urls{};
  bool operator==(const HttpProbe&) const = default;
};

/// Up when a mail server greets and takes EHLO, or HELO. keepalived: SMTP_CHECK.
struct SmtpProbe {
  std::string helo_name{};  ///< Empty: the host's own.
  bool operator==(const SmtpProbe&) const = default;
};

/// Up when the question is answered with NOERROR. keepalived: DNS_CHECK.
struct DnsProbe {
  std::uint16_t type = 6;  ///< RFC 1035 §3.2.2: 6 is SOA.
  std::string name = ".";
  bool by_stream = false;  ///< TCP: the answer did not fit into a datagram.
  bool operator==(const DnsProbe&) const = default;
};

/// keepalived: UDP_CHECK.
struct UdpProbe {
  std::vector<std::uint8_t> payload{};  ///< Empty: random bytes.
  /// Silence is a failure; otherwise only what ICMP says is one.
  bool reply_required = false;
  std::string pattern{};  ///< Hex digits, upper case; X for any. The reply begins with it.
  std::uint16_t min_reply_length = 0;
  std::uint16_t max_reply_length = 255;
  bool operator==(const UdpProbe&) const = default;
};

/// Up when ICMP echo is answered. keepalived: PING_CHECK.
struct PingProbe {
  bool operator==(const PingProbe&) const = default;
};

/// Up when a command exits with 0. It runs elsewhere; its limit is misc_timeout. keepalived:
/// MISC_CHECK.
struct ScriptProbe {
  core::Command command{};
  /// Exit codes 2 to 255 are successes, too, with a weight of the code less 2.
  bool dynamic = false;
  bool operator==(const ScriptProbe&) const = default;
};

/// The number in a tracked file, times `weight`, is added to the server's weight. keepalived:
/// FILE_CHECK.
struct FileProbe {
  std::string file{};  ///< Name of the track_file.
  std::int32_t weight = 1;
  bool reverse = false;
  bool operator==(const FileProbe&) const = default;
};

using Dialogue = std::variant<TcpProbe, HttpProbe, SmtpProbe, DnsProbe, UdpProbe, PingProbe,
                              ScriptProbe, FileProbe>;

/// One probe as the network sees it. Equal probes with equal pace are run once, whoever asks for
/// them.
struct ProbeSettings {
  /// connect_ip and connect_port.
  core::Endpoint target{};
  /// bindto: source address.
  std::optional<core::IpAddress> bind_address{};
  /// Source port; 0 is the kernel's choice.
  std::uint16_t bind_port = 0;
  /// bind_if: leaves by this interface. Empty: by the one of its route.
  core::Rare<std::string> bind_interface{};
  /// fwmark of its packets; 0: none.
  std::uint32_t mark = 0;
  /// Bounds one connection from connect() to the verdict. keepalived: connect_timeout.
  core::Duration timeout = std::chrono::seconds(5);
  Dialogue dialogue{};
  bool operator==(const ProbeSettings&) const = default;
};

/// When a probe runs. keepalived: delay_loop, delay_before_retry, retry (nb_get_retry), warmup.
struct Pace {
  core::Duration delay_loop = std::chrono::seconds(60);
  core::Duration delay_before_retry = std::chrono::seconds(1);
  /// Further tries before an up server is called down.
  std::uint32_t retry = 1;
  /// The first run is spread over this time, so that a start does not probe everything at once. 0:
  /// at once.
  core::Duration warmup = std::chrono::seconds(60);
  bool operator==(const Pace&) const = default;
};

struct CheckSettings {
  ProbeSettings probe{};
  Pace pace{};
  /// Counts as failed, and keeps the server out of the table, until its first success.
  bool alpha = false;
  /// Each failure of a check that is up is worth a line. keepalived: log_all_failures.
  bool logs_all_failures = false;
  bool operator==(const CheckSettings&) const = default;
};

/// What the command of a MISC_CHECK is called: core::Command::what.
inline constexpr std::string_view kCheckCommand = "misc_path";

/// A command of the operator.
using Script = core::Command;

struct ServerSettings {
  core::Endpoint endpoint{};
  /// Weight, forwarding, thresholds as they are when the server is up.
  ipvs::Server entry{};
  /// Down: weight 0 instead of removal, so that established connections go on.
  bool inhibit_on_failure = false;
  core::Rare<Script> notify_up{};
  core::Rare<Script> notify_down{};
  bool mails = false;  ///< keepalived: smtp_alert
  /// Up iff all are up; none: always up, unless the server is held.
  std::vector<CheckSettings> checks{};
  /// Has checks, and none that this version can run: nobody knows whether it is up. What the
  /// kernel's table has of it stays as it is, and it counts for no quorum.
  bool is_held = false;
  bool operator==(const ServerSettings&) const = default;
};

struct SorryServer {
  core::Endpoint endpoint{};
  ipvs::Server entry{};
  /// Stays in the table with weight 0 while it is not needed. keepalived: sorry_server_inhibit.
  bool inhibit = false;
  bool operator==(const SorryServer&) const = default;
};

struct ServiceSettings {
  /// keepalived: virtual_server group NAME, as "TCP group web". Empty: one key, which is its name.
  std::string group{};
  /// The entries that it has in the kernel's table: all those of its group, each with the whole
  /// pool. Never empty.
  std::vector<ipvs::ServiceKey> keys{};
  ipvs::Settings settings;
  /// Sum of weights of up servers that is needed. At least 1.
  std::uint32_t quorum = 1;
  /// Dead band around the quorum; below quorum.
  std::uint32_t hysteresis = 0;
  std::optional<SorryServer> sorry_server;
  /// Run the "down" notifications at an orderly stop.
  bool omega = false;
  /// Probe only while one of its addresses is on this host; one by marks alone always.
  bool ha_suspend = false;
  core::Rare<Script> quorum_up;
  core::Rare<Script> quorum_down;
  bool mails = false;  ///< keepalived: smtp_alert
  /// Endpoints are unique.
  std::vector<ServerSettings> servers;
  bool operator==(const ServiceSettings&) const = default;
};

/// An address where the instance that decides would put it.
struct Place {
  core::IpAddress address{};
  /// Empty: on any interface but a loopback one, where real servers keep virtual addresses.
  std::string interface {};
  bool operator==(const Place&) const = default;
};

/// keepalived: lvs_sync_daemon.
struct SyncSettings {
  ipvs::SyncDaemon daemon{};
  /// Master while one of its addresses is here, else backup. Empty: both roles all the time.
  std::string instance{};
  std::vector<Place> follows{};
  bool operator==(const SyncSettings&) const = default;
};

struct Settings {
  /// No key is in two of them.
  std::vector<ServiceSettings> services;
  bool pipes = false;  ///< there is a pipe for lines about services and servers
  core::Scheduling scheduling = {};
  core::Rare<SyncSettings> sync = {};
  /// keepalived: lvs_timeouts.
  ipvs::Timeouts timeouts = {};
  SwitchSettings switches{};  ///< of the kernel's IPVS: lvs_sysctl
  /// Services of others are removed, too. keepalived: lvs_flush, lvs_flush_on_stop.
  bool flush_at_start = false;
  bool flush_at_stop = false;
  std::vector<core::TrackedFile> files{};  ///< those that a FILE_CHECK names
  bool operator==(const Settings&) const = default;
};

}  // namespace holdfast::checkers
