#include "checkers/core/pool.hpp"

#include "core/assertion.hpp"

namespace holdfast::checkers {

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

ipvs::Service desired_service(const ServiceSettings& service, std::span<const ServerState> states,
                              bool quorum_up) {
  HOLDFAST_ASSERT(states.size() == service.servers.size(), "one state for each server");
  ipvs::Service entry{service.settings, {}};
  const bool sorry = service.sorry_server.has_value() && !quorum_up;

  // An idle sorry server goes in first, so that the same address as a real server means the real
  // server.
  if (service.sorry_server && !sorry && service.sorry_server->inhibit) {
    auto& idle = entry.servers[service.sorry_server->endpoint] = service.sorry_server->entry;
    idle.weight = 0;
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const ServerSettings& server = service.servers[i];
    if (auto wanted = desired_server(server, states[i], sorry))
      entry.servers.insert_or_assign(server.endpoint, std::move(*wanted));
  }
  // A serving one goes in last, so that the same address as a real server means the sorry server.
  if (sorry)
    entry.servers.insert_or_assign(service.sorry_server->endpoint, service.sorry_server->entry);
  return entry;
}

}  // namespace holdfast::checkers
