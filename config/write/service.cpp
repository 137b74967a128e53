// VirtualServer, its servers and groups → words. The checkers are in write_check.cpp.
#include "config/write/service.hpp"

#include "config/builders/service.hpp"
#include "config/schema/decode.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

std::vector<std::string> forwarding_words(ForwardingMethod method, const Rare<Tunnel>& tunnel) {
  std::vector<std::string> words{to_string(method)};
  if (!tunnel) return words;
  constexpr std::array kTypes = {"ipip", "gue", "gre"};
  words.insert(words.end(), {"type", kTypes[static_cast<std::size_t>(tunnel->type)]});
  if (tunnel->port != 0) words.insert(words.end(), {"port", fmt::format("{}", tunnel->port)});
  if (tunnel->checksum == Tunnel::Checksum::csum) words.emplace_back("csum");
  if (tunnel->checksum == Tunnel::Checksum::remcsum) words.emplace_back("remcsum");
  return words;
}

std::vector<std::string> endpoint_words(const core::IpAddress& address, std::uint16_t port) {
  return {address.to_string(), fmt::format("{}", port)};
}

std::vector<std::string> name_words(const VirtualServer& service) {
  if (service.fwmark != 0) return {"fwmark", fmt::format("{}", service.fwmark)};
  if (!service.group.empty()) return {"group", service.group};
  return endpoint_words(service.address, service.port);
}

void write_flags(Writer& writer, const VirtualServer& service) {
  const bool named = service.scheduler == "sh" || service.scheduler == "mh";
  const std::uint8_t flags = service.scheduler_flags;
  const auto word = [&](std::string_view own, std::string_view any) {
    return named ? fmt::format("{}-{}", service.scheduler, own) : std::string(any);
  };
  writer.flag(word("fallback", "flag-1"), (flags & kSchedulerFlag1) != 0);
  writer.flag(word("port", "flag-2"), (flags & kSchedulerFlag2) != 0);
  writer.flag("flag-3", (flags & kSchedulerFlag3) != 0);
  writer.flag("hashed", service.hashed);
  writer.flag("ops", service.one_packet_scheduling);
}

std::string netmask_text(std::uint8_t length) {
  const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
  return core::IpAddress::v4(
             {static_cast<std::uint8_t>(mask >> 24), static_cast<std::uint8_t>(mask >> 16 & 0xFF),
              static_cast<std::uint8_t>(mask >> 8 & 0xFF), static_cast<std::uint8_t>(mask & 0xFF)})
      .to_string();
}

void write_persistence(Writer& writer, const VirtualServer& service) {
  writer.seconds("persistence_timeout", service.persistence_timeout, core::Duration(0));
  const bool is_v4 = service.address.is_v4();
  const std::uint8_t full = service.address.max_prefix_length();
  // A granularity would switch persistence on.
  if (service.persistence_timeout.count() != 0 &&
      (service.persistence_prefix != full || writer.detail() == Detail::all)) {
    writer.statement("persistence_granularity",
                     {is_v4 ? netmask_text(service.persistence_prefix)
                            : fmt::format("{}", service.persistence_prefix)});
  }
  writer.text("persistence_engine", service.persistence_engine);
}

void write_table_words(Writer& writer, const VirtualServer& service) {
  const bool by_address = service.fwmark == 0 && service.group.empty();
  if (service.fwmark == 0) writer.statement("protocol", {to_string(service.protocol)});
  // A written prefix length of 128 would imply IPv6, but it is the default and left out.
  if (!by_address && (writer.detail() == Detail::all || !service.address.is_v4() ||
                      implied_family(service) != core::Family::v4)) {
    writer.statement("ip_family", {service.address.is_v4() ? "inet" : "inet6"});
  }
  writer.text("lb_algo", service.scheduler, "wlc");
  write_flags(writer, service);
  const bool is_nat = service.forwarding == ForwardingMethod::nat;
  if (!is_nat || writer.detail() == Detail::all)
    writer.statement("lb_kind", forwarding_words(service.forwarding, service.tunnel));
  writer.address("nat_mask", service.nat_mask);
  write_persistence(writer, service);
}

