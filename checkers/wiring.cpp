#include "checkers/wiring.hpp"

#include "config/accounts.hpp"
#include "config/group_members.hpp"
#include "config/started.hpp"

#include <array>

namespace holdfast::checkers {

namespace {

class Translator {
 public:
  explicit Translator(const config::Model& model) : model_(model) {}

  [[nodiscard]] Settings settings();

 private:
  [[nodiscard]] ServiceSettings service(const config::VirtualServer& from);
  [[nodiscard]] ServerSettings server(const config::RealServer& from);
  [[nodiscard]] core::Rare<Script> script(const config::Rare<config::Script>& from,
                                          std::string_view word) const;

  const config::Model& model_;
};

ipvs::Protocol protocol(config::Protocol from) {
  switch (from) {
    case config::Protocol::tcp:
      return ipvs::Protocol::tcp;
    case config::Protocol::udp:
      return ipvs::Protocol::udp;
    case config::Protocol::sctp:
      return ipvs::Protocol::sctp;
  }
  return ipvs::Protocol::tcp;
}

ipvs::Forwarding forwarding(config::ForwardingMethod from) {
  switch (from) {
    case config::ForwardingMethod::nat:
      return ipvs::Forwarding::masquerade;
    case config::ForwardingMethod::direct_route:
      return ipvs::Forwarding::direct_route;
    case config::ForwardingMethod::tunnel:
      return ipvs::Forwarding::tunnel;
  }
  return ipvs::Forwarding::masquerade;
}

ipvs::Tunnel tunnel(const config::Rare<config::Tunnel>& from) {
  if (!from) return {};
  constexpr std::array kTypes = {ipvs::TunnelType::ipip, ipvs::TunnelType::gue,
                                 ipvs::TunnelType::gre};
  constexpr std::array kChecksums = {ipvs::TunnelChecksum::none, ipvs::TunnelChecksum::checksum,
                                     ipvs::TunnelChecksum::remote_offload};
  return {.type = kTypes[static_cast<std::size_t>(from->type)],
          .port = from->port,
          .checksum = kChecksums[static_cast<std::size_t>(from->checksum)]};
}

ipvs::ServiceKey key(const config::Member& from) {
  if (from.fwmark != 0) return ipvs::MarkKey{from.fwmark, from.address.family()};
  return ipvs::AddressKey{protocol(from.protocol), {from.address, from.port}};
}

std::uint32_t flags(const config::VirtualServer& from) {
  std::uint32_t to = from.one_packet_scheduling ? ipvs::kOnePacket : 0;
  if ((from.scheduler_flags & config::kSchedulerFlag1) != 0) to |= ipvs::kSchedulerFlag1;
  if ((from.scheduler_flags & config::kSchedulerFlag2) != 0) to |= ipvs::kSchedulerFlag2;
  if ((from.scheduler_flags & config::kSchedulerFlag3) != 0) to |= ipvs::kSchedulerFlag3;
  return to;
}

HttpVersion http_version(config::HttpProtocol from) {
  switch (from) {
    case config::HttpProtocol::http_1_0:
      return HttpVersion::http_1_0;
    case config::HttpProtocol::http_1_0_close:
      return HttpVersion::http_1_0_close;
    case config::HttpProtocol::http_1_1:
      return HttpVersion::http_1_1;
  }
  return HttpVersion::http_1_0;
}

CheckSettings check(const config::ConnectOptions& from, Dialogue dialogue, bool server_is_alpha) {
  const config::Binding binding = from.binding ? *from.binding : config::Binding{};
  return {.probe = {.target = {from.connect_ip, from.connect_port},
                    .bind_address = binding.bindto,
                    .bind_port = binding.bind_port,
                    .timeout = from.connect_timeout,
                    .dialogue = std::move(dialogue)},
          .pace = {.delay_loop = from.delay_loop,
                   .delay_before_retry = from.delay_before_retry,
                   .retry = from.retry,
                   .warmup = from.warmup},
          .alpha = from.alpha || server_is_alpha};
}

Dialogue dialogue(const config::TcpCheck&) {
  return TcpProbe{};
}

/// Of a Host header: without its port. An address is no name (RFC 6066 §3).
std::string host_name(const std::string& host) {
  if (host.starts_with('[')) return {};
  const std::string name = host.substr(0, host.find(':'));
  return core::IpAddress::parse(host) || core::IpAddress::parse(name) ? std::string() : name;
}

TlsSettings tls(const config::HttpCheck& from, const config::HttpUrl& url) {
  const bool in_order = url.tls_compliant.value_or(from.tls_compliant);
  return {.name = host_name(from.sni_name.empty() ? url.virtualhost : from.sni_name),
          .close = in_order ? TlsClose::in_order : TlsClose::as_it_likes};
}

Dialogue dialogue(const config::HttpCheck& from) {
  HttpProbe probe{http_version(from.http_protocol), {}};
  for (const config::HttpUrl& url : from.urls) {
    HttpUrl& to = probe.urls.emplace_back(HttpUrl{url.path, {}, url.digest, url.virtualhost, {}});
    if (from.tls) to.tls = tls(from, url);
    for (const config::StatusRange& range : url.status_codes)
      to.statuses.push_back({range.first, range.last});
  }
  return probe;
}

std::optional<ipvs::Persistence> persistence(const config::VirtualServer& from) {
  if (from.persistence_timeout <= core::Duration{}) return std::nullopt;
  return ipvs::Persistence{
      std::chrono::duration_cast<std::chrono::seconds>(from.persistence_timeout),
      ipvs::netmask_of_prefix(from.address.family(), from.persistence_prefix)};
}

Settings Translator::settings() {
  Settings settings;
  settings.scheduling = model_.globals.checker_process;
  settings.services.reserve(model_.services.size());
  const config::Members members = config::members_of(model_);
  for (std::size_t i = 0; i < model_.services.size(); ++i) {
    if (members.of[i].empty()) continue;  // the reader has warned
    ServiceSettings& to = settings.services.emplace_back(service(model_.services[i]));
    for (const config::Member& one : members.of[i]) to.keys.push_back(key(one));
  }
  return settings;
}

ServiceSettings Translator::service(const config::VirtualServer& from) {
  ServiceSettings to;
  if (!from.group.empty()) to.group = config::name_of(from);
  to.settings.scheduler = from.scheduler;
  to.settings.flags = flags(from);
  to.settings.persistence = persistence(from);
  to.settings.persistence_engine = from.persistence_engine;
  to.quorum = from.quorum;
  to.hysteresis = from.hysteresis;
  to.omega = from.omega;
  to.quorum_up = script(from.quorum_up, "quorum_up");
  to.quorum_down = script(from.quorum_down, "quorum_down");
  if (from.sorry_server) {
    to.sorry_server = SorryServer{.endpoint = {from.sorry_server->address, from.sorry_server->port},
                                  .entry = {.forwarding = forwarding(from.sorry_server->forwarding),
                                            .weight = 1,
                                            .tunnel = tunnel(from.sorry_server->tunnel)},
                                  .inhibit = from.sorry_server->inhibit};
  }
  to.servers.reserve(from.real_servers.size());
  for (const config::RealServer& one : from.real_servers) to.servers.push_back(server(one));
  return to;
}

ServerSettings Translator::server(const config::RealServer& from) {
  ServerSettings to;
  to.endpoint = {from.address, from.port};
  to.entry = {.forwarding = forwarding(from.forwarding),
              .weight = from.weight,
              .upper_threshold = from.upper_threshold,
              .lower_threshold = from.lower_threshold,
              .tunnel = tunnel(from.tunnel)};
  to.inhibit_on_failure = from.inhibit_on_failure;
  to.notify_up = script(from.notify_up, "notify_up");
  to.notify_down = script(from.notify_down, "notify_down");
  for (const config::Check& one : from.checks) {
    if (!config::why_not_started(one).empty()) continue;  // the reader has warned
    if (const auto* tcp = std::get_if<config::TcpCheck>(&one))
      to.checks.push_back(check(tcp->connect, dialogue(*tcp), from.alpha));
    if (const auto* http = std::get_if<config::HttpCheck>(&one))
      to.checks.push_back(check(http->connect, dialogue(*http), from.alpha));
  }
  return to;
}

core::Rare<Script> Translator::script(const config::Rare<config::Script>& from,
                                      std::string_view word) const {
  if (!from) return {};
  Script to = config::command_of(*from, model_);
  to.what = word;
  return to;
}

}  // namespace

Settings wiring_of(const config::Model& model) {
  return Translator(model).settings();
}

}  // namespace holdfast::checkers
