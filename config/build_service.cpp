// virtual_server and real_server → VirtualServer.
#include "config/builder.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

// keepalived: what a bare "persistence_timeout", and a service of all ports, get.
constexpr core::Duration kDefaultPersistence = std::chrono::seconds(360);

// Both levels set the same words for their checkers.
struct WithDefaults {
  CheckDefaults defaults;
};

struct ServiceDraft : WithDefaults {
  VirtualServer service;
  std::uint32_t weight = 1;
  bool inhibit_on_failure = false;
  bool has_protocol = false;
  std::optional<ForwardingMethod> sorry_forwarding;
  bool sorry_inhibit = false;
  std::vector<const Statement*> servers;  // built when all of the service's own words are known
};

struct ServerDraft : WithDefaults {
  RealServer server;
  std::vector<const Statement*> checks;
};

ForwardingMethod forwarding_of(const Args& args) {
  constexpr std::array kMethods = {ForwardingMethod::nat, ForwardingMethod::direct_route,
                                   ForwardingMethod::tunnel};
  if (args.has(1)) {
    args.context().reporter.warn_once(
        args.value(1).range,
        "Holdfast does not set tunnel options yet: tunnels are plain IP-in-IP");
  }
  return kMethods[args.as<std::size_t>(0)];
}

template <class T>
std::vector<std::pair<std::string_view, typename Setters<T>::Apply>> shared_setters() {
  return {
      {"delay_loop", [](T& d, const Args& a) { d.defaults.delay_loop = a.duration(0); }},
      {"retry", [](T& d, const Args& a) { d.defaults.retry = a.template as<std::uint32_t>(0); }},
      {"delay_before_retry",
       [](T& d, const Args& a) { d.defaults.delay_before_retry = a.duration(0); }},
      {"warmup", [](T& d, const Args& a) { d.defaults.warmup = a.duration(0); }},
      {"connect_timeout", [](T& d, const Args& a) { d.defaults.connect_timeout = a.duration(0); }},
      {"virtualhost", [](T& d, const Args& a) { d.defaults.virtualhost = a.text(0); }}};
}

void set_scheduler(ServiceDraft& draft, const Args& args) {
  draft.service.scheduler = args.text(0);
  const std::string padded = fmt::format(" {} ", kSchedulers);
  if (padded.find(fmt::format(" {} ", draft.service.scheduler)) != std::string::npos) return;
  args.context().reporter.warning(
      args.value(0).range,
      fmt::format("'{}' is not a scheduler of the Linux kernel known to Holdfast",
                  draft.service.scheduler),
      fmt::format("known are {}", kSchedulers));
}

void set_persistence(ServiceDraft& draft, const Args& args) {
  draft.service.persistence_timeout =
      args.has(0) ? core::Duration(std::chrono::seconds(args.number(0))) : kDefaultPersistence;
}

void set_granularity(ServiceDraft& draft, const Args& args) {
  draft.service.persistence_prefix = args.as<std::uint8_t>(0);
  // keepalived: a granularity switches persistence on.
  if (draft.service.persistence_timeout.count() == 0)
    draft.service.persistence_timeout = kDefaultPersistence;
}

void set_sorry_server(ServiceDraft& draft, const Args& args) {
  SorryServer sorry;
  sorry.address = args.value(0).address;
  sorry.port = args.has(1) ? args.as<std::uint16_t>(1) : draft.service.port;
  sorry.location = args.location();
  draft.service.sorry_server = sorry;
}

