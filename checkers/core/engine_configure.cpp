// Engine: from one configuration to the next. State is matched by keys; what nobody wants any more
// is forgotten.
#include "checkers/core/former.hpp"
#include "checkers/core/identity.hpp"
#include "checkers/core/opinion.hpp"
#include "checkers/core/schedule.hpp"
#include "core/assertion.hpp"

#include <fmt/format.h>

#include <unordered_set>

namespace holdfast::checkers {

namespace {

/// The opinion of a check that nobody has asked before.
Health initial_health(const CheckSettings& check) {
  return Health(check.alpha ? Health::State::awaited : Health::State::assumed_up);
}

/// A check that is new to a server inherits what was known about the server: a failed server does
/// not come back into the table because somebody changed the url of its check, and a good one does
/// not leave it.
Health inherited_health(ServerState state, const CheckSettings& check) {
  switch (state) {
    case ServerState::up:
      return Health(Health::State::up);
    case ServerState::down:
      return Health(Health::State::down);
    case ServerState::awaited:
      return initial_health(check);
  }
  return initial_health(check);
}

std::optional<Health> remembered_health(const Memory& memory, std::uint64_t key,
                                        const CheckSettings& check) {
  const auto found = memory.find(key);
  if (found == memory.end()) return std::nullopt;
  switch (found->second.verdict) {
    case Remembered::Verdict::up:
      return Health::resumed(Health::State::up, found->second.failures_in_row);
    case Remembered::Verdict::down:
      return Health::resumed(Health::State::down, found->second.failures_in_row);
    case Remembered::Verdict::unknown:
      return Health::resumed(initial_health(check).state(), found->second.failures_in_row);
  }
  return std::nullopt;
}

/// Since when the server is what its checks' records make it: the latest of them changed it.
std::optional<core::Instant> since_of(const ServerView& server, const Memory& memory) {
  std::optional<core::Instant> latest;
  for (const CheckState& check : server.checks) {
    const auto record = memory.find(check.record_key);
    if (record != memory.end() && (!latest || record->second.since > *latest))
      latest = record->second.since;
  }
  return latest;
}

}  // namespace

std::uint64_t Engine::Former::server_key(const ServiceSettings& service,
                                         const core::Endpoint& server) {
  return hash_text(fmt::format("server {} {}", name_of(service), server.to_string()));
}

void Engine::on_event(const Configure& configure, core::Instant now, Actions& out) {
  if (stopped_) return;
  Former former = take_former();
  settings_ = configure.settings;
  services_.assign(settings_.services.size(), {});
  heap_ = {};
  const ipvs::Table before = std::move(desired_);
  desired_ = {};

  for (std::size_t i = 0; i < services_.size(); ++i) {
    services_[i].servers.resize(settings_.services[i].servers.size());
    for (std::size_t j = 0; j < services_[i].servers.size(); ++j)
      adopt_server(i, j, former, configure.memory, now, out);
    for (const ipvs::ServiceKey& key : settings_.services[i].keys)
      if (const auto old = before.services.find(key); old != before.services.end())
        desired_.services.insert(*old);  // so that only differences are published
    adopt_service(i, former, configure.memory, now, out);
  }
  for (const auto& [key, entry] : before.services)
    if (!desired_.services.contains(key)) out.push_back(TableChanged{key});
  forget_former(former, configure.memory, out);
  for (auto& [id, probe] : probes_)
    if (probe.due) heap_.push({*probe.due, id});
}

Engine::Former Engine::take_former() {
  Former former;
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const ServiceSettings& service = settings_.services[i];
    former.services.emplace(service_record_key(service), services_[i].quorum_up);
    for (std::size_t j = 0; j < service.servers.size(); ++j) {
      const ServerView& server = services_[i].servers[j];
      former.servers.emplace(Former::server_key(service, service.servers[j].endpoint),
                             Former::Server{server.state, server.pending, server.since});
      for (const CheckState& check : server.checks)
        former.checks.emplace(check.record_key, check.health);
    }
  }
  for (auto& [id, probe] : probes_) {
    const CheckIndex first = probe.subscribers.front();
    former.probes.emplace(sharing_identity(check_settings(first)), id);
    former.probe_healths.emplace(id, check_state(first).health);
    probe.subscribers.clear();
  }
  return former;
}

