// virtual_server: its words, what each reads and writes. What several words decide together is in
// builders/service.cpp.
#include "config/builders/service.hpp"

#include "config/words/notices.hpp"

#include <fmt/format.h>

namespace holdfast::config {
using namespace rows;
namespace {

constexpr std::int64_t kLargestWeight = 2'147'483'647;

// keepalived leaves out a name that it does not know, which gives wlc; the kernel would take no
// service with it.
void read_scheduler(VirtualServer& service, const Args& args) {
  const std::string padded = fmt::format(" {} ", kSchedulers);
  if (padded.find(fmt::format(" {} ", args.value(0).text)) != std::string::npos) {
    service.scheduler = args.text(0);
    return;
  }
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format("'{}' is not a scheduler of the Linux kernel: wlc is used, as keepalived does",
                  args.value(0).text),
      fmt::format("known are {}", kSchedulers));
}

void read_forwarding_of_all(VirtualServer& service, const Args& args) {
  ForwardingDraft forwarding = read_forwarding(args);
  service.forwarding = forwarding.method;
  service.tunnel = std::move(forwarding.tunnel);
}
void write_forwarding(const VirtualServer& service, Writer& out) {
  if (service.forwarding != ForwardingMethod::nat || out.detail() == Detail::all)
    out.statement("lb_kind", forwarding_words(service.forwarding, service.tunnel));
}

void read_protocol(ServiceDraft& draft, const Args& args) {
  draft.has_protocol = true;
  draft.protocol = args.as<Protocol>(0);
}
void write_protocol(const VirtualServer& service, Writer& out) {
  if (service.fwmark == 0) out.statement("protocol", {to_string(service.protocol)});
}

void read_family(ServiceDraft& draft, const Args& args) {
  draft.family = args.number(0) == 0 ? core::Family::v4 : core::Family::v6;
}
// A written prefix length of 128 would imply IPv6, but it is the default and left out.
void write_family(const VirtualServer& service, Writer& out) {
  const bool by_address = service.fwmark == 0 && service.group.empty();
  if (!by_address && (out.detail() == Detail::all || !service.address.is_v4() ||
                      implied_family(service) != core::Family::v4))
    out.statement("ip_family", {service.address.is_v4() ? "inet" : "inet6"});
}

void read_persistence(VirtualServer& service, const Args& args) {
  service.persistence_timeout =
      args.has(0) ? core::Duration(std::chrono::seconds(args.number(0))) : kDefaultPersistence;
}
void write_persistence(const VirtualServer& service, Writer& out) {
  out.seconds("persistence_timeout", service.persistence_timeout, core::Duration(0));
}

void read_granularity(ServiceDraft& draft, const Args& args) {
  draft.persistence_prefix = args.as<std::uint8_t>(0);
  draft.netmask_is_dotted = args.value(0).text.find('.') != std::string_view::npos;
  draft.granularity = args.value(0).range;
}
std::string netmask_text(std::uint8_t length) {
  const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
  return core::IpAddress::v4(
             {static_cast<std::uint8_t>(mask >> 24), static_cast<std::uint8_t>(mask >> 16 & 0xFF),
              static_cast<std::uint8_t>(mask >> 8 & 0xFF), static_cast<std::uint8_t>(mask & 0xFF)})
      .to_string();
}
// A granularity would switch persistence on.
void write_granularity(const VirtualServer& service, Writer& out) {
  const bool is_full = service.persistence_prefix == service.address.max_prefix_length();
  if (service.persistence_timeout.count() == 0 || (is_full && out.detail() != Detail::all)) return;
  out.statement("persistence_granularity",
                {service.address.is_v4() ? netmask_text(service.persistence_prefix)
                                         : fmt::format("{}", service.persistence_prefix)});
}

void read_default_weight(ServiceDraft& draft, const Args& args) {
  draft.weight = read_weight(args);
}
void read_inhibit(ServiceDraft& draft, const Args& args) {
  draft.inhibit_on_failure = args.flag();
}
void add_server(ServiceDraft& draft, const Args& args) {
  draft.servers.push_back(&args.statement());
}

void read_sorry_server(VirtualServer& service, const Args& args) {
  SorryServer sorry;
  sorry.address = args.value(0).address;
  sorry.port = args.has(1) ? args.as<std::uint16_t>(1) : service.port;
  sorry.location = args.location();
  service.sorry_server = sorry;
}
void write_sorry_server(const VirtualServer& service, Writer& out) {
  if (const Rare<SorryServer>& sorry = service.sorry_server)
    out.statement("sorry_server", {sorry->address.to_string(), fmt::format("{}", sorry->port)});
}
void read_sorry_inhibit(ServiceDraft& draft, const Args&) {
  draft.sorry_inhibit = true;
}
void write_sorry_inhibit(const VirtualServer& service, Writer& out) {
  out.flag("sorry_server_inhibit", service.sorry_server && service.sorry_server->inhibit);
}
void read_sorry_forwarding(ServiceDraft& draft, const Args& args) {
  draft.sorry_forwarding = read_forwarding(args);
}
void write_sorry_forwarding(const VirtualServer& service, Writer& out) {
  if (!service.sorry_server) return;
  const SorryServer& sorry = *service.sorry_server;
  const bool own = sorry.forwarding != service.forwarding || sorry.tunnel != service.tunnel;
  if (own || out.detail() == Detail::all)
    out.statement("sorry_server_lvs_method", forwarding_words(sorry.forwarding, sorry.tunnel));
}

// keepalived: mail for servers is on as soon as mail is set up, for services it is not.
void inherit_mail(VirtualServer& service, const Globals& globals) {
  service.smtp_alert = globals.smtp_alert_checker.value_or(globals.smtp_alert.value_or(false));
}

// "sh" of sh-port: the scheduler that a flag belongs to; empty: any.
std::string_view scheduler_of(const Keyword& row) {
  return row.name.starts_with("flag") ? std::string_view() : row.name.substr(0, 2);
}
template <std::uint8_t kBit>
void read_flag(ServiceDraft& draft, const Args& args) {
  draft.flags.push_back({kBit, scheduler_of(args.row()), args.row().name, args.statement().range});
}
// By the name that the scheduler gives it, where it has one.
template <std::uint8_t kBit>
void write_flag(const void* object, const void*, const Keyword& row, Writer& out) {
  const auto& service = *static_cast<const VirtualServer*>(object);
  const bool has_names = service.scheduler == "sh" || service.scheduler == "mh";
  const bool named = has_names && kBit != kSchedulerFlag3;
  const bool is_row = scheduler_of(row) == (named ? std::string_view(service.scheduler) : "");
  out.flag(row.name, is_row && (service.scheduler_flags & kBit) != 0);
}
template <std::uint8_t kBit>
inline constexpr rows::Bound kFlag{reads<read_flag<kBit>>.read, write_flag<kBit>};

constexpr Keyword kVirtualServer[] = {
    word("delay_loop", positive_pace(), fallback("60"),
         kDefault<ServiceDraft, &CheckDefaults::delay_loop>,
         doc("time between two probes, seconds")),
    word("retry", integer(0, kManyTries), fallback("1"),
         kDefault<ServiceDraft, &CheckDefaults::retry>,
         doc("further tries before a server is called down")),
    word("delay_before_retry", pace(), fallback("1; HTTP_GET 3"),
         kDefault<ServiceDraft, &CheckDefaults::delay_before_retry>,
         doc("time between such tries, seconds")),
    word("warmup", pace(), fallback("delay_loop"), kDefault<ServiceDraft, &CheckDefaults::warmup>,
         doc("the first probe happens within this random time, seconds; 0 at once")),
    word("connect_timeout", positive_pace(), fallback("5"),
         kDefault<ServiceDraft, &CheckDefaults::connect_timeout>,
         doc("time for one probe, seconds")),
    word("lb_algo", of(ArgType::scheduler), fallback("wlc"), value<&VirtualServer::scheduler>,
         reads<read_scheduler>, doc("scheduler: rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf")),
    word("lvs_sched", of(ArgType::scheduler), alias_of("lb_algo")),
    word("lb_kind", choice("NAT DR TUN"), options(Block::tunnel_line), fallback("NAT"),
         reads<read_forwarding_of_all>, writes<write_forwarding>,
         doc("how packets reach a real server: NAT, DR or TUN")),
    word("lvs_method", choice("NAT DR TUN"), options(Block::tunnel_line), alias_of("lb_kind")),
    word("protocol", Arg{.type = ArgType::choice_any_case, .words = "TCP UDP SCTP"},
         fallback("UDP"), reads<read_protocol>, writes<write_protocol>,
         doc("TCP, UDP or SCTP; say it always")),
    word("nat_mask", of(ArgType::netmask),
         not_yet("accepted, without effect: 'nat_mask' (keepalived dropped it in 2015; it can be "
                 "removed)"),
         value<&VirtualServer::nat_mask>, doc("left over from old tutorials")),
    word("persistence_timeout", optional(integer(0, kWeek31)), fallback("0, not persistent"),
         reads<read_persistence>, writes<write_persistence>,
         doc("a client stays with its server for this long, seconds; 360 without a number")),
    word("persistence_granularity", of(ArgType::netmask), fallback("255.255.255.255"),
         reads<read_granularity>, writes<write_granularity>,
         doc("clients that are equal under this mask share a server")),
    word("ops", value<&VirtualServer::one_packet_scheduling>,
         doc("every UDP packet is scheduled by itself")),
    word("ha_suspend", value<&VirtualServer::ha_suspend>,
         doc("probe only while the virtual address is on this host")),
    word("smtp_alert", boolean(), fallback("false"), value<&VirtualServer::smtp_alert>,
         inherits_by<inherit_mail>, doc("mail when quorum is won or lost")),
    word("virtualhost", text("host"), value<&VirtualServer::virtualhost>,
         doc("Host header of HTTP checkers that name none")),
    word("alpha", boolean(), fallback("false"), value<&VirtualServer::alpha>,
         doc("servers are not used before their first success")),
    word("omega", boolean(), fallback("false"), value<&VirtualServer::omega>,
         doc("run notify_down and quorum_down at an orderly stop")),
    word("quorum", integer(1, kLargestWeight), fallback("1"), value<&VirtualServer::quorum>,
         doc("sum of weights needed to serve")),
    word("hysteresis", integer(0, kLargestWeight), fallback("0"), value<&VirtualServer::hysteresis>,
         doc("quorum is won at quorum + hysteresis, lost below quorum - hysteresis")),
    word("quorum_up", command(), value<&VirtualServer::quorum_up>, doc("run when quorum is won")),
    word("quorum_down", command(), value<&VirtualServer::quorum_down>,
         doc("run when quorum is lost")),
    word("weight", integer(0, kLargestWeight), fallback("1"), reads<read_default_weight>,
         doc("weight of servers that name none")),
    word("inhibit_on_failure", boolean(), fallback("false"), reads<read_inhibit>,
         doc("failed servers get weight 0 instead of leaving the table")),
    word("sorry_server", of(ArgType::ip), optional(integer(0, 65535)), reads<read_sorry_server>,
         writes<write_sorry_server>, doc("serves while quorum is lost")),
    word("sorry_server_inhibit", reads<read_sorry_inhibit>, writes<write_sorry_inhibit>,
         doc("the sorry server stays in the table with weight 0")),
    word("sorry_server_lvs_method", choice("NAT DR TUN"), options(Block::tunnel_line),
         fallback("lb_kind"), reads<read_sorry_forwarding>, writes<write_sorry_forwarding>,
         doc("how packets reach the sorry server")),
    word("real_server", of(ArgType::ip), optional(integer(0, 65535)), opens(Block::real_server),
         kRepeatable, reads<add_server>, doc("one server of the pool")),
    word("ip_family", choice("inet inet6"), fallback("that of the servers"), reads<read_family>,
         writes<write_family>, doc("family of a service by firewall mark")),
    word("hashed",
         not_yet("accepted, without effect: 'hashed' (the kernel sets this flag by itself)"),
         value<&VirtualServer::hashed>, doc("left over: the kernel sets this flag by itself")),
    word("flag-1", kFlag<kSchedulerFlag1>, doc("flag 1 of the scheduler")),
    word("flag-2", kFlag<kSchedulerFlag2>, doc("flag 2 of the scheduler")),
    word("flag-3", kFlag<kSchedulerFlag3>, doc("flag 3 of the scheduler")),
    word("sh-port", kFlag<kSchedulerFlag2>, doc("scheduler sh: the client's port decides as well")),
    word("sh-fallback", kFlag<kSchedulerFlag1>,
         doc("scheduler sh: another server when the chosen one is down")),
    word("mh-port", kFlag<kSchedulerFlag2>, doc("scheduler mh: the client's port decides as well")),
    word("mh-fallback", kFlag<kSchedulerFlag1>,
         doc("scheduler mh: another server when the chosen one is down")),
    word("persistence_engine", choice("sip"), fallback("the client's address"),
         value<&VirtualServer::persistence_engine>,
         doc("what makes packets one client's: sip is the call identifier")),
    word("snmp_name", text("name"), not_yet(kNoSnmpName), value<&VirtualServer::snmp_name>,
         doc("name of the service for SNMP")),
    word("real_group", text("name"),
         not_kept("accepted, without effect: 'real_group' (never completed, dropped in 2003)"),
         doc("left over from keepalived 1.0")),
    word("lb_flags", repeated(text("flag")),
         not_kept("accepted, without effect: 'lb_flags' (write sh-port, sh-fallback, mh-port or "
                  "mh-fallback)"),
         doc("left over from keepalived 1.2")),
};

// What its rows have from global_defs.
VirtualServer standard_service(const Globals& globals) {
  return inherited<VirtualServer>(Block::virtual_server, globals);
}

std::vector<std::string> name_words(const VirtualServer& service) {
  if (service.fwmark != 0) return {"fwmark", fmt::format("{}", service.fwmark)};
  if (!service.group.empty()) return {"group", service.group};
  return {service.address.to_string(), fmt::format("{}", service.port)};
}

}  // namespace

std::span<const Keyword> rows::virtual_server() {
  return kVirtualServer;
}

Node document_of(const VirtualServer& service, const Globals& globals, Detail detail) {
  Node made = node(Block::root, "virtual_server", name_words(service));
  Writer writer = body_of(made, detail);
  const CheckDefaults common = common_values(service, detail);
  write_common_values(writer, common);
  write_words(Block::virtual_server, service, standard_service(globals), writer);
  for (const RealServer& server : service.real_servers)
    made.body.push_back(server_node(server, service, globals, detail, common));
  return made;
}
}  // namespace holdfast::config