void write_sorry_server(Writer& writer, const VirtualServer& service) {
  if (!service.sorry_server) return;
  const SorryServer& sorry = *service.sorry_server;
  writer.statement("sorry_server", endpoint_words(sorry.address, sorry.port));
  writer.flag("sorry_server_inhibit", sorry.inhibit);
  const bool own = sorry.forwarding != service.forwarding || sorry.tunnel != service.tunnel;
  if (own || writer.detail() == Detail::all)
    writer.statement("sorry_server_lvs_method", forwarding_words(sorry.forwarding, sorry.tunnel));
}

void write_pool_words(Writer& writer, const VirtualServer& service, const Globals& globals) {
  writer.number("quorum", service.quorum, 1);
  writer.number("hysteresis", service.hysteresis, 0);
  writer.script("quorum_up", service.quorum_up);
  writer.script("quorum_down", service.quorum_down);
  writer.flag("ha_suspend", service.ha_suspend);
  writer.boolean("alpha", service.alpha, false);
  writer.boolean("omega", service.omega, false);
  writer.boolean("smtp_alert", service.smtp_alert, service_mails_by_default(globals));
  writer.text("virtualhost", service.virtualhost);
  writer.text("snmp_name", service.snmp_name);
  write_sorry_server(writer, service);
}

void write_entry(Writer& writer, const GroupEntry& entry) {
  if (entry.fwmark != 0) {
    std::vector<std::string> words{"fwmark", fmt::format("{}", entry.fwmark)};
    if (entry.family) words.emplace_back(*entry.family == core::Family::v4 ? "inet" : "inet6");
    writer.entry(std::move(words));
    return;
  }
  std::string range = entry.first.to_string();
  if (entry.last != entry.first) range += fmt::format("-{}", entry.last.to_string());
  writer.entry({range, fmt::format("{}", entry.port)});
}

Node server_node(const RealServer& server, const VirtualServer& service, const Globals& globals,
                 Detail detail, const CheckDefaults& common) {
  Node made =
      node(Block::virtual_server, "real_server", endpoint_words(server.address, server.port));
  Writer writer = body_of(made, detail);
  writer.number("weight", server.weight, 1);
  const bool own = server.forwarding != service.forwarding || server.tunnel != service.tunnel;
  if (own || detail == Detail::all)
    writer.statement("lvs_method", forwarding_words(server.forwarding, server.tunnel));
  writer.number("uthreshold", server.upper_threshold, 0);
  writer.number("lthreshold", server.lower_threshold, 0);
  writer.boolean("inhibit_on_failure", server.inhibit_on_failure, false);
  writer.boolean("alpha", server.alpha, service.alpha);
  writer.script("notify_up", server.notify_up);
  writer.script("notify_down", server.notify_down);
  writer.boolean("smtp_alert", server.smtp_alert, servers_mail_by_default(globals));
  writer.text("virtualhost", server.virtualhost);
  writer.text("snmp_name", server.snmp_name);
  const std::string& host = server.virtualhost.empty() ? service.virtualhost : server.virtualhost;
  for (const Check& check : server.checks)
    write_check(writer, check, {server, globals, common, host});
  return made;
}

}  // namespace

Node document_of(const VirtualServerGroup& group) {
  Node made = node(Block::root, "virtual_server_group", {group.name});
  Writer writer = body_of(made, Detail::changed);
  for (const GroupEntry& entry : group.entries) write_entry(writer, entry);
  return made;
}

Node document_of(const RealServer& server, const VirtualServer& service, const Globals& globals,
                 Detail detail) {
  return server_node(server, service, globals, detail, common_values(service, detail));
}

Node document_of(const VirtualServer& service, const Globals& globals, Detail detail) {
  Node made = node(Block::root, "virtual_server", name_words(service));
  Writer writer = body_of(made, detail);
  const CheckDefaults common = common_values(service, detail);
  write_common_values(writer, common);
  write_table_words(writer, service);
  write_pool_words(writer, service, globals);
  for (const RealServer& server : service.real_servers)
    made.body.push_back(server_node(server, service, globals, detail, common));
  return made;
}

Node document_of(const TlsIdentity& tls) {
  Node made = node(Block::root, "SSL");
  Writer writer = body_of(made, Detail::changed);
  writer.text("password", tls.password);
  writer.text("ca", tls.ca);
  writer.text("certificate", tls.certificate);
  writer.text("key", tls.key);
  return made;
}

}  // namespace holdfast::config
