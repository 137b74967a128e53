// real_server and the options of tunnels: their words, what each reads and writes; and how a server
// is made of them.
#include "config/builders/service.hpp"
#include "config/words/notices.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestWeight = 2'147'483'647;

struct ServerDraft : RealServer {
  using Object = RealServer;

  CheckDefaults defaults;
  std::vector<const Statement*> statements;  // its checkers; built when its own words are known
};

struct TunnelDraft : Tunnel {
  using Object = Tunnel;

  TextRange port_at;
  TextRange checksum_at;
};

void read_port(TunnelDraft& draft, const Args& args) {
  draft.port = args.as<std::uint16_t>(0);
  draft.port_at = args.statement().range;
}
template <Tunnel::Checksum kIs>
void read_checksum(TunnelDraft& draft, const Args& args) {
  draft.checksum = kIs;
  if (kIs != Tunnel::Checksum::none) draft.checksum_at = args.statement().range;
}
template <Tunnel::Checksum kIs>
void write_checksum(const void* object, const void*, const Keyword& row, Writer& out) {
  const auto& tunnel = *static_cast<const Tunnel*>(object);
  out.flag(row.name, kIs != Tunnel::Checksum::none && tunnel.checksum == kIs);
}
template <Tunnel::Checksum kIs>
inline constexpr rows::Bound kChecksum{reads<read_checksum<kIs>>.read, write_checksum<kIs>};

// What the kernel takes together. net/netfilter/ipvs: ip_vs_add_dest.
void finish_tunnel(TunnelDraft& draft, const Args& args) {
  Reporter& reporter = args.context().reporter;
  Tunnel& tunnel = draft;
  if (tunnel.type == Tunnel::Type::gue && tunnel.port == 0) {
    reporter.error(args.value(0).range, "a gue tunnel needs a port",
                   "write the UDP port at which the servers unwrap: 'TUN type gue port 6080'");
  }
  if (tunnel.type != Tunnel::Type::gue && tunnel.port != 0) {
    reporter.warning(draft.port_at, "only a gue tunnel has a port: it is ignored");
    tunnel.port = 0;
  }
  const bool no_offload =
      tunnel.type == Tunnel::Type::gre && tunnel.checksum == Tunnel::Checksum::remcsum;
  const bool no_checksum =
      tunnel.type == Tunnel::Type::ipip && tunnel.checksum != Tunnel::Checksum::none;
  if (no_offload || no_checksum) {
    reporter.warning(draft.checksum_at, no_offload
                                            ? "a gre tunnel has no 'remcsum': it is ignored"
                                            : "an ipip tunnel has no checksum: it is ignored");
    tunnel.checksum = Tunnel::Checksum::none;
  }
}

void add_check(ServerDraft& draft, const Args& args) {
  draft.statements.push_back(&args.statement());
}

void read_own_weight(RealServer& server, const Args& args) {
  server.weight = read_weight(args);
}

void read_own_forwarding(RealServer& server, const Args& args) {
  ForwardingDraft forwarding = read_forwarding(args);
  server.forwarding = forwarding.method;
  server.tunnel = std::move(forwarding.tunnel);
}
void write_own_forwarding(const RealServer& server, const RealServer& standard, Writer& out) {
  const bool own = server.forwarding != standard.forwarding || server.tunnel != standard.tunnel;
  if (own || out.detail() == Detail::all)
    out.statement("lvs_method", forwarding_words(server.forwarding, server.tunnel));
}

// keepalived: mail for servers is on as soon as mail is set up.
void inherit_mail(RealServer& server, const Globals& globals) {
  server.smtp_alert = globals.smtp_alert_checker.value_or(
      globals.smtp_alert.value_or(!globals.smtp_server.empty()));
}

constexpr Keyword kTunnel[] = {
    word("type", choice("ipip gue gre"), fallback("ipip"), value<&Tunnel::type>,
         doc("how packets are wrapped")),
    word("port", integer(1, 65535), value<&Tunnel::port>, reads<read_port>,
         doc("UDP port of a gue tunnel; required there")),
    word("nocsum", kChecksum<Tunnel::Checksum::none>, doc("no checksum in the tunnel's header")),
    word("csum", kChecksum<Tunnel::Checksum::csum>,
         doc("checksum in the header of a gue or gre tunnel")),
    word("remcsum", kChecksum<Tunnel::Checksum::remcsum>, doc("remote checksum offload, gue only")),
};

