#include "checkers/status.hpp"

#include "checkers/core/identity.hpp"
#include "ipvs_wrapper/json.hpp"
#include "runtime/clock.hpp"

#include <boost/json/array.hpp>

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
void add_connections(json::object& to, const TableKeeper& keeper, const ipvs::ServiceKey& service,
                     const core::Endpoint& server) {
  ipvs::ServerCounters counters;
  if (const auto known = keeper.counters().find(service); known != keeper.counters().end())
    if (const auto found = known->second.servers.find(server); found != known->second.servers.end())
      counters = found->second;
  to["active_connections"] = counters.active_connections;
  to["inactive_connections"] = counters.inactive_connections;
}

class Writer {
 public:
  Writer(const Engine& engine, const TableKeeper& keeper) : engine_(engine), keeper_(keeper) {}

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
    to["sorry_server"] = sorry_server(settings);
    json::array servers;
    for (std::size_t j = 0; j < view.servers.size(); ++j)
      servers.push_back(server(settings, view, j));
    to["servers"] = std::move(servers);
    return to;
  }

 private:
  [[nodiscard]] const ipvs::Server* in_table(const ipvs::ServiceKey& service,
                                             const core::Endpoint& server) const {
    const auto& services = keeper_.state().actual().services;
    const auto known = services.find(service);
    if (known == services.end()) return nullptr;
    const auto found = known->second.servers.find(server);
    return found == known->second.servers.end() ? nullptr : &found->second;
  }

  [[nodiscard]] json::value sorry_server(const ServiceSettings& settings) const {
    if (!settings.sorry_server) return nullptr;
    const SorryServer& sorry = *settings.sorry_server;
    const ipvs::Server* entry = in_table(settings.key, sorry.endpoint);
    json::object to{{"address", sorry.endpoint.address.to_string()},
                    {"port", sorry.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"in_table", entry != nullptr}};
    add_connections(to, keeper_, settings.key, sorry.endpoint);
    return to;
  }

  [[nodiscard]] json::object server(const ServiceSettings& service, const ServiceView& view,
                                    std::size_t index) const {
    const ServerSettings& settings = service.servers[index];
    const ServerView& state = view.servers[index];
    const ipvs::Server* entry = in_table(service.key, settings.endpoint);
    json::object to{{"address", settings.endpoint.address.to_string()},
                    {"port", settings.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"configured_weight", settings.entry.weight},
                    {"forwarding", ipvs::to_string(settings.entry.forwarding)},
                    {"in_table", entry != nullptr},
                    {"state", state_text(state)},
                    {"since_at", runtime::iso8601_utc(state.since)},
                    {"since_ms", milliseconds(runtime::now() - state.since)}};
    add_connections(to, keeper_, service.key, settings.endpoint);
    json::array checks;
    for (std::size_t k = 0; k < state.checks.size(); ++k)
      checks.push_back(check(settings.checks[k], state.checks[k]));
    to["checks"] = std::move(checks);
    return to;
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
  const TableKeeper& keeper_;
};

json::object counters_json(const Counters& counters) {
  return {{"probes_started", counters.probes_started},
          {"probes_passed", counters.probes_passed},
          {"probes_failed", counters.probes_failed},
          {"probes_not_tried", counters.probes_not_tried},
          {"server_transitions", counters.server_transitions},
          {"quorum_transitions", counters.quorum_transitions}};
}

}  // namespace

json::object status_json(const Engine& engine, const TableKeeper& keeper, const Counters& counters,
                         std::uint64_t generation) {
  const Reconciler& table = keeper.state();
  const Writer writer(engine, keeper);
  json::array services;
  for (std::size_t i = 0; i < engine.services().size(); ++i) services.push_back(writer.service(i));
  json::array foreign;
  for (const ipvs::ServiceKey& key : table.foreign()) foreign.push_back(key_json(key));
  return {{"process", "checkers"},
          {"pid", ::getpid()},
          {"generation", generation},
          {"ipvs",
           {{"available", table.is_available()},
            {"error", table.error() ? text(*table.error()) : json::value()},
            {"drift", table.drift()}}},
          {"probes", engine.probe_count()},
          {"counters", counters_json(counters)},
          {"services", std::move(services)},
          {"foreign", std::move(foreign)}};
}

}  // namespace holdfast::checkers
