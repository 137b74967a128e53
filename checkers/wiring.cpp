#include "checkers/wiring.hpp"

#include "checkers/core/dns.hpp"
#include "checkers/core/tls.hpp"
#include "config/accounts.hpp"
#include "config/group_members.hpp"
#include "config/pattern_text.hpp"
#include "config/tls_identity.hpp"
#include "config/tracked_file.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <sha2.h>

namespace holdfast::checkers {

namespace {

class Translator {
 public:
  explicit Translator(const config::Model& model);

  [[nodiscard]] Settings settings();

 private:
  [[nodiscard]] ServiceSettings service(const config::VirtualServer& from);
  [[nodiscard]] ServerSettings server(const config::RealServer& from);
  // One for each kind: what is not here does not compile. nullopt: this version cannot run it.
  using Check = std::optional<CheckSettings>;
  [[nodiscard]] Check check(const config::TcpCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::HttpCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::SmtpCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::DnsCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::MiscCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::UdpCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::PingCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::BfdCheck& from, bool server_is_alpha) const;
  [[nodiscard]] Check check(const config::FileCheck& from, bool server_is_alpha) const;
  void add_files(Settings& settings) const;
  [[nodiscard]] core::Rare<Script> script(const config::Rare<config::Script>& from,
                                          std::string_view word) const;

