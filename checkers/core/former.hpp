// What the configuration before knew, by key: made at the beginning of a Configure, consulted while
// the new one is built, thrown away at its end. Part of the engine; nobody else includes it.
#pragma once

#include "checkers/core/engine.hpp"

#include <string>
#include <unordered_map>

namespace holdfast::checkers {

struct Engine::Former {
  struct Server {
    ServerState state = ServerState::up;
    bool pending = true;
    core::Instant since;
  };

  /// By check_record_key.
  std::unordered_map<std::uint64_t, Health> checks;
  /// By server_key.
  std::unordered_map<std::uint64_t, Server> servers;
  /// By service_record_key: did it have its quorum?
  std::unordered_map<std::uint64_t, bool> services;
  /// By sharing_identity; grows with the probes of the new configuration.
  std::unordered_map<std::string, ProbeId> probes;
  /// What one of the former subscribers thought, for a new subscriber of the same probe.
  std::unordered_map<ProbeId, Health> probe_healths;

  [[nodiscard]] static std::uint64_t server_key(const ServiceSettings& service,
                                                const core::Endpoint& server);
};

}  // namespace holdfast::checkers
