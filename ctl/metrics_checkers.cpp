// Our own names for what the checkers process tells. Connections and traffic of the kernel's table
// are those that it was last asked for; node_exporter's ipvs collector has the kernel's own.
#include "ctl/json_view.hpp"
#include "ctl/metric_rows.hpp"
#include "ctl/metrics.hpp"

#include <fmt/format.h>

#include <array>
#include <set>
#include <vector>

namespace holdfast::ctl {
namespace {

using Type = Exposition::Type;

std::string endpoint(const object& from) {
  const std::string address = text(from, "address");
  return address.find(':') == std::string::npos
             ? fmt::format("{}:{}", address, text(from, "port"))
             : fmt::format("[{}]:{}", address, text(from, "port"));
}

/// "TCP 192.0.2.1:80", "FWM 7 IPv6", or "UDP group dns": two services may have one group.
std::string name_of(const object& service) {
  if (find(service, "group") != nullptr) {
    const array& entries = find_list(service, "entries");
    const object* first = entries.empty() ? nullptr : entries.front().if_object();
    return fmt::format("{}group {}", first == nullptr ? "" : text(*first, "protocol") + " ",
                       text(service, "group"));
  }
  const std::string protocol = text(service, "protocol");
  if (find(service, "mark") == nullptr) return protocol + " " + endpoint(service);
  return fmt::format("{} {}{}", protocol, text(service, "mark"),
                     text(service, "family") == "ipv6" ? " IPv6" : "");
}

/// Twins are told once: two samples of the same labels would cost the scraper all others.
struct Services {
  std::set<std::string> told;
  std::vector<Known> services;
  std::vector<Known> servers;
  std::vector<Known> checks;
};

/// Two checks of one kind and target of a server are told apart by their place.
void list_server(Services& to, const std::string& service, const object& server) {
  const std::string who = labels({{"service", service}, {"server", endpoint(server)}});
  if (!to.told.insert(who).second) return;
  to.servers.push_back({&server, who});
  std::size_t place = 0;
  for (const value& entry : find_list(server, "checks")) {
    ++place;
    const object* check = entry.if_object();
    if (check == nullptr) continue;
    to.checks.push_back({check, who + ',' +
                                    labels({{"type", text(*check, "type")},
                                            {"target", text(*check, "target")},
                                            {"place", std::to_string(place)}})});
  }
}

Services services_of(const object& checkers) {
  Services known;
  for (const value& entry : find_list(checkers, "services")) {
    const object* service = entry.if_object();
    if (service == nullptr) continue;
    const std::string name = name_of(*service);
    const std::string who = labels({{"service", name}});
    if (known.told.insert(who).second) known.services.push_back({service, who});
    for (const value& each : find_list(*service, "servers"))
      if (const object* server = each.if_object()) list_server(known, name, *server);
  }
  return known;
}

constexpr std::array kServiceRows{
    Row{"holdfast_service_quorum_up", Type::gauge, "quorum_up", 1, "1 while the quorum is met."},
    Row{"holdfast_service_quorum", Type::gauge, "quorum", 1, "Weight that the quorum asks for."},
    Row{"holdfast_service_up_weight", Type::gauge, "up_weight", 1,
        "Weight of the servers that are up."},
    Row{"holdfast_service_suspended", Type::gauge, "suspended", 1,
        "1 while it is not probed because its address is elsewhere."},
};
constexpr std::array kServerRows{
    Row{"holdfast_server_weight", Type::gauge, "weight", 1, "Weight in the kernel's table."},
    Row{"holdfast_server_configured_weight", Type::gauge, "configured_weight", 1,
        "Weight in the configuration."},
    Row{"holdfast_server_in_table", Type::gauge, "in_table", 1,
        "1 while it is in the kernel's table."},
    Row{"holdfast_server_state_age_seconds", Type::gauge, "since_ms", 0.001,
        "Time in the present state."},
    Row{"holdfast_server_active_connections", Type::gauge, "active_connections", 1,
        "Connections that are open."},
    Row{"holdfast_server_inactive_connections", Type::gauge, "inactive_connections", 1,
        "Connections that are ending, or of protocols without connections."},
};
constexpr std::array kTrafficRows{
    Row{"holdfast_ipvs_connections", Type::counter, "connections", 1,
        "Connections that the kernel has scheduled."},
    Row{"holdfast_ipvs_incoming_packets", Type::counter, "packets_in", 1, "Packets of clients."},
    Row{"holdfast_ipvs_outgoing_packets", Type::counter, "packets_out", 1,
        "Packets to clients that pass here (NAT)."},
    Row{"holdfast_ipvs_incoming_bytes", Type::counter, "bytes_in", 1, "Bytes of clients."},
    Row{"holdfast_ipvs_outgoing_bytes", Type::counter, "bytes_out", 1,
        "Bytes to clients that pass here (NAT)."},
};
constexpr std::array kCheckRows{
    Row{"holdfast_check_duration_seconds", Type::gauge, "took_ms", 0.001,
        "How long the last run took."},
    Row{"holdfast_check_failures_in_row", Type::gauge, "failures_in_row", 1,
        "Runs that failed since the last one that passed."},
};
constexpr std::array kProbeRows{
    Row{"holdfast_probes_started", Type::counter, "probes_started", 1, "Runs of all checks."},
    Row{"holdfast_probes_passed", Type::counter, "probes_passed", 1, "Those that passed."},
    Row{"holdfast_probes_failed", Type::counter, "probes_failed", 1, "Those that failed."},
    Row{"holdfast_probes_not_tried", Type::counter, "probes_not_tried", 1,
        "Those that the director itself could not make."},
    Row{"holdfast_server_transitions", Type::counter, "server_transitions", 1,
        "Times that a server went up or down."},
    Row{"holdfast_quorum_transitions", Type::counter, "quorum_transitions", 1,
        "Times that a quorum was lost or met again."},
};

void add_words(Exposition& to, const std::vector<Known>& known, std::string_view key,
               std::string_view wanted) {
  for (const Known& each : known) {
    const std::string now = text(*each.from, key);
    if (now == "up" || now == "down") to.sample(each.labels, now == wanted ? 1 : 0);
  }
}

void add_table(Exposition& to, const object& checkers) {
  const object* ipvs = find_object(checkers, "ipvs");
  if (ipvs == nullptr) return;
  to.family("holdfast_ipvs_available", Type::gauge, "1 while the kernel's table can be written.");
  to.sample("", flag(*ipvs, "available") ? 1 : 0);
  to.family("holdfast_ipvs_differences", Type::gauge,
            "Places where the kernel's table is not as it should be.");
  const object* differs = find_object(*ipvs, "differs");
  to.sample("",
            differs == nullptr ? 0 : static_cast<double>(number(*differs, "places").value_or(0)));
  to.family("holdfast_ipvs_drift", Type::counter,
            "Entries that others changed and that were put back.");
  if (const auto drift = number(*ipvs, "drift")) to.sample("", static_cast<double>(*drift));
}

void add_probes(Exposition& to, const object& checkers) {
  if (const object* counters = find_object(checkers, "counters"))
    add_rows(to, std::array{Known{counters, ""}}, kProbeRows);
  to.family("holdfast_probes_waiting", Type::gauge, "Runs that are due and wait for a free place.");
  if (const auto waiting = number(checkers, "probes_waiting"))
    to.sample("", static_cast<double>(*waiting));
}

}  // namespace

void add_checkers_metrics(Exposition& to, const object& checkers) {
  const Services known = services_of(checkers);
  add_rows(to, known.services, kServiceRows);
  add_rows(to, known.services, kTrafficRows, "traffic");
  to.family("holdfast_server_up", Type::gauge,
            "1 when all checks of the server pass; absent until they have run.");
  add_words(to, known.servers, "state", "up");
  add_rows(to, known.servers, kServerRows);
  to.family("holdfast_check_up", Type::gauge,
            "1 when the check counts as passed; absent until it has run.");
  add_words(to, known.checks, "result", "up");
  add_rows(to, known.checks, kCheckRows);
  add_table(to, checkers);
  add_probes(to, checkers);
}

}  // namespace holdfast::ctl
