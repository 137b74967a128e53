#include "checkers/core/pool.hpp"

#include "core/assertion.hpp"

namespace holdfast::checkers {
namespace {

/// A netmask is of one family: an entry of the other keeps every client by itself.
ipvs::Settings settings_in(const ServiceSettings& service, const ipvs::ServiceKey& key) {
  ipvs::Settings settings = service.settings;
  const core::Family family = ipvs::family_of(key);
  if (settings.persistence && ipvs::family_of_netmask(settings.persistence->netmask) != family)
    settings.persistence->netmask = ipvs::full_netmask(family);
  return settings;
}

}  // namespace

std::uint64_t up_weight(const ServiceSettings& service, std::span<const ServerState> states) {
  HOLDFAST_ASSERT(states.size() == service.servers.size(), "one state for each server");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i] == ServerState::up) sum += service.servers[i].entry.weight;
  return sum;
}

bool quorum_after(bool was_up, std::uint64_t weight, std::uint32_t quorum,
                  std::uint32_t hysteresis) {
  if (!was_up) return weight >= std::uint64_t{quorum} + hysteresis;
  return weight != 0 && weight + hysteresis >= quorum;
}

std::optional<ipvs::Server> desired_server(const ServerSettings& server, ServerState state,
                                           bool sorry) {
  if (state == ServerState::awaited) return std::nullopt;
  if (state == ServerState::up && !sorry) return server.entry;
  if (!server.inhibit_on_failure) return std::nullopt;
  ipvs::Server quiet = server.entry;
  quiet.weight = 0;
  return quiet;
}

core::Endpoint endpoint_in(const ServiceSettings& service, const ipvs::ServiceKey& key,
                           const core::Endpoint& server, const ipvs::Server& entry) {
  const auto* address = std::get_if<ipvs::AddressKey>(&key);
  if (service.group.empty() || address == nullptr ||
      entry.forwarding == ipvs::Forwarding::masquerade)
    return server;
  return {server.address, address->endpoint.port};
}

bool is_reached_from(const ipvs::ServiceKey& key, const core::Endpoint& server,
                     const ipvs::Server& entry) {
  return entry.forwarding == ipvs::Forwarding::tunnel ||
         server.address.family() == ipvs::family_of(key);
}

ipvs::Service desired_service(const ServiceSettings& service, const ipvs::ServiceKey& key,
                              std::span<const ServerState> states, bool quorum_up) {
  HOLDFAST_ASSERT(states.size() == service.servers.size(), "one state for each server");
  ipvs::Service entry{settings_in(service, key), {}};
  const auto put = [&](const core::Endpoint& server, const ipvs::Server& how) {
    if (is_reached_from(key, server, how))
      entry.servers.insert_or_assign(endpoint_in(service, key, server, how), how);
  };
  const bool sorry = service.sorry_server.has_value() && !quorum_up;

  // An idle sorry server goes in first, so that the same address as a real server means the real
  // server.
  if (service.sorry_server && !sorry && service.sorry_server->inhibit) {
    ipvs::Server idle = service.sorry_server->entry;
    idle.weight = 0;
    put(service.sorry_server->endpoint, idle);
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const ServerSettings& server = service.servers[i];
    if (const auto wanted = desired_server(server, states[i], sorry)) put(server.endpoint, *wanted);
  }
  // A serving one goes in last, so that the same address as a real server means the sorry server.
  if (sorry) put(service.sorry_server->endpoint, service.sorry_server->entry);
  return entry;
}

}  // namespace holdfast::checkers
