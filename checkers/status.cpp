#include "checkers/status.hpp"

#include "checkers/core/identity.hpp"
#include "ipvs_wrapper/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/script_status.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <unistd.h>

namespace holdfast::checkers {

namespace {

namespace json = boost::json;

json::value text(const std::string& from) {
  return json::string(from);
}

json::object address_json(const ipvs::AddressKey& key) {
  return {{"protocol", ipvs::to_string(key.protocol)},
          {"address", key.endpoint.address.to_string()},
          {"port", key.endpoint.port}};
}
json::object address_json(const ipvs::MarkKey& key) {
  return {{"protocol", "FWM"},
          {"mark", key.mark},
          {"family", key.family == core::Family::v4 ? "ipv4" : "ipv6"}};
}
json::object key_json(const ipvs::ServiceKey& key) {
  return std::visit([](const auto& one) { return address_json(one); }, key);
}

double milliseconds(core::Duration duration) {
  return static_cast<double>(duration.count()) / 1000.0;
}

/// Connections of a server, when the kernel has told any.
void add_connections(json::object& to, const TableState& table, const ipvs::ServiceKey& service,
                     const core::Endpoint& server) {
  ipvs::ServerCounters counters;
  if (const auto known = table.counters.find(service); known != table.counters.end())
    if (const auto found = known->second.servers.find(server); found != known->second.servers.end())
      counters = found->second;
  to["active_connections"] = counters.active_connections;
  to["inactive_connections"] = counters.inactive_connections;
}

class Writer {
 public:
  Writer(const Engine& engine, const TableState& table, const ScriptRecords& scripts)
      : engine_(engine), table_(table), scripts_(scripts) {}

  [[nodiscard]] json::object service(std::size_t index) const {
    const ServiceSettings& settings = engine_.settings().services[index];
    const ServiceView& view = engine_.services()[index];
    json::object to = key_json(settings.key);
    to["scheduler"] = settings.settings.scheduler;
    to["forwarding"] = settings.servers.empty()
                           ? json::value()
                           : text(ipvs::to_string(settings.servers[0].entry.forwarding));
    to["persistence_timeout_s"] =
        settings.settings.persistence ? settings.settings.persistence->timeout.count() : 0;
    to["quorum"] = settings.quorum;
    to["quorum_up"] = view.quorum_up;
    to["up_weight"] = view.up_weight;
    to["sorry_server"] = sorry_server(settings, view);
    json::array servers;
    for (std::size_t j = 0; j < view.servers.size(); ++j)
      servers.push_back(server(settings, view, j));
    to["servers"] = std::move(servers);
    add_scripts(to, ipvs::to_string(settings.key));
    return to;
  }

 private:
  [[nodiscard]] const ipvs::Server* in_table(const ipvs::ServiceKey& service,
                                             const core::Endpoint& server) const {
    const auto& services = table_.reconciler.actual().services;
    const auto known = services.find(service);
    if (known == services.end()) return nullptr;
    const auto found = known->second.servers.find(server);
    return found == known->second.servers.end() ? nullptr : &found->second;
  }

  /// One address can be a real server and the sorry server: its entry in the table is the sorry
  /// server's while the quorum is lost, the real server's otherwise (desired_service()).
  [[nodiscard]] static bool is_sorry_entry(const ServiceSettings& settings, const ServiceView& view,
                                           const core::Endpoint& endpoint) {
    if (!settings.sorry_server || settings.sorry_server->endpoint != endpoint) return false;
    return !view.quorum_up || std::ranges::none_of(settings.servers, [&](const auto& server) {
      return server.endpoint == endpoint;
    });
  }

  [[nodiscard]] json::value sorry_server(const ServiceSettings& settings,
                                         const ServiceView& view) const {
    if (!settings.sorry_server) return nullptr;
    const SorryServer& sorry = *settings.sorry_server;
    const ipvs::Server* entry = is_sorry_entry(settings, view, sorry.endpoint)
                                    ? in_table(settings.key, sorry.endpoint)
                                    : nullptr;
    json::object to{{"address", sorry.endpoint.address.to_string()},
                    {"port", sorry.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"in_table", entry != nullptr},
                    {"in_use", entry != nullptr && !view.quorum_up}};
    add_connections(to, table_, settings.key, sorry.endpoint);
    return to;
  }

