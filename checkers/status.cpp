#include "checkers/status.hpp"

#include "checkers/core/identity.hpp"
#include "checkers/status_table.hpp"
#include "ipvs_wrapper/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/milliseconds.hpp"
#include "runtime/order_desk.hpp"
#include "runtime/script_status.hpp"
#include "runtime/turn_meter.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace holdfast::checkers {

namespace {

namespace json = boost::json;
using runtime::milliseconds;

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

/// A group by its name, anything else by its key.
json::object service_json(const ServiceSettings& settings) {
  if (settings.group.empty()) return key_json(settings.keys.front());
  json::array entries;
  for (const ipvs::ServiceKey& key : settings.keys)
    if (entries.size() < kMaxEntriesTold) entries.push_back(key_json(key));
  return {{"group", text(settings.group)},
          {"entries", std::move(entries)},
          {"entry_count", settings.keys.size()}};
}

class Writer {
 public:
  Writer(const Engine& engine, const TableState& table, const ScriptRecords& scripts)
      : engine_(engine), table_(table), scripts_(scripts) {}

  /// Without its servers.
  [[nodiscard]] json::object service(std::size_t index) const {
    const ServiceSettings& settings = engine_.settings().services[index];
    const ServiceView& view = engine_.services()[index];
    json::object to = service_json(settings);
    to["scheduler"] = settings.settings.scheduler;
    to["forwarding"] = settings.servers.empty()
                           ? json::value()
                           : text(ipvs::to_string(settings.servers[0].entry.forwarding));
    to["persistence_timeout_s"] =
        settings.settings.persistence ? settings.settings.persistence->timeout.count() : 0;
    to["quorum"] = settings.quorum;
    to["quorum_up"] = view.quorum_up;
    to["suspended"] = view.suspended;
    to["up_weight"] = view.up_weight;
    to["sorry_server"] = sorry_server(settings, view);
    to["traffic"] = traffic(settings);
    add_scripts(to, name_of(settings));
    return to;
  }

