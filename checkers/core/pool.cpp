#include "checkers/core/pool.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <limits>

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

std::uint32_t effective_weight(std::uint32_t configured, std::span<const WeightClaim> claims) {
  constexpr std::int64_t kFar = std::int64_t{1} << 40;  // no sum of a few thousand overflows
  std::int64_t weight = configured;
  for (const WeightClaim& claim : claims) {
    const std::int64_t value = std::clamp(claim.value, -kFar, kFar);
    weight += claim.kind == WeightClaim::Kind::is ? value - std::int64_t{configured} : value;
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();  // the kernel's limit
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(weight, 0, kMost));
}

std::map<ipvs::ServiceKey, std::set<core::Endpoint>> held_servers(const Settings& settings) {
  std::map<ipvs::ServiceKey, std::set<core::Endpoint>> held;
  for (const ServiceSettings& service : settings.services)
    for (const ServerSettings& server : service.servers)
      if (server.is_held)
        for (const ipvs::ServiceKey& key : service.keys)
          if (is_reached_from(key, server.endpoint, server.entry))
            held[key].insert(endpoint_in(service, key, server.endpoint, server.entry));
  return held;
}

std::uint64_t up_weight(std::span<const Standing> servers) {
  std::uint64_t sum = 0;
  for (const Standing& server : servers)
    if (server.state == ServerState::up) sum += server.weight;
  return sum;
}

bool quorum_after(bool was_up, std::uint64_t weight, std::uint32_t quorum,
                  std::uint32_t hysteresis) {
  if (!was_up) return weight >= std::uint64_t{quorum} + hysteresis;
  return weight != 0 && weight + hysteresis >= quorum;
}

std::optional<ipvs::Server> desired_server(const ServerSettings& server, Standing standing,
                                           bool sorry) {
  if (standing.state == ServerState::awaited) return std::nullopt;
  const bool serves = standing.state == ServerState::up && !sorry;
  if (!serves && !server.inhibit_on_failure) return std::nullopt;
  ipvs::Server entry = server.entry;
  entry.weight = serves ? standing.weight : 0;
  return entry;
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
                              std::span<const Standing> servers, bool quorum_up) {
  HOLDFAST_ASSERT(servers.size() == service.servers.size(), "one standing for each server");
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
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const ServerSettings& server = service.servers[i];
    if (const auto wanted = desired_server(server, servers[i], sorry))
      put(server.endpoint, *wanted);
  }
  // A serving one goes in last, so that the same address as a real server means the sorry server.
  if (sorry) put(service.sorry_server->endpoint, service.sorry_server->entry);
  return entry;
}

}  // namespace holdfast::checkers