const Setters<ServiceDraft>& service_setters() {
  static const Setters<ServiceDraft> table = [] {
    auto list = shared_setters<ServiceDraft>();
    using Row = std::pair<std::string_view, Setters<ServiceDraft>::Apply>;
    const std::initializer_list<Row> rows = {
        {"lb_algo", set_scheduler},
        {"lb_kind",
         [](ServiceDraft& d, const Args& a) { d.service.forwarding = forwarding_of(a); }},
        {"protocol",
         [](ServiceDraft& d, const Args& a) {
           constexpr std::array kProtocols = {Protocol::tcp, Protocol::udp, Protocol::sctp};
           d.service.protocol = kProtocols[a.as<std::size_t>(0)];
           d.has_protocol = true;
         }},
        {"nat_mask",
         [](ServiceDraft& d, const Args& a) { d.service.nat_mask = a.value(0).address; }},
        {"persistence_timeout", set_persistence},
        {"persistence_granularity", set_granularity},
        {"ops", [](ServiceDraft& d, const Args&) { d.service.one_packet_scheduling = true; }},
        {"ha_suspend", [](ServiceDraft& d, const Args&) { d.service.ha_suspend = true; }},
        {"smtp_alert", [](ServiceDraft& d, const Args& a) { d.service.smtp_alert = a.flag(); }},
        {"alpha", [](ServiceDraft& d, const Args& a) { d.service.alpha = a.flag(); }},
        {"omega", [](ServiceDraft& d, const Args& a) { d.service.omega = a.flag(); }},
        {"quorum",
         [](ServiceDraft& d, const Args& a) { d.service.quorum = a.as<std::uint32_t>(0); }},
        {"hysteresis",
         [](ServiceDraft& d, const Args& a) { d.service.hysteresis = a.as<std::uint32_t>(0); }},
        {"quorum_up", [](ServiceDraft& d, const Args& a) { d.service.quorum_up = a.script(); }},
        {"quorum_down", [](ServiceDraft& d, const Args& a) { d.service.quorum_down = a.script(); }},
        {"weight", [](ServiceDraft& d, const Args& a) { d.weight = a.as<std::uint32_t>(0); }},
        {"inhibit_on_failure",
         [](ServiceDraft& d, const Args& a) { d.inhibit_on_failure = a.flag(); }},
        {"sorry_server", set_sorry_server},
        {"sorry_server_inhibit", [](ServiceDraft& d, const Args&) { d.sorry_inhibit = true; }},
        {"sorry_server_lvs_method",
         [](ServiceDraft& d, const Args& a) { d.sorry_forwarding = forwarding_of(a); }},
        {"real_server",
         [](ServiceDraft& d, const Args& a) { d.servers.push_back(&a.statement()); }}};
    list.insert(list.end(), rows.begin(), rows.end());
    return Setters<ServiceDraft>(Block::virtual_server, list);
  }();
  return table;
}

void add_check(ServerDraft& draft, const Args& args) {
  draft.checks.push_back(&args.statement());
}

