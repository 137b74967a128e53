// real_server → RealServer, and the forwarding methods.
#include "config/builders/service.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

struct ServerDraft : WithDefaults {
  RealServer server;
  std::vector<const Statement*> checks;  // built when all of the server's own words are known
};

struct TunnelDraft {
  Tunnel tunnel;
  TextRange port;
  TextRange checksum;
};

const Setters<TunnelDraft>& tunnel_setters() {
  static const Setters<TunnelDraft> table(
      Block::tunnel_line,
      {{"type",
        [](TunnelDraft& d, const Args& a) {
          constexpr std::array kTypes = {Tunnel::Type::ipip, Tunnel::Type::gue, Tunnel::Type::gre};
          d.tunnel.type = kTypes[a.as<std::size_t>(0)];
        }},
       {"port",
        [](TunnelDraft& d, const Args& a) {
          d.tunnel.port = a.as<std::uint16_t>(0);
          d.port = a.statement().range;
        }},
       {"nocsum", [](TunnelDraft& d, const Args&) { d.tunnel.checksum = Tunnel::Checksum::none; }},
       {"csum",
        [](TunnelDraft& d, const Args& a) {
          d.tunnel.checksum = Tunnel::Checksum::csum;
          d.checksum = a.statement().range;
        }},
       {"remcsum", [](TunnelDraft& d, const Args& a) {
          d.tunnel.checksum = Tunnel::Checksum::remcsum;
          d.checksum = a.statement().range;
        }}});
  return table;
}

// What the kernel takes together. net/netfilter/ipvs: ip_vs_add_dest.
void finish_tunnel(TunnelDraft& draft, const Args& args) {
  Reporter& reporter = args.context().reporter;
  Tunnel& tunnel = draft.tunnel;
  if (tunnel.type == Tunnel::Type::gue && tunnel.port == 0) {
    reporter.error(args.value(0).range, "a gue tunnel needs a port",
                   "write the UDP port at which the servers unwrap: 'TUN type gue port 6080'");
  }
  if (tunnel.type != Tunnel::Type::gue && tunnel.port != 0) {
    reporter.warning(draft.port, "only a gue tunnel has a port: it is ignored");
    tunnel.port = 0;
  }
  const bool no_offload =
      tunnel.type == Tunnel::Type::gre && tunnel.checksum == Tunnel::Checksum::remcsum;
  const bool no_checksum =
      tunnel.type == Tunnel::Type::ipip && tunnel.checksum != Tunnel::Checksum::none;
  if (no_offload || no_checksum) {
    reporter.warning(draft.checksum, no_offload ? "a gre tunnel has no 'remcsum': it is ignored"
                                                : "an ipip tunnel has no checksum: it is ignored");
    tunnel.checksum = Tunnel::Checksum::none;
  }
}

void add_check(ServerDraft& draft, const Args& args) {
  draft.checks.push_back(&args.statement());
}

const Setters<ServerDraft>& server_setters() {
  static const Setters<ServerDraft> table = [] {
    using Row = Setters<ServerDraft>::Row;
    std::vector<Row> list = shared_setters<ServerDraft>();
    const std::initializer_list<Row> rows = {
        {"weight", [](ServerDraft& d, const Args& a) { d.server.weight = read_weight(a); }},
        {"lvs_method",
         [](ServerDraft& d, const Args& a) {
           ForwardingDraft forwarding = read_forwarding(a);
           d.server.forwarding = forwarding.method;
           d.server.tunnel = std::move(forwarding.tunnel);
         }},
        {"uthreshold",
         [](ServerDraft& d, const Args& a) { d.server.upper_threshold = a.as<std::uint32_t>(0); }},
        {"lthreshold",
         [](ServerDraft& d, const Args& a) { d.server.lower_threshold = a.as<std::uint32_t>(0); }},
        {"inhibit_on_failure",
         [](ServerDraft& d, const Args& a) { d.server.inhibit_on_failure = a.flag(); }},
        {"alpha", [](ServerDraft& d, const Args& a) { d.server.alpha = a.flag(); }},
        {"notify_up", [](ServerDraft& d, const Args& a) { d.server.notify_up = a.script(); }},
        {"notify_down", [](ServerDraft& d, const Args& a) { d.server.notify_down = a.script(); }},
        {"smtp_alert", [](ServerDraft& d, const Args& a) { d.server.smtp_alert = a.flag(); }},
        {"snmp_name", [](ServerDraft& d, const Args& a) { d.server.snmp_name = a.text(0); }}};
    list.insert(list.end(), rows.begin(), rows.end());
    for (const char* type : {"TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK",
                             "MISC_CHECK", "UDP_CHECK", "PING_CHECK", "BFD_CHECK", "FILE_CHECK"})
      list.emplace_back(type, add_check);
    return Setters<ServerDraft>(Block::real_server, list);
  }();
  return table;
}