  [[nodiscard]] json::object server(const ServiceSettings& service, const ServiceView& view,
                                    std::size_t index) const {
    const ServerSettings& settings = service.servers[index];
    const ServerView& state = view.servers[index];
    const ipvs::Server* entry = is_sorry_entry(service, view, settings.endpoint)
                                    ? nullptr
                                    : in_table(service.key, settings.endpoint);
    json::object to{{"address", settings.endpoint.address.to_string()},
                    {"port", settings.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"configured_weight", settings.entry.weight},
                    {"forwarding", ipvs::to_string(settings.entry.forwarding)},
                    {"in_table", entry != nullptr},
                    {"state", state_text(state)},
                    {"since_at", runtime::iso8601_utc(state.since)},
                    {"since_ms", milliseconds(runtime::now() - state.since)}};
    add_connections(to, table_, service.key, settings.endpoint);
    json::array checks;
    for (std::size_t k = 0; k < state.checks.size(); ++k)
      checks.push_back(check(settings.checks[k], state.checks[k]));
    to["checks"] = std::move(checks);
    add_scripts(to, subject_of(service.key, settings.endpoint));
    return to;
  }

  /// Of those subjects for which scripts were ever asked for.
  void add_scripts(json::object& to, const std::string& subject) const {
    const auto record = scripts_.find(subject);
    if (record != scripts_.end()) to["scripts"] = runtime::to_json(record->second, runtime::now());
  }

  [[nodiscard]] static std::string_view state_text(const ServerView& server) {
    if (server.pending) return "unknown";
    return server.state == ServerState::up ? "up" : "down";
  }

  [[nodiscard]] json::object check(const CheckSettings& settings, const CheckState& state) const {
    json::object to{{"type", type_name(settings.probe.dialogue)},
                    {"target", settings.probe.target.to_string()},
                    {"result", state.health.is_pending() ? "pending"
                               : state.health.is_up()    ? "up"
                                                         : "down"},
                    {"failures_in_row", state.health.failures_in_row()}};
    const auto& last = engine_.last_run(state.probe);
    to["reason"] = last ? text(last->outcome.reason) : json::value();
    to["last_at"] = last ? text(runtime::iso8601_utc(last->at)) : json::value();
    to["took_ms"] = last ? json::value(milliseconds(last->outcome.took)) : json::value();
    return to;
  }

  const Engine& engine_;
  TableState table_;
  const ScriptRecords& scripts_;
};

/// What differs now, and how often others changed something so far.
json::object ipvs_json(const Reconciler& table, const ipvs::Table& desired) {
  json::object to{{"available", table.is_available()},
                  {"error", table.error() ? text(*table.error()) : json::value()},
                  {"differs", nullptr},
                  {"drift", table.drift()},
                  {"last_drift_at", nullptr},
                  {"last_drift_ms", nullptr}};
  if (const auto last = table.last_drift()) {
    to["last_drift_at"] = runtime::iso8601_utc(*last);
    to["last_drift_ms"] = milliseconds(runtime::now() - *last);
  }
  if (const auto differing = table.differing(desired)) {
    json::array entries;
    for (const std::string& sentence : differing->sentences)
      if (entries.size() < kMaxDifferencesTold) entries.push_back(text(sentence));
    to["differs"] = {{"places", differing->sentences.size()},
                     {"since_at", runtime::iso8601_utc(differing->since)},
                     {"since_ms", milliseconds(runtime::now() - differing->since)},
                     {"entries", std::move(entries)}};
  }
  return to;
}

json::object counters_json(const Counters& counters) {
  return {{"probes_started", counters.probes_started},
          {"probes_passed", counters.probes_passed},
          {"probes_failed", counters.probes_failed},
          {"probes_not_tried", counters.probes_not_tried},
          {"server_transitions", counters.server_transitions},
          {"quorum_transitions", counters.quorum_transitions}};
}

}  // namespace

void Counters::count(Result result) {
  switch (result) {
    case Result::passed:
      ++probes_passed;
      break;
    case Result::failed:
      ++probes_failed;
      break;
    case Result::not_tried:
      ++probes_not_tried;
      break;
  }
}

json::object status_json(const Engine& engine, const TableState& table, const Counters& counters,
                         std::uint64_t generation, const ScriptRecords& scripts) {
  const Writer writer(engine, table, scripts);
  json::array services;
  for (std::size_t i = 0; i < engine.services().size(); ++i) services.push_back(writer.service(i));
  json::array foreign;
  for (const ipvs::ServiceKey& key : table.reconciler.foreign()) foreign.push_back(key_json(key));
  return {
      {"process", "checkers"},           {"pid", ::getpid()},
      {"generation", generation},        {"ipvs", ipvs_json(table.reconciler, engine.desired())},
      {"probes", engine.probe_count()},  {"counters", counters_json(counters)},
      {"services", std::move(services)}, {"foreign", std::move(foreign)}};
}

}  // namespace holdfast::checkers
