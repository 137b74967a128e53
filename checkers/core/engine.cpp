#include "checkers/core/engine.hpp"

#include "checkers/core/identity.hpp"
#include "checkers/core/opinion.hpp"
#include "checkers/core/schedule.hpp"
#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::checkers {

Remembered record_of(const CheckState& check, core::Instant since) {
  Remembered record{Remembered::Verdict::unknown, check.health.failures_in_row(), since,
                    check.weight};
  switch (check.health.state()) {
    case Health::State::up:
      record.verdict = Remembered::Verdict::up;
      break;
    case Health::State::down:
      record.verdict = Remembered::Verdict::down;
      break;
    case Health::State::assumed_up:
    case Health::State::awaited:
      break;
  }
  return record;
}

ServerState state_of(const ServerView& server) {
  if (server.is_held) return ServerState::awaited;
  ServerState state = ServerState::up;
  for (const CheckState& check : server.checks) {
    if (check.health.state() == Health::State::awaited) return ServerState::awaited;
    if (!check.health.is_up()) state = ServerState::down;
  }
  return state;
}

bool is_pending(const ServerView& server) {
  return (server.is_held || !server.checks.empty()) &&
         std::all_of(server.checks.begin(), server.checks.end(),
                     [](const CheckState& check) { return check.health.is_pending(); });
}

namespace {

/// All its addresses are, and it has some.
bool is_elsewhere(const ServiceSettings& service, const std::set<core::IpAddress>& here) {
  if (!service.ha_suspend) return false;
  bool has_address = false;
  for (const ipvs::ServiceKey& key : service.keys) {
    const auto* address = std::get_if<ipvs::AddressKey>(&key);
    if (address == nullptr) continue;
    if (here.contains(address->endpoint.address)) return false;
    has_address = true;
  }
  return has_address;
}

}  // namespace

void Engine::step(const Event& event, core::Instant now, Actions& out) {
  std::visit([&](const auto& happened) { on_event(happened, now, out); }, event);
}

std::optional<core::Instant> Engine::deadline() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.top().at;
}

const ProbeSettings& Engine::probe_settings(ProbeId probe) const {
  const auto found = probes_.find(probe);
  HOLDFAST_ASSERT(found != probes_.end(),
                  "asked only for probes that were started and not stopped");
  return check_settings(found->second.subscribers.front()).probe;
}

const std::optional<LastRun>& Engine::last_run(ProbeId probe) const {
  const auto found = probes_.find(probe);
  HOLDFAST_ASSERT(found != probes_.end(), "asked only for probes of the present configuration");
  return found->second.last;
}

std::vector<ProbeId> Engine::under_way() const {
  std::vector<ProbeId> found;
  for (const auto& [id, probe] : probes_)
    if (probe.running) found.push_back(id);
  std::sort(found.begin(), found.end());
  return found;
}

const CheckSettings& Engine::check_settings(const CheckIndex& at) const {
  return settings_.services[at.service].servers[at.server].checks[at.check];
}

CheckState& Engine::check_state(const CheckIndex& at) {
  return services_[at.service].servers[at.server].checks[at.check];
}

void Engine::arm(ProbeId id, Probe& probe, core::Instant at) {
  probe.due = at;
  heap_.push({at, id});
}

Lane Engine::lane_of(const Probe& probe) const {
  const bool serves = std::ranges::any_of(probe.subscribers, [&](const CheckIndex& at) {
    return services_[at.service].servers[at.server].checks[at.check].health.is_up();
  });
  return serves ? Lane::serving : Lane::fallen;
}

void Engine::on_event(const Tick&, core::Instant now, Actions& out) {
  // Every due moment is in the heap: Configure rebuilds it, Stop empties it. One that was brought
  // forward is there, too, and means nothing any more.
  while (!heap_.empty() && heap_.top().at <= now) {
    const Due due = heap_.top();
    heap_.pop();
    Probe& probe = probes_.at(due.probe);
    if (probe.due != due.at) continue;
    probe.due.reset();
    probe.running = true;
    probe.was_due = due.at;
    out.push_back(StartProbe{due.probe, lane_of(probe)});
  }
}