constexpr Keyword kRealServer[] = {
    word("weight", integer(0, kLargestWeight), fallback("1"), value<&RealServer::weight>,
         reads<read_own_weight>, doc("share of the connections; 0 takes no new ones")),
    word("lvs_method", choice("NAT DR TUN"), options(Block::tunnel_line), fallback("lb_kind"),
         reads<read_own_forwarding>, writes_against<write_own_forwarding>,
         doc("how packets reach this server")),
    word("uthreshold", integer(0, kLargestWeight), fallback("0"),
         value<&RealServer::upper_threshold>, doc("no new connections above this many")),
    word("lthreshold", integer(0, kLargestWeight), fallback("0"),
         value<&RealServer::lower_threshold>, doc("new connections again below this many")),
    word("inhibit_on_failure", boolean(), fallback("the service's"),
         value<&RealServer::inhibit_on_failure>,
         doc("failed: weight 0 instead of leaving the table")),
    word("alpha", boolean(), fallback("the service's"), value<&RealServer::alpha>,
         doc("not used before its first success")),
    word("notify_up", command(), value<&RealServer::notify_up>,
         doc("run when the server comes up")),
    word("notify_down", command(), value<&RealServer::notify_down>,
         doc("run when the server goes down")),
    word("smtp_alert", boolean(), fallback("true"), value<&RealServer::smtp_alert>,
         inherits_by<inherit_mail>, doc("mail when the server comes up or goes down")),
    word("delay_loop", positive_pace(), fallback("the service's"),
         kDefault<ServerDraft, &CheckDefaults::delay_loop>,
         doc("time between two probes, seconds")),
    word("retry", integer(0, kManyTries), fallback("the service's"),
         kDefault<ServerDraft, &CheckDefaults::retry>,
         doc("further tries before the server is called down")),
    word("delay_before_retry", pace(), fallback("the service's"),
         kDefault<ServerDraft, &CheckDefaults::delay_before_retry>,
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("the service's"), kDefault<ServerDraft, &CheckDefaults::warmup>,
         doc("the first probe happens within this random time, seconds")),
    word("connect_timeout", positive_pace(), fallback("the service's"),
         kDefault<ServerDraft, &CheckDefaults::connect_timeout>,
         doc("time for one probe, seconds")),
    word("virtualhost", text("host"), fallback("the service's"), value<&RealServer::virtualhost>,
         doc("Host header of HTTP checkers that name none")),
    word("TCP_CHECK", opens(Block::tcp_check), kRepeatable, reads<add_check>,
         doc("up when a TCP connection is accepted")),
    word("HTTP_GET", opens(Block::http_get), kRepeatable, reads<add_check>,
         doc("up when every url answers as expected")),
    word("SSL_GET", opens(Block::ssl_get), kRepeatable, reads<add_check>,
         doc("up when every url answers as expected, over TLS")),
    word("SMTP_CHECK", opens(Block::smtp_check), kRepeatable, reads<add_check>,
         doc("up when a mail server greets and takes HELO")),
    word("DNS_CHECK", opens(Block::dns_check), kRepeatable, reads<add_check>,
         doc("up when a DNS question is answered")),
    word("MISC_CHECK", opens(Block::misc_check), kRepeatable, reads<add_check>,
         doc("up when a command exits with 0")),
    word("UDP_CHECK", opens(Block::udp_check), kRepeatable, reads<add_check>,
         doc("up unless a datagram is refused, or when it is answered")),
    word("PING_CHECK", opens(Block::ping_check), kRepeatable, reads<add_check>,
         doc("up when ICMP echo is answered")),
    word("BFD_CHECK", opens(Block::bfd_check),
         not_yet(
             "Holdfast does not do BFD_CHECK yet: without another checker the server stays as the "
             "table has it"),
         kRepeatable, reads<add_check>, doc("up while a BFD session is")),
    word("FILE_CHECK", opens(Block::file_check), kRepeatable, reads<add_check>,
         doc("the number in a file is added to the weight")),
    word("snmp_name", text("name"), not_yet(kNoSnmpName), value<&RealServer::snmp_name>,
         doc("name of the server for SNMP")),
    word("lvs_weight", integer(0, kLargestWeight),
         not_kept("accepted, without effect: 'lvs_weight' (write 'weight')"),
         doc("left over from keepalived 2.0")),
    word("quorum_weight", integer(0, kLargestWeight),
         not_kept("accepted, without effect: 'quorum_weight' (the quorum goes by 'weight')"),
         doc("left over from keepalived 2.0")),
    word("CI-LINUX", opens(Block::tcp_check),
         not_kept("accepted, without effect: 'CI-LINUX' (dropped in 2004): without another checker "
                  "the server counts as always up"),
         kRepeatable, doc("left over: a checker that keepalived dropped in 2004")),
};