void Engine::adopt_server(std::size_t service, std::size_t index, Former& former,
                          const Memory& memory, core::Instant now, Actions& out) {
  const ServiceSettings& of = settings_.services[service];
  const ServerSettings& settings = of.servers[index];
  ServerView& server = services_[service].servers[index];
  const auto old = former.servers.find(Former::server_key(of, settings.endpoint));
  server.checks.resize(settings.checks.size());

  for (std::size_t k = 0; k < settings.checks.size(); ++k) {
    const CheckSettings& wanted = settings.checks[k];
    CheckState& check = server.checks[k];
    check.record_key = check_record_key(of, settings.endpoint, wanted.probe);
    check.probe = find_or_make_probe({service, index, k}, former);

    const auto known = former.checks.find(check.record_key);
    const auto shared = former.probe_healths.find(check.probe);
    if (known != former.checks.end() && !known->second.is_pending()) {
      check.health = known->second;
    } else if (known == former.checks.end() && old != former.servers.end() &&
               !old->second.pending) {
      check.health = inherited_health(old->second.state, wanted);
      if (!check.health.is_pending())
        out.push_back(Remember{check.record_key, record_of(check.health, now)});
    } else if (shared != former.probe_healths.end() && !shared->second.is_pending()) {
      check.health = shared->second;
      out.push_back(Remember{check.record_key, record_of(check.health, now)});
    } else {
      check.health =
          remembered_health(memory, check.record_key, wanted).value_or(initial_health(wanted));
    }
    schedule_first(check, wanted.pace, now);
  }
  server.state = state_of(server);
  server.pending = is_pending(server);
  server.since = since_of(server, memory).value_or(now);
  if (old != former.servers.end() && old->second.state == server.state)
    server.since = old->second.since;
}

ProbeId Engine::find_or_make_probe(const CheckIndex& at, Former& former) {
  const auto [place, is_new] =
      former.probes.try_emplace(sharing_identity(check_settings(at)), ProbeId{next_probe_});
  if (is_new) ++next_probe_;
  probes_[place->second].subscribers.push_back(at);
  return place->second;
}

void Engine::schedule_first(const CheckState& check, const Pace& pace, core::Instant now) {
  Probe& probe = probes_.at(check.probe);
  if (probe.due || probe.running) return;
  probe.due = first_run(pace, now, rng_);
  // A predecessor was in the middle of its retries: go on with them.
  if (check.health.state() == Health::State::up && check.health.failures_in_row() != 0)
    probe.due = std::min(*probe.due, now + pace.delay_before_retry);
}

void Engine::adopt_service(std::size_t index, const Former& former, const Memory& memory,
                           core::Instant now, Actions& out) {
  const ServiceSettings& settings = settings_.services[index];
  ServiceView& service = services_[index];
  const std::uint64_t key = service_record_key(settings);
  if (const auto old = former.services.find(key); old != former.services.end())
    service.quorum_up = old->second;
  else if (const auto record = memory.find(key); record != memory.end())
    service.quorum_up = record->second.verdict == Remembered::Verdict::up;
  // Otherwise it starts without quorum, so that having it at once is news for the operator's
  // script.
  service.up_weight = up_weight(settings, server_states(index));
  judge_quorum(index, std::nullopt, now, out);
}

void Engine::forget_former(const Former& former, const Memory& memory, Actions& out) {
  for (auto it = probes_.begin(); it != probes_.end();) {
    if (!it->second.subscribers.empty()) {
      ++it;
      continue;
    }
    if (it->second.running) out.push_back(StopProbe{it->first});
    it = probes_.erase(it);
  }
  std::unordered_set<std::uint64_t> kept;
  for (std::size_t i = 0; i < services_.size(); ++i) {
    kept.insert(service_record_key(settings_.services[i]));
    for (const ServerView& server : services_[i].servers)
      for (const CheckState& check : server.checks) kept.insert(check.record_key);
  }
  const auto forget = [&](const auto& records) {
    for (const auto& [key, record] : records)
      if (!kept.contains(key)) out.push_back(Forget{key});
  };
  forget(former.services);
  forget(former.checks);
  forget(memory);
}

}  // namespace holdfast::checkers