void Engine::on_event(const ProbeFinished& finished, core::Instant now, Actions& out) {
  const auto found = probes_.find(finished.probe);
  if (stopped_ || found == probes_.end() || !found->second.running)
    return;  // its probe went with a reload
  Probe& probe = found->second;
  probe.running = false;
  probe.last = LastRun{now, finished.outcome};

  // A problem of our own is retried soon: the server may be ill meanwhile and we would not know.
  NextRun next = finished.outcome.result == Result::not_tried ? NextRun::retry : NextRun::regular;
  for (const CheckIndex& at : probe.subscribers)
    if (tell_subscriber(at, finished.outcome, now, out) == HealthChange::retry)
      next = NextRun::retry;
  if (!is_wanted(probe)) return;  // until the addresses are here
  const Pace& pace = check_settings(probe.subscribers.front()).pace;
  arm(found->first, probe, next_run(pace, probe.was_due, now, next));
}

void Engine::on_event(const AddressesHere& here, core::Instant now, Actions&) {
  if (stopped_ || here.addresses == here_) return;
  here_ = here.addresses;
  follow_addresses(now);
}

bool Engine::is_wanted(const Probe& probe) const {
  return std::ranges::any_of(
      probe.subscribers, [&](const CheckIndex& at) { return !services_[at.service].suspended; });
}

// Who takes over asks at once: what was known of the servers may be old.
void Engine::follow_addresses(core::Instant now) {
  for (std::size_t i = 0; i < services_.size(); ++i)
    services_[i].suspended = is_elsewhere(settings_.services[i], here_);
  heap_ = {};
  for (auto& [id, probe] : probes_) {
    if (!is_wanted(probe)) {
      probe.due.reset();
    } else if (!probe.due && !probe.running) {
      probe.due = now;
    }
    if (probe.due) heap_.push({*probe.due, id});
  }
}

void Engine::on_event(const FileChanged& changed, core::Instant now, Actions&) {
  if (stopped_) return;
  for (auto& [id, probe] : probes_) {
    const ProbeSettings& settings = check_settings(probe.subscribers.front()).probe;
    const auto* file = std::get_if<FileProbe>(&settings.dialogue);
    if (file != nullptr && file->file == changed.file && !probe.running && probe.due != now)
      arm(id, probe, now);
  }
}

void Engine::on_event(const Stop&, core::Instant, Actions& out) {
  stopped_ = true;
  heap_ = {};
  for (const auto& [id, probe] : probes_)
    if (probe.running) out.push_back(StopProbe{id});
  for (std::size_t i = 0; i < services_.size(); ++i) {
    if (!settings_.services[i].omega) continue;
    for (std::size_t j = 0; j < services_[i].servers.size(); ++j)
      if (services_[i].servers[j].standing.state == ServerState::up)
        notify_server(i, j, false, out);
    if (services_[i].quorum_up) notify_quorum(i, false, out);
  }
}

HealthChange Engine::tell_subscriber(const CheckIndex& at, const Outcome& outcome,
                                     core::Instant now, Actions& out) {
  CheckState& check = check_state(at);
  const Health before = check.health;
  const std::optional<WeightClaim> weight_before = check.weight;
  if (outcome.result == Result::passed) check.weight = outcome.weight;
  const HealthChange change = check.health.on_result(outcome.result, check_settings(at).pace.retry);
  const bool first = before.is_pending() && !check.health.is_pending();

  if (change == HealthChange::went_up || change == HealthChange::went_down || first)
    out.push_back(
        CheckChanged{at.service, at.server, at.check, check.health.is_up(), outcome.reason});
  else if (change == HealthChange::retry || outcome.result == Result::not_tried)
    out.push_back(CheckTroubled{at.service, at.server, at.check, check.health.failures_in_row(),
                                outcome.reason});
  if (check.health != before || check.weight != weight_before) {
    judge_server(at, outcome.reason, now, out);
    const core::Instant since = services_[at.service].servers[at.server].since;
    out.push_back(Remember{check.record_key, record_of(check, since)});
  }
  return change;
}

void Engine::judge_server(const CheckIndex& at, const std::string& why, core::Instant now,
                          Actions& out) {
  ServerView& server = services_[at.service].servers[at.server];
  server.pending = is_pending(server);
  const Standing before = server.standing;
  const Standing standing = standing_of(at.service, at.server);
  if (standing == before) return;

  std::uint64_t& up_weight = services_[at.service].up_weight;
  if (before.state == ServerState::up) up_weight -= before.weight;
  if (standing.state == ServerState::up) up_weight += standing.weight;
  server.standing = standing;
  const bool up = standing.state == ServerState::up;
  if (standing.state == before.state) {
    if (!up) return;  // it counts when the server is back
    out.push_back(WeightChanged{at.service, at.server, before.weight, standing.weight, why});
    if (judge_quorum(at.service, at.server, now, out))
      notify_quorum(at.service, services_[at.service].quorum_up, out);
    return;
  }
  server.since = now;
  out.push_back(ServerChanged{at.service, at.server, up, why});
  // This publishes, before anybody is told; and keepalived tells of the server first.
  const bool is_quorum_news = judge_quorum(at.service, at.server, now, out);
  notify_server(at.service, at.server, up, out);
  if (is_quorum_news) notify_quorum(at.service, services_[at.service].quorum_up, out);
}

