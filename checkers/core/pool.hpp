// From the opinions about servers to the entry of a service in the IPVS table: pure functions, the
// only place where weights, inhibit_on_failure, quorum and the sorry server meet.
#pragma once

#include "checkers/core/settings.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::checkers {

/// `awaited`: an alpha server that has not had its first success: it never enters the table, not
/// even with weight 0.
enum class ServerState : std::uint8_t { up, down, awaited };

/// Sum of the weights of up servers. `states` runs parallel to service.servers.
[[nodiscard]] std::uint64_t up_weight(const ServiceSettings& service,
                                      std::span<const ServerState> states);

/// Gained at quorum + hysteresis, lost below quorum - hysteresis or at nothing. keepalived: quorum,
/// hysteresis.
[[nodiscard]] bool quorum_after(bool was_up, std::uint64_t weight, std::uint32_t quorum,
                                std::uint32_t hysteresis);

/// What the entry of a service holds for one of its servers; nullopt: nothing. `sorry`: the sorry
/// server serves instead of them.
[[nodiscard]] std::optional<ipvs::Server> desired_server(const ServerSettings& server,
                                                         ServerState state, bool sorry);

/// Where a server of the pool stands in the entry `key`. With DR and tunnels packets keep their
/// port, and the entries of a group have several: there it is that of the entry.
[[nodiscard]] core::Endpoint endpoint_in(const ServiceSettings& service,
                                         const ipvs::ServiceKey& key, const core::Endpoint& server,
                                         const ipvs::Server& entry);
/// From an entry of one family to a server of the other only a tunnel leads (ip_vs_ctl.c).
[[nodiscard]] bool is_reached_from(const ipvs::ServiceKey& key, const core::Endpoint& server,
                                   const ipvs::Server& entry);

/// The entry `key` that the kernel should have. Without quorum and with a sorry server, the sorry
/// server serves alone; without a sorry server whatever is up goes on serving.
[[nodiscard]] ipvs::Service desired_service(const ServiceSettings& service,
                                            const ipvs::ServiceKey& key,
                                            std::span<const ServerState> states, bool quorum_up);

}  // namespace holdfast::checkers
