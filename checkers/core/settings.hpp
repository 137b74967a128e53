// What the engine is told: services, their servers and how each server is checked. Made from
// config's model by checkers/wiring.cpp; completely resolved, nothing is inherited any
// more. Values only.
#pragma once

#include "core/ip_address.hpp"
#include "core/rare.hpp"
#include "core/scheduling.hpp"
#include "core/script.hpp"
#include "core/time.hpp"
#include "ipvs_wrapper/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
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

struct TlsSettings {
  /// RFC 6066 §3: the name in the hello. Empty: none is sent. keepalived: sni_name, virtualhost.
  std::string name{};
  TlsClose close = TlsClose::as_it_likes;  ///< keepalived: tls_compliant gives in_order.
  bool operator==(const TlsSettings&) const = default;
};

struct HttpUrl {
  std::string path = "/";
  /// Never empty.
  std::vector<StatusRange> statuses{StatusRange{}};
  /// MD5 of the body, 32 hex digits of either case; empty: not compared.
  std::string digest{};
  /// Host header without a port; empty: the target's address (and port).
  std::string virtualhost{};
  std::optional<TlsSettings> tls{};  ///< SSL_GET. Set in all urls of a probe, or in none.
  bool operator==(const HttpUrl&) const = default;
};

/// Up when every url passes. keepalived: HTTP_GET, SSL_GET.
struct HttpProbe {
  HttpVersion version = HttpVersion::http_1_0;
  std::vector<HttpUrl> urls{};
  bool operator==(const HttpProbe&) const = default;
};

using Dialogue = std::variant<TcpProbe, HttpProbe>;

/// One probe as the network sees it. Equal probes with equal pace are run once, whoever asks for
/// them.
struct ProbeSettings {
  /// connect_ip and connect_port.
  core::Endpoint target{};
  /// bindto: source address.
  std::optional<core::IpAddress> bind_address{};
  /// Source port; 0 is the kernel's choice.
  std::uint16_t bind_port = 0;
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
  bool operator==(const CheckSettings&) const = default;
};

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
  /// Up iff all are up; none: always up.
  std::vector<CheckSettings> checks{};
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
  core::Rare<Script> quorum_up;
  core::Rare<Script> quorum_down;
  /// Endpoints are unique.
  std::vector<ServerSettings> servers;
  bool operator==(const ServiceSettings&) const = default;
};

struct Settings {
  /// No key is in two of them.
  std::vector<ServiceSettings> services;
  core::Scheduling scheduling = {};
  bool operator==(const Settings&) const = default;
};

}  // namespace holdfast::checkers