bool Engine::judge_quorum(std::size_t index, std::optional<std::size_t> only_server,
                          core::Instant now, Actions& out) {
  const ServiceSettings& settings = settings_.services[index];
  ServiceView& service = services_[index];
  const bool was_up = service.quorum_up;
  service.quorum_up = quorum_after(was_up, service.up_weight, settings.quorum, settings.hysteresis);

  if (only_server && service.quorum_up == was_up)
    publish_server(index, *only_server, out);
  else
    publish(index, out);
  if (service.quorum_up == was_up) return false;
  out.push_back(QuorumChanged{index, service.quorum_up, service.up_weight});
  out.push_back(
      Remember{service_record_key(settings),
               {service.quorum_up ? Remembered::Verdict::up : Remembered::Verdict::down, 0, now}});
  return true;
}

void Engine::publish(std::size_t index, Actions& out) {
  const ServiceSettings& settings = settings_.services[index];
  const std::vector<Standing> servers = standings(index);
  for (const ipvs::ServiceKey& key : settings.keys) {
    ipvs::Service entry = desired_service(settings, key, servers, services_[index].quorum_up);
    const auto [place, is_new] = desired_.services.try_emplace(key);
    if (!is_new && place->second == entry) continue;
    place->second = std::move(entry);
    out.push_back(TableChanged{key});
  }
}

void Engine::publish_server(std::size_t index, std::size_t server, Actions& out) {
  const ServiceSettings& settings = settings_.services[index];
  const ServerSettings& changed = settings.servers[server];
  // Where two claim one address, the rules of desired_service() say who has it.
  if (settings.sorry_server && settings.sorry_server->endpoint.address == changed.endpoint.address)
    return publish(index, out);

  const bool sorry = settings.sorry_server && !services_[index].quorum_up;
  const auto wanted = desired_server(changed, services_[index].servers[server].standing, sorry);
  for (const ipvs::ServiceKey& key : settings.keys) {
    if (!is_reached_from(key, changed.endpoint, changed.entry)) continue;
    auto& servers = desired_.services.at(key).servers;
    const core::Endpoint place = endpoint_in(settings, key, changed.endpoint, changed.entry);
    const auto before = servers.find(place);
    if (wanted ? before != servers.end() && before->second == *wanted : before == servers.end())
      continue;
    if (wanted)
      servers.insert_or_assign(place, *wanted);
    else
      servers.erase(before);
    out.push_back(TableChanged{key});
  }
}

void Engine::notify_server(std::size_t service, std::size_t server, bool up, Actions& out) {
  const ServerSettings& settings = settings_.services[service].servers[server];
  const core::Rare<Script>& script = up ? settings.notify_up : settings.notify_down;
  if (script || settings.mails || settings_.pipes)
    out.push_back(
        Notify{up ? NotifyKind::server_up : NotifyKind::server_down, service, server, script});
}

void Engine::notify_quorum(std::size_t service, bool up, Actions& out) {
  const ServiceSettings& settings = settings_.services[service];
  const core::Rare<Script>& script = up ? settings.quorum_up : settings.quorum_down;
  if (script || settings.mails || settings_.pipes)
    out.push_back(Notify{up ? NotifyKind::quorum_up : NotifyKind::quorum_down, service,
                         std::nullopt, script});
}

std::vector<Standing> Engine::standings(std::size_t service) const {
  std::vector<Standing> all;
  all.reserve(services_[service].servers.size());
  for (const ServerView& server : services_[service].servers) all.push_back(server.standing);
  return all;
}

Standing Engine::standing_of(std::size_t service, std::size_t server) const {
  const ServerView& view = services_[service].servers[server];
  const ServerSettings& settings = settings_.services[service].servers[server];
  if (const auto asked = steered_.find(settings.endpoint); asked != steered_.end())
    return {state_of(view), asked->second};
  const std::uint32_t configured = settings.entry.weight;
  std::vector<WeightClaim> claims;
  for (const CheckState& check : view.checks)
    if (check.weight) claims.push_back(*check.weight);
  return {state_of(view), effective_weight(configured, claims)};
}

}  // namespace holdfast::checkers
