// Engine: what operators ask of it beside the configuration. Checks go on as ever: a server that is
// drained and fails is down, and one that comes back has the weight that was asked for.
#include "checkers/core/engine.hpp"

#include <algorithm>

namespace holdfast::checkers {

void Engine::on_event(const Steered& steered, core::Instant now, Actions& out) {
  if (stopped_) return;
  const auto before = std::exchange(steered_, steered.weights);
  const auto differs = [&](const core::Endpoint& server) {
    const auto old = before.find(server);
    const auto next = steered_.find(server);
    if (old == before.end() || next == steered_.end())
      return (old == before.end()) != (next == steered_.end());
    return old->second != next->second;
  };
  for (std::size_t i = 0; i < services_.size(); ++i)
    for (std::size_t j = 0; j < services_[i].servers.size(); ++j)
      if (differs(settings_.services[i].servers[j].endpoint))
        judge_server({i, j, 0}, "an operator asked for it", now, out);
}

void Engine::on_event(const CheckNow& check, core::Instant now, Actions&) {
  if (stopped_) return;
  const auto is_meant = [&](const CheckIndex& at) {
    return !check.server ||
           settings_.services[at.service].servers[at.server].endpoint == *check.server;
  };
  for (auto& [id, probe] : probes_)
    if (!probe.running && probe.due != now && is_wanted(probe) &&
        std::ranges::any_of(probe.subscribers, is_meant))
      arm(id, probe, now);
}

}  // namespace holdfast::checkers