  const config::Model& model_;
  std::optional<core::Shared<TlsShown>> shown_;  // by every SSL_GET
};

std::string digest_of(const std::string& text) {
  std::string digits(SHA256_DIGEST_STRING_LENGTH, '\0');
  ::SHA256Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digits.data());
  digits.pop_back();  // the byte that ends it
  return digits;
}

/// They tell one identity from another, in every probe: a whole file would be there as often.
tls::Identity digests_of(const tls::Identity& texts) {
  return {digest_of(texts.certificate), digest_of(texts.key), texts.password,
          digest_of(texts.authorities)};
}

/// nullopt: there is no SSL block, and nothing is shown.
std::optional<core::Shared<TlsShown>> shown_of(const config::TlsIdentity& written) {
  if (written == config::TlsIdentity{}) return std::nullopt;
  TlsShown shown;
  // Where they cannot be read their paths stand for them: other files are another identity.
  shown.identity = {written.certificate, written.key, written.password, written.ca};
  const auto texts = config::texts_of(written);
  if (texts) shown.identity = digests_of(*texts);
  if (auto context = config::context_of(written, texts); context)
    shown.context = std::move(*context);
  else
    shown.problem = context.error().message;
  return core::Shared<TlsShown>(std::move(shown));
}

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

CheckSettings check_with(const config::ConnectOptions& from, Dialogue dialogue,
                         bool server_is_alpha) {
  const config::Binding binding = from.binding ? *from.binding : config::Binding{};
  core::Rare<std::string> interface;
  if (!binding.bind_if.empty()) interface = binding.bind_if;
  return {.probe = {.target = {from.connect_ip, from.connect_port},
                    .bind_address = binding.bindto,
                    .bind_port = binding.bind_port,
                    .bind_interface = std::move(interface),
                    .mark = binding.fwmark,
                    .timeout = from.connect_timeout,
                    .dialogue = std::move(dialogue)},
          .pace = {.delay_loop = from.delay_loop,
                   .delay_before_retry = from.delay_before_retry,
                   .retry = from.retry,
                   .warmup = from.warmup},
          .alpha = from.alpha || server_is_alpha,
          .logs_all_failures = from.log_all_failures};
}

TlsSettings tls_of(const config::HttpCheck& from, const config::HttpUrl& url,
                   const std::optional<core::Shared<TlsShown>>& shown) {
  const bool in_order = url.tls_compliant.value_or(from.tls_compliant);
  return {.name = host_name(from.sni_name.empty() ? url.virtualhost : from.sni_name),
          .close = in_order ? TlsClose::in_order : TlsClose::as_it_likes,
          .shown = shown};
}

HttpProbe http_probe(const config::HttpCheck& from,
                     const std::optional<core::Shared<TlsShown>>& shown) {
  HttpProbe probe{http_version(from.http_protocol), {}};
  for (const config::HttpUrl& url : from.urls) {
    HttpUrl& to = probe.urls.emplace_back(HttpUrl{
        .path = url.path, .statuses = {}, .digest = url.digest, .virtualhost = url.virtualhost});
    if (from.tls) to.tls = tls_of(from, url, shown);
    if (url.pattern)
      to.pattern = ReplyPattern{.text = config::pattern_text(*url.pattern),
                                .no_match = url.pattern->no_match};
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

Place place_of(const config::VrrpInstance& instance, const config::VirtualAddress& address) {
  // The interface of a virtual MAC has a name of its own.
  const bool is_virtual = instance.vmac.has_value() || address.use_vmac;
  return {address.prefix.address, is_virtual                  ? std::string()
                                  : address.interface.empty() ? instance.interface
                                                              : address.interface};
}

void follow(SyncSettings& to, const config::VrrpInstance& instance) {
  to.instance = instance.name;
  for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded})
    for (const config::VirtualAddress& address : *list)
      to.follows.push_back(place_of(instance, address));
}

core::Rare<SyncSettings> sync_of(const config::Model& model) {
  const auto& from = model.globals.lvs_sync_daemon;
  SyncSettings to;
  if (!from) {
    for (const config::VrrpInstance& instance : model.instances) {
      if (instance.lvs_sync_daemon_interface.empty()) continue;
      to.daemon.interface = instance.lvs_sync_daemon_interface;
      follow(to, instance);
      return to;
    }
    return {};
  }
  to.daemon.interface = from->interface;
  to.daemon.id = from->id.value_or(0);
  to.daemon.max_length = from->max_length;
  if (from->port != 0) to.daemon.port = from->port;
  if (from->ttl != 0) to.daemon.ttl = from->ttl;
  if (from->group) to.daemon.group = *from->group;
  for (const config::VrrpInstance& instance : model.instances) {
    if (instance.name != from->instance) continue;
    if (!from->id) to.daemon.id = instance.virtual_router_id;
    follow(to, instance);
  }
  return to;
}

ipvs::Timeouts timeouts_of(const config::IpvsTimeouts& from) {
  const auto seconds = [](core::Duration time) {
    return static_cast<std::uint32_t>(time / std::chrono::seconds(1));
  };
  return {seconds(from.tcp), seconds(from.tcp_fin), seconds(from.udp)};
}

Translator::Translator(const config::Model& model) : model_(model), shown_(shown_of(model.tls)) {}

Settings Translator::settings() {
  Settings settings;
  settings.scheduling = model_.globals.checker_process;
  settings.sync = sync_of(model_);
  settings.timeouts = timeouts_of(model_.globals.lvs_timeouts);
  if (const auto& switches = model_.globals.lvs_sysctl)
    settings.switches = {switches->values, switches->restore_on_stop};
  settings.flush_at_start = model_.globals.lvs_flush;
  settings.flush_at_stop =
      model_.globals.lvs_flush_on_stop && !model_.globals.lvs_flush_on_stop_own;
  settings.pipes =
      !model_.globals.notify_fifo.path.empty() || !model_.globals.lvs_notify_fifo.path.empty();
  settings.services.reserve(model_.services.size());
  const config::Members members = config::members_of(model_);
  for (std::size_t i = 0; i < model_.services.size(); ++i) {
    if (members.of[i].empty()) continue;  // the reader has warned
    ServiceSettings& to = settings.services.emplace_back(service(model_.services[i]));
    for (const config::Member& one : members.of[i]) to.keys.push_back(key(one));
  }
  add_files(settings);
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
  to.ha_suspend = from.ha_suspend;
  to.quorum_up = script(from.quorum_up, "quorum_up");
  to.quorum_down = script(from.quorum_down, "quorum_down");
  to.mails = from.smtp_alert;
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
  to.mails = from.smtp_alert;
  for (const config::Check& one : from.checks) {
    auto made = std::visit([&](const auto& kind) { return check(kind, from.alpha); }, one);
    if (made) to.checks.push_back(std::move(*made));
  }
  to.is_held = to.checks.empty() && !from.checks.empty();  // the reader has warned
  return to;
}

Translator::Check Translator::check(const config::TcpCheck& from, bool server_is_alpha) const {
  return check_with(from.connect, TcpProbe{}, server_is_alpha);
}

Translator::Check Translator::check(const config::HttpCheck& from, bool server_is_alpha) const {
  return check_with(from.connect, http_probe(from, shown_), server_is_alpha);
}

Translator::Check Translator::check(const config::SmtpCheck& from, bool server_is_alpha) const {
  SmtpProbe probe{from.helo_name.empty() ? model_.globals.smtp_helo_name : from.helo_name};
  return check_with(from.connect, std::move(probe), server_is_alpha);
}

Translator::Check Translator::check(const config::DnsCheck& from, bool server_is_alpha) const {
  DnsProbe probe{.name = from.name};
  probe.type = dns_type(from.type).value_or(probe.type);  // the reader takes no other
  return check_with(from.connect, std::move(probe), server_is_alpha);
}

Translator::Check Translator::check(const config::MiscCheck& from, bool server_is_alpha) const {
  ScriptProbe probe{.command = config::command_of(*from.script, model_), .dynamic = from.dynamic};
  probe.command.what = kCheckCommand;
  probe.command.limit = from.timeout > core::Duration{} ? from.timeout : from.pace.delay_loop;
  return check_with(from.pace, std::move(probe), server_is_alpha);
}

Translator::Check Translator::check(const config::UdpCheck& from, bool server_is_alpha) const {
  UdpProbe probe{.payload = from.payload,
                 .reply_required = from.require_reply,
                 .pattern = from.reply_pattern,
                 .min_reply_length = from.min_reply_length,
                 .max_reply_length = from.max_reply_length};
  return check_with(from.connect, std::move(probe), server_is_alpha);
}

Translator::Check Translator::check(const config::PingCheck& from, bool server_is_alpha) const {
  return check_with(from.connect, PingProbe{}, server_is_alpha);
}

Translator::Check Translator::check(const config::BfdCheck&, bool) const {
  return std::nullopt;
}

Translator::Check Translator::check(const config::FileCheck& from, bool server_is_alpha) const {
  const auto file =
      std::ranges::find(model_.track_files, from.track_file, &config::TrackFile::name);
  if (file == model_.track_files.end()) return std::nullopt;  // the reader has said so
  FileProbe probe{.file = from.track_file, .weight = file->weight, .reverse = file->reverse};
  if (from.weight) {
    probe.weight = *from.weight;
    probe.reverse = from.reverse;
  }
  // It is asked when its number changes, and once a minute all the same.
  return CheckSettings{.probe = {.dialogue = std::move(probe)},
                       .pace = {.retry = 0, .warmup = core::Duration{}},
                       .alpha = server_is_alpha};
}

void Translator::add_files(Settings& settings) const {
  std::set<std::string> names;
  for (const ServiceSettings& service : settings.services)
    for (const ServerSettings& server : service.servers)
      for (const CheckSettings& check : server.checks)
        if (const auto* file = std::get_if<FileProbe>(&check.probe.dialogue))
          names.insert(file->file);
  for (const config::TrackFile& file : model_.track_files)
    if (names.contains(file.name)) settings.files.push_back(config::tracked_file_of(file));
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