// A server as it is when its block says nothing.
RealServer standard_server(const VirtualServer& service, const Globals& globals) {
  auto server = inherited<RealServer>(Block::real_server, globals);
  server.forwarding = service.forwarding;
  server.tunnel = service.tunnel;
  server.alpha = service.alpha;
  return server;
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
  ServerDraft draft{standard_server(service, context.model.globals), {}, {}};
  draft.address = args.value(0).address;
  draft.port = args.has(1) ? args.as<std::uint16_t>(1) : service.port;
  draft.location = args.location();
  draft.weight = service.weight;
  draft.inhibit_on_failure = service.inhibit_on_failure;
  read_body(args, draft);
  check_thresholds(draft, args.statement(), context.reporter);
  if (args.has(1))
    force_port(service, draft.forwarding, draft.port, args.value(1).range, context.reporter);
  draft.defaults.virtualhost = draft.virtualhost;
  const CheckDefaults defaults = merge(draft.defaults, service.defaults);
  draft.checks.reserve(draft.statements.size());
  for (const Statement* check : draft.statements) build_check(context, *check, defaults, draft);
  service.real_servers.push_back(std::move(draft));
}

}  // namespace

std::span<const Table> rows::servers() {
  static constexpr Table kTables[] = {{Block::real_server, kRealServer},
                                      {Block::tunnel_line, kTunnel}};
  return kTables;
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
  if (!read_line(args.context(), Block::tunnel_line, words, draft)) return made;
  finish_tunnel(draft, args);
  const Tunnel& tunnel = draft;
  if (tunnel != Tunnel{}) made.tunnel = tunnel;
  return made;
}

std::vector<std::string> forwarding_words(ForwardingMethod method, const Rare<Tunnel>& tunnel) {
  std::vector<std::string> words{to_string(method)};
  if (!tunnel) return words;
  const Tunnel standard;
  const std::vector<std::string> options = words_of_line(Block::tunnel_line, &*tunnel, &standard);
  words.insert(words.end(), options.begin(), options.end());
  return words;
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
  const VirtualServer& service = draft;
  if (forwarding == ForwardingMethod::nat || !draft.by_address() || port == service.port) return;
  reporter.warning(at,
                   fmt::format("with {} the packets keep their port: {} is used instead of {}",
                               to_string(forwarding), service.port, port),
                   fmt::format("write {}, or use 'lb_kind NAT'", service.port));
  port = service.port;
}
void build_servers(ServiceDraft& draft, BuildContext& context) {
  const Schema& schema = Schema::instance();
  Values values;
  draft.real_servers.reserve(draft.servers.size());
  for (const Statement* statement : draft.servers) {
    // Decoded before, without an error.
    if (!decode_args(schema[statement->keyword], *statement, context.tree.args(*statement),
                     context.reporter, values))
      continue;
    build_server(draft, Args(context, *statement, values));
  }
}

Node server_node(const RealServer& server, const VirtualServer& service, const Globals& globals,
                 Detail detail, const CheckDefaults& common) {
  Node made = node(Block::virtual_server, "real_server",
                   {server.address.to_string(), fmt::format("{}", server.port)});
  Writer writer = body_of(made, detail);
  write_words(Block::real_server, server, standard_server(service, globals), writer);
  const std::string& host = server.virtualhost.empty() ? service.virtualhost : server.virtualhost;
  for (const Check& check : server.checks)
    write_check(writer, check, {server, globals, common, host});
  return made;
}

Node document_of(const RealServer& server, const VirtualServer& service, const Globals& globals,
                 Detail detail) {
  return server_node(server, service, globals, detail, common_values(service, detail));
}

}  // namespace holdfast::config
