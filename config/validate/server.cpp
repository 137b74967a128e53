// real_server and its checkers: given twice, never chosen, never reached.
#include "config/group_members.hpp"
#include "config/text.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace holdfast::config::validation {
namespace {

std::string name_of(const RealServer& server) {
  return core::Endpoint{server.address, server.port}.to_string();
}

bool by_address(const VirtualServer& service) {
  return service.fwmark == 0 && service.group.empty();
}

// In the entries of a group, a server that keeps its port has that of the entry: there, its address
// alone tells it apart.
std::set<core::IpAddress> known_by_address(const VirtualServer& service) {
  std::set<core::IpAddress> found;
  if (service.group.empty()) return found;
  for (const RealServer& server : service.real_servers)
    if (server.forwarding != ForwardingMethod::nat) found.insert(server.address);
  return found;
}

void drop_twice(const Context& context, VirtualServer& service) {
  std::vector<RealServer>& servers = service.real_servers;
  if (servers.size() < 2) return;
  const std::set<core::IpAddress> without_port = known_by_address(service);
  std::unordered_map<core::Endpoint, SourceLocation> seen;
  seen.reserve(servers.size());
  std::vector<bool> remove(servers.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const bool has_port = !without_port.contains(servers[i].address);
    const auto [first, is_new] = seen.emplace(
        core::Endpoint{servers[i].address, has_port ? servers[i].port : std::uint16_t{}},
        servers[i].location);
    if (is_new) continue;
    remove[i] = found = true;
    context.warn(servers[i].location,
                 fmt::format("real_server {} is in this service already (on {}): this one is left "
                             "out",
                             name_of(servers[i]), context.line_of(first->second)),
                 "remove one of them; 'weight' gives a server a larger share");
  }
  if (found) remove_flagged(servers, remove);
}

// ip_vs_ctl.c: a server of the other family is reached through a tunnel only.
void drop_other_family(const Context& context, VirtualServer& service,
                       const std::vector<Member>& members) {
  if (service.fwmark != 0) return;
  // A group has one or both.
  const auto has = [&](core::Family family) {
    return std::ranges::any_of(members,
                               [&](const Member& one) { return one.address.family() == family; });
  };
  const core::Family family = has(core::Family::v4) ? core::Family::v4 : core::Family::v6;
  std::vector<bool> remove(service.real_servers.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < service.real_servers.size(); ++i) {
    const RealServer& server = service.real_servers[i];
    if (has(server.address.family()) || server.forwarding == ForwardingMethod::tunnel) continue;
    remove[i] = found = true;
    context.warn(server.location,
                 fmt::format("real_server {} is left out: from {} to {} only a tunnel leads",
                             name_of(server), family == core::Family::v4 ? "IPv4" : "IPv6",
                             family == core::Family::v4 ? "IPv6" : "IPv4"),
                 "write 'lvs_method TUN', or a server of the service's family");
  }
  if (found) remove_flagged(service.real_servers, remove);
  if (!service.sorry_server || has(service.sorry_server->address.family()) ||
      service.sorry_server->forwarding == ForwardingMethod::tunnel)
    return;
  context.warn(
      service.sorry_server->location,
      "this sorry_server is left out: it is not of the service's family, and only a tunnel "
      "leads there");
  service.sorry_server.reset();
}

void check_quorum(const Context& context, VirtualServer& service) {
  std::uint64_t total = 0;
  for (const RealServer& server : service.real_servers) total += server.weight;
  if (service.quorum <= std::max<std::uint64_t>(total, 1)) return;
  context.warn(
      service.location,
      fmt::format("'quorum {}' is more than the weights of all servers together ({}): {} is taken",
                  service.quorum, total, std::max<std::uint64_t>(total, 1)));
  service.quorum = static_cast<std::uint32_t>(std::max<std::uint64_t>(total, 1));
  if (service.hysteresis >= service.quorum) service.hysteresis = service.quorum - 1;
}

void check_weights(const Context& context, const VirtualServer& service) {
  if (service.real_servers.empty()) return;
  for (const RealServer& server : service.real_servers) {
    if (server.weight != 0) return;
  }
  // MISC_CHECK and FILE_CHECK may raise a weight while running.
  for (const RealServer& server : service.real_servers) {
    for (const Check& check : server.checks) {
      const auto* misc = std::get_if<MiscCheck>(&check);
      if (std::holds_alternative<FileCheck>(check) || (misc != nullptr && misc->dynamic)) return;
    }
  }
  context.warn(service.location,
               fmt::format("every server of virtual_server {} has weight 0: none takes a new "
                           "connection",
                           config::name_of(service)));
}

// The service's own address as a server: packets come back to where they were sent from.
void check_circles(const Context& context, const VirtualServer& service) {
  if (!by_address(service)) return;
  for (const RealServer& server : service.real_servers) {
    if (server.address == service.address && server.port == service.port) {
      context.warn(
          server.location,
          fmt::format("real_server {} is the virtual_server itself: its connections go in a "
                      "circle",
                      name_of(server)),
          "write the server's own address");
    }
  }
}

void check_sorry_server(const Context& context, const VirtualServer& service) {
  if (!service.sorry_server) return;
  const SorryServer& sorry = *service.sorry_server;
  for (const RealServer& server : service.real_servers) {
    if (server.address != sorry.address || server.port != sorry.port) continue;
    context.note(
        sorry.location,
        fmt::format("the sorry_server {} is also the real_server on {}: it serves even when "
                    "its checkers say it is down",
                    name_of(server), context.line_of(server.location)));
    return;
  }
}

const ConnectOptions* connection_of(const Check& check) {
  return std::visit(
      [](const auto& one) -> const ConnectOptions* {
        if constexpr (requires { one.connect; }) {
          return &one.connect;
        } else {
          return nullptr;
        }
      },
      check);
}

SourceLocation location_of(const Check& check) {
  return std::visit([](const auto& one) { return one.location; }, check);
}

// Why a checker can never say anything about its server; empty: it can.
std::string why_senseless(const VirtualServer& service, const Check& check) {
  const ConnectOptions* connect = connection_of(check);
  if (connect == nullptr) return {};
  if (connect->connect_port == 0 && !std::holds_alternative<PingCheck>(check))
    return "it has no port to connect to";
  if (connect->connect_ip.is_unspecified() || connect->connect_ip.is_multicast())
    return fmt::format("nobody can connect to {}", connect->connect_ip.to_string());
  if (by_address(service) && connect->connect_ip == service.address &&
      connect->connect_port == service.port)
    return "it connects to the virtual_server itself, not to a server";
  if (connect->binding && connect->binding->bindto &&
      connect->binding->bindto->family() != connect->connect_ip.family())
    return fmt::format("nothing leads from {} to {}", connect->binding->bindto->to_string(),
                       connect->connect_ip.to_string());
  return {};
}

void check_checkers(const Context& context, const VirtualServer& service, const RealServer& server,
                    Few& senseless) {
  for (const Check& check : server.checks) {
    if (std::string why = why_senseless(service, check); !why.empty()) {
      senseless.add(location_of(check),
                    fmt::format("this {} of real_server {} makes no sense: {}", type_name(check),
                                name_of(server), why),
                    "see 'connect_ip', 'connect_port' and 'bindto'");
    }
    const auto* misc = std::get_if<MiscCheck>(&check);
    if (misc != nullptr && misc->timeout > misc->pace.delay_loop) {
      context.note(misc->location,
                   fmt::format("this MISC_CHECK may run for {} s, but is due every {} s",
                               seconds_text(misc->timeout), seconds_text(misc->pace.delay_loop)),
                   "a 'misc_timeout' of at most 'delay_loop' finds a hanging command sooner");
    }
  }
}

// One note a service, not one a server.
void check_unchecked(const VirtualServer& service, Few& unchecked) {
  const RealServer* first = nullptr;
  std::size_t count = 0;
  for (const RealServer& server : service.real_servers) {
    if (!server.checks.empty()) continue;
    if (first == nullptr) first = &server;
    ++count;
  }
  if (first == nullptr) return;
  unchecked.add(first->location,
                count == 1 ? fmt::format("real_server {} has no checker: it counts as always up",
                                         name_of(*first))
                           : fmt::format("real_server {} and {} more of this service have no "
                                         "checker: they count as always up",
                                         name_of(*first), count - 1));
}

}  // namespace

void check_servers(const Context& context) {
  Few unchecked(context, Severity::note);
  Few senseless(context, Severity::warning);
  Few empty(context, Severity::warning);
  const Members members = members_of(context.model);
  for (std::size_t i = 0; i < context.model.services.size(); ++i) {
    VirtualServer& service = context.model.services[i];
    drop_twice(context, service);
    drop_other_family(context, service, members.of[i]);
    check_quorum(context, service);
    check_weights(context, service);
    check_circles(context, service);
    check_sorry_server(context, service);
    for (const RealServer& server : service.real_servers)
      check_checkers(context, service, server, senseless);
    check_unchecked(service, unchecked);
    if (!service.real_servers.empty() || service.sorry_server) continue;
    empty.add(service.location,
              fmt::format("virtual_server {} has no real servers: it refuses every connection",
                          config::name_of(service)));
  }
  empty.finish();
  senseless.finish();
  unchecked.finish();
}

}  // namespace holdfast::config::validation