const Setters<ServerDraft>& server_setters() {
  static const Setters<ServerDraft> table = [] {
    auto list = shared_setters<ServerDraft>();
    using Row = std::pair<std::string_view, Setters<ServerDraft>::Apply>;
    const std::initializer_list<Row> rows = {
        {"weight", [](ServerDraft& d, const Args& a) { d.server.weight = a.as<std::uint32_t>(0); }},
        {"lvs_method",
         [](ServerDraft& d, const Args& a) { d.server.forwarding = forwarding_of(a); }},
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
        {"TCP_CHECK", add_check},
        {"HTTP_GET", add_check}};
    list.insert(list.end(), rows.begin(), rows.end());
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

// Direct routing and tunnels deliver the packet as it came: the port cannot change. ip_vs:
// ip_vs_dr_xmit, ip_vs_tunnel_xmit.
void force_port(ForwardingMethod forwarding, std::uint16_t service_port, std::uint16_t& port,
                TextRange at, Reporter& reporter) {
  if (forwarding == ForwardingMethod::nat || port == service_port) return;
  reporter.warning(at,
                   fmt::format("with {} the packets keep their port: {} is used instead of {}",
                               to_string(forwarding), service_port, port),
                   fmt::format("write {}, or use 'lb_kind NAT'", service_port));
  port = service_port;
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
  server.inhibit_on_failure = service.inhibit_on_failure;
  server.alpha = service.service.alpha;
  server.smtp_alert = !context.model.globals.smtp_server.empty();
  server_setters().apply(context, args.statement().first_child, draft);
  if (!server.address.is_v4()) {
    context.reporter.warn_once(args.value(0).range,
                               "Holdfast does not do IPv6 yet: this real server is not used");
    return;
  }
  if (args.has(1)) {
    force_port(server.forwarding, service.service.port, server.port, args.value(1).range,
               context.reporter);
  }
  const CheckDefaults defaults = merge(draft.defaults, service.defaults);
  for (const Statement* check : draft.checks) build_check(context, *check, defaults, server);
  service.service.real_servers.push_back(std::move(server));
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

void finish_sorry_server(ServiceDraft& draft, Reporter& reporter, TextRange at) {
  if (!draft.service.sorry_server) return;
  SorryServer& sorry = *draft.service.sorry_server;
  sorry.inhibit = draft.sorry_inhibit;
  sorry.forwarding = draft.sorry_forwarding.value_or(draft.service.forwarding);
  if (!sorry.address.is_v4()) {
    reporter.warn_once(at, "Holdfast does not do IPv6 yet: the sorry server is not used");
    draft.service.sorry_server.reset();
    return;
  }
  force_port(sorry.forwarding, draft.service.port, sorry.port, at, reporter);
}

void finish(ServiceDraft& draft, const Args& args) {
  VirtualServer& service = draft.service;
  Reporter& reporter = args.context().reporter;
  const TextRange at = args.value(0).range;
  service.virtualhost = draft.defaults.virtualhost;
  if (!draft.has_protocol && !mentions(args.context(), args.statement(), "protocol")) {
    reporter.warning(at, "this service has no 'protocol': UDP is taken, as keepalived does",
                     "add 'protocol TCP' or 'protocol UDP'");
  }
  if (service.port == 0 && service.persistence_timeout.count() == 0) {
    reporter.warning(
        at, "a service of all ports must be persistent: 'persistence_timeout 360' is taken");
    service.persistence_timeout = kDefaultPersistence;
  }
  if (service.hysteresis != 0 && service.hysteresis >= service.quorum) {
    reporter.warning(
        at, fmt::format("'hysteresis' must be below 'quorum': {} is taken", service.quorum - 1));
    service.hysteresis = service.quorum - 1;
  }
  finish_sorry_server(draft, reporter, at);
}

// ADDRESS [PORT], or one of the forms that are not done yet. False: the service is not loaded, and
// why was said.
bool read_header(const Args& args, VirtualServer& service) {
  Reporter& reporter = args.context().reporter;
  const Value& first = args.value(0);
  if (first.text == "group" || first.text == "fwmark") {
    reporter.warning(
        first.range,
        fmt::format("Holdfast does not do services by {} yet: this service is not set up",
                    first.text == "group" ? "virtual_server_group" : "firewall mark"));
    return false;
  }
  Value address;
  if (!decode_word(rows::of(ArgType::ip), first.text, address)) {
    const std::size_t colon = first.text.find(':');
    const bool glued =
        colon != std::string_view::npos && core::IpAddress::parse(first.text.substr(0, colon));
    reporter.error(
        first.range,
        fmt::format("'virtual_server' must be followed by an IP address, not '{}'", first.text),
        glued ? fmt::format("write the port as a word of its own: '{} {}'",
                            first.text.substr(0, colon), first.text.substr(colon + 1))
              : std::string("such as: virtual_server 192.168.1.200 80 {"));
    return false;
  }
  service.address = address.address;
  if (args.has(2)) {
    reporter.warning(
        args.value(2).range,
        fmt::format("'{}' is ignored: nothing more may follow the port", args.value(2).text),
        "remove it");
  }
  Value port;
  if (args.has(1) && !decode_word(rows::integer(0, 65535), args.value(1).text, port)) {
    reporter.error(
        args.value(1).range,
        fmt::format("the port must be a number from 1 to 65535, not '{}'", args.value(1).text));
    return false;
  }
  service.port = static_cast<std::uint16_t>(port.number);
  if (service.address.is_v4()) return true;
  reporter.warning(first.range, "Holdfast does not do IPv6 yet: this service is not set up");
  return false;
}

}  // namespace

void build_service(const Args& args) {
  BuildContext& context = args.context();
  ServiceDraft draft;
  draft.service.location = args.location();
  const bool loaded = read_header(args, draft.service);
  // The body of a service that is not loaded is still checked.
  service_setters().apply(context, args.statement().first_child, draft);
  build_servers(draft, context);
  if (!loaded) return;
  finish(draft, args);
  context.model.services.push_back(std::move(draft.service));
}

bool services_know(KeywordId id) {
  return service_setters().knows(id) || server_setters().knows(id);
}

}  // namespace holdfast::config