CheckDefaults merge(const CheckDefaults& own, const CheckDefaults& inherited) {
  CheckDefaults merged = own;
  if (!merged.delay_loop) merged.delay_loop = inherited.delay_loop;
  if (!merged.delay_before_retry) merged.delay_before_retry = inherited.delay_before_retry;
  if (!merged.connect_timeout) merged.connect_timeout = inherited.connect_timeout;
  if (!merged.warmup) merged.warmup = inherited.warmup;
  if (!merged.retry) merged.retry = inherited.retry;
  if (merged.virtualhost.empty()) merged.virtualhost = inherited.virtualhost;
  return merged;
}

// ip_vs takes no server whose thresholds are the wrong way round. ip_vs_ctl.c: ip_vs_add_dest.
void check_thresholds(RealServer& server, const Statement& statement, Reporter& reporter) {
  if (server.lower_threshold <= server.upper_threshold) return;
  reporter.warning(statement.range,
                   fmt::format("'lthreshold' {} is above 'uthreshold' {}: it is ignored",
                               server.lower_threshold, server.upper_threshold));
  server.lower_threshold = 0;
}

void build_server(ServiceDraft& service, const Args& args) {
  BuildContext& context = args.context();
  ServerDraft draft;
  RealServer& server = draft.server;
  server.address = args.value(0).address;
  server.port = args.has(1) ? args.as<std::uint16_t>(1) : service.service.port;
  server.location = args.location();
  server.weight = service.weight;
  server.forwarding = service.service.forwarding;
  server.tunnel = service.service.tunnel;
  server.inhibit_on_failure = service.inhibit_on_failure;
  server.alpha = service.service.alpha;
  server.smtp_alert = servers_mail_by_default(context.model.globals);
  server_setters().apply(context, args.statement().first_child, draft);
  server.virtualhost = draft.defaults.virtualhost;
  check_thresholds(server, args.statement(), context.reporter);
  if (args.has(1)) {
    force_port(service, server.forwarding, server.port, args.value(1).range, context.reporter);
  }
  const CheckDefaults defaults = merge(draft.defaults, service.defaults);
  server.checks.reserve(draft.checks.size());
  for (const Statement* check : draft.checks) build_check(context, *check, defaults, server);
  service.service.real_servers.push_back(std::move(server));
}

}  // namespace

bool service_mails_by_default(const Globals& globals) {
  return globals.smtp_alert_checker.value_or(globals.smtp_alert.value_or(false));
}

bool servers_mail_by_default(const Globals& globals) {
  if (globals.smtp_alert_checker) return *globals.smtp_alert_checker;
  return globals.smtp_alert.value_or(!globals.smtp_server.empty());
}

ForwardingDraft read_forwarding(const Args& args) {
  constexpr std::array kMethods = {ForwardingMethod::nat, ForwardingMethod::direct_route,
                                   ForwardingMethod::tunnel};
  ForwardingDraft made{.method = kMethods[args.as<std::size_t>(0)], .tunnel = {}};
  if (!args.has(1)) return made;
  if (made.method != ForwardingMethod::tunnel) {
    args.context().reporter.warning(
        args.value(1).range,
        fmt::format("'{}' is ignored: only TUN has options", args.value(1).text), "remove it");
    return made;
  }
  TunnelDraft draft;
  const std::span<const Word> words = args.context().tree.args(args.statement()).subspan(1);
  if (!tunnel_setters().apply_line(args.context(), Block::tunnel_line, words, draft)) return made;
  finish_tunnel(draft, args);
  if (draft.tunnel != Tunnel{}) made.tunnel = draft.tunnel;
  return made;
}

std::uint32_t read_weight(const Args& args) {
  if (args.number(0) > kMaxWeight) {
    args.context().reporter.warning(
        args.value(0).range,
        fmt::format("weights above {} can overflow in the kernel's schedulers", kMaxWeight));
  }
  return args.as<std::uint32_t>(0);
}

// Direct routing and tunnels deliver the packet as it came: the port cannot change. ip_vs:
// ip_vs_dr_xmit, ip_vs_tunnel_xmit.
void force_port(const ServiceDraft& draft, ForwardingMethod forwarding, std::uint16_t& port,
                TextRange at, Reporter& reporter) {
  const VirtualServer& service = draft.service;
  if (forwarding == ForwardingMethod::nat || !draft.by_address() || port == service.port) return;
  reporter.warning(at,
                   fmt::format("with {} the packets keep their port: {} is used instead of {}",
                               to_string(forwarding), service.port, port),
                   fmt::format("write {}, or use 'lb_kind NAT'", service.port));
  port = service.port;
}

void build_servers(ServiceDraft& draft, BuildContext& context) {
  const Schema& schema = Schema::instance();
  std::vector<Value> values;
  draft.service.real_servers.reserve(draft.servers.size());
  for (const Statement* statement : draft.servers) {
    // Decoded before, without an error.
    if (!decode_args(schema[statement->keyword], *statement, context.tree.args(*statement),
                     context.reporter, values))
      continue;
    build_server(draft, Args(context, *statement, values));
  }
}

bool servers_know(KeywordId id) {
  return server_setters().knows(id) || tunnel_setters().knows(id);
}

}  // namespace holdfast::config