  [[nodiscard]] json::object server(std::size_t service, std::size_t index) const {
    return server(engine_.settings().services[service], engine_.services()[service], index);
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
  /// Of several entries that the service has: only when it is in all that it can serve.
  [[nodiscard]] const ipvs::Server* in_table(const ServiceSettings& service,
                                             const core::Endpoint& server,
                                             const ipvs::Server& how) const {
    const ipvs::Server* last = nullptr;
    for (const ipvs::ServiceKey& key : service.keys) {
      if (!is_reached_from(key, server, how)) continue;
      last = in_table(key, endpoint_in(service, key, server, how));
      if (last == nullptr) break;
    }
    return last;
  }

  /// In all entries of the service, as far as the kernel has told any.
  void add_connections(json::object& to, const ServiceSettings& service,
                       const core::Endpoint& server, const ipvs::Server& how) const {
    std::uint64_t active = 0;
    std::uint64_t inactive = 0;
    for (const ipvs::ServiceKey& key : service.keys) {
      const auto known = table_.counters.find(key);
      if (known == table_.counters.end()) continue;
      const auto& servers = known->second.servers;
      const auto found = servers.find(endpoint_in(service, key, server, how));
      if (found == servers.end()) continue;
      active += found->second.active_connections;
      inactive += found->second.inactive_connections;
    }
    to["active_connections"] = active;
    to["inactive_connections"] = inactive;
  }

  /// Of all entries of the service since each was made; null until the kernel has told any.
  [[nodiscard]] json::value traffic(const ServiceSettings& service) const {
    ipvs::Stats sum;
    bool is_known = false;
    for (const ipvs::ServiceKey& key : service.keys) {
      const auto known = table_.counters.find(key);
      if (known == table_.counters.end()) continue;
      is_known = true;
      sum.connections += known->second.stats.connections;
      sum.packets_in += known->second.stats.packets_in;
      sum.packets_out += known->second.stats.packets_out;
      sum.bytes_in += known->second.stats.bytes_in;
      sum.bytes_out += known->second.stats.bytes_out;
    }
    if (!is_known) return nullptr;
    return json::object{{"connections", sum.connections},
                        {"packets_in", sum.packets_in},
                        {"packets_out", sum.packets_out},
                        {"bytes_in", sum.bytes_in},
                        {"bytes_out", sum.bytes_out}};
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
                                    ? in_table(settings, sorry.endpoint, sorry.entry)
                                    : nullptr;
    json::object to{{"address", sorry.endpoint.address.to_string()},
                    {"port", sorry.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"in_table", entry != nullptr},
                    {"in_use", entry != nullptr && !view.quorum_up}};
    add_connections(to, settings, sorry.endpoint, sorry.entry);
    return to;
  }

  [[nodiscard]] json::object server(const ServiceSettings& service, const ServiceView& view,
                                    std::size_t index) const {
    const ServerSettings& settings = service.servers[index];
    const ServerView& state = view.servers[index];
    const ipvs::Server* entry = is_sorry_entry(service, view, settings.endpoint)
                                    ? nullptr
                                    : in_table(service, settings.endpoint, settings.entry);
    json::object to{{"address", settings.endpoint.address.to_string()},
                    {"port", settings.endpoint.port},
                    {"weight", entry ? entry->weight : 0},
                    {"configured_weight", settings.entry.weight},
                    {"effective_weight", state.standing.weight},
                    {"forwarding", ipvs::to_string(settings.entry.forwarding)},
                    {"in_table", entry != nullptr},
                    {"state", state_text(state)},
                    {"since_at", runtime::iso8601_utc(state.since)},
                    {"since_ms", milliseconds(runtime::now() - state.since)}};
    add_connections(to, service, settings.endpoint, settings.entry);
    json::array checks;
    for (std::size_t k = 0; k < state.checks.size(); ++k)
      checks.push_back(check(settings.checks[k], state.checks[k]));
    to["checks"] = std::move(checks);
    add_scripts(to, subject_of(service, settings.endpoint));
    return to;
  }

  /// Of those subjects for which scripts were ever asked for.
  void add_scripts(json::object& to, const std::string& subject) const {
    const auto record = scripts_.find(subject);
    if (record != scripts_.end()) to["scripts"] = runtime::to_json(record->second, runtime::now());
  }

  [[nodiscard]] static std::string_view state_text(const ServerView& server) {
    if (server.pending) return "unknown";
    return server.standing.state == ServerState::up ? "up" : "down";
  }

  [[nodiscard]] json::object check(const CheckSettings& settings, const CheckState& state) const {
    json::object to{{"type", type_name(settings.probe.dialogue)},
                    {"target", target_of(settings.probe)},
                    {"result", state.health.is_pending() ? "pending"
                               : state.health.is_up()    ? "up"
                                                         : "down"},
                    {"failures_in_row", state.health.failures_in_row()}};
    if (state.weight)
      to["weight"] = fmt::format("{}{}", state.weight->kind == WeightClaim::Kind::is ? "= " : "+ ",
                                 state.weight->value);
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

StatusDocument::StatusDocument(const Subject& subject) : subject_(subject) {}

runtime::ControlPiece StatusDocument::next() {
  if (step_ != Step::over && generation_ != subject_.generation) step_ = Step::head;
  switch (step_) {
    case Step::head:
      return head();
    case Step::servers:
      if (service_ < subject_.engine.services().size()) return some_servers();
      step_ = Step::over;
      return [](std::string& text) { text += "]}"; };
    case Step::over:
      break;
  }
  return {};
}

runtime::ControlPiece StatusDocument::head() {
  step_ = Step::servers;
  generation_ = subject_.generation;
  service_ = 0;
  server_ = 0;
  const Reconciler& reconciler = subject_.table.reconciler;
  json::array foreign;
  for (const ipvs::ServiceKey& key : reconciler.foreign()) foreign.push_back(key_json(key));
  json::object page{{"process", "checkers"},
                    {"pid", ::getpid()},
                    {"generation", generation_},
                    {"loop", runtime::turns_json()},
                    {"orders", runtime::status_json(subject_.orders, runtime::now())},
                    {"ipvs", ipvs_json(reconciler, subject_.engine.desired())},
                    {"sync", sync_json(subject_.sync)},
                    {"switches", switches_json(subject_.switches)},
                    {"probes", subject_.engine.probe_count()},
                    {"probes_open", subject_.probes.admission.open()},
                    {"probes_waiting", subject_.probes.admission.waiting()},
                    {"probes_at_once", subject_.probes.admission.limit()},
                    {"counters", counters_json(subject_.probes.counters)},
                    {"foreign", std::move(foreign)}};
  return [page = std::move(page)](std::string& text) {
    text = json::serialize(page);
    text.back() = ',';
    text += "\"services\":[";
  };
}

// A service of many servers is told in several turns, so that its text is put together of parts.
runtime::ControlPiece StatusDocument::some_servers() {
  struct Part {
    json::object value;
    bool is_service = false;
    bool ends_service = false;
  };
  const Writer writer(subject_.engine, subject_.table, subject_.scripts);
  std::vector<Part> parts;
  const auto& services = subject_.engine.services();
  for (std::size_t cost = 0; service_ < services.size() && cost < kMostServers; ++cost) {
    if (server_ == 0) parts.push_back({writer.service(service_), true, false});
    if (server_ < services[service_].servers.size())
      parts.push_back({writer.server(service_, server_++), false, false});
    if (server_ < services[service_].servers.size()) continue;
    parts.back().ends_service = true;
    ++service_;
    server_ = 0;
  }
  return [parts = std::move(parts)](std::string& text) {
    for (const Part& part : parts) {
      if (text.back() != '[') text += ',';
      text += json::serialize(part.value);
      if (part.is_service) {
        text.back() = ',';
        text += "\"servers\":[";
      }
      if (part.ends_service) text += "]}";
    }
  };
}

}  // namespace holdfast::checkers
