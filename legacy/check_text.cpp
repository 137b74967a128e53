// keepalived_check.data: services and servers.
#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "legacy/data_text.hpp"
#include "legacy/phrases.hpp"
#include <map>

namespace holdfast::legacy {
namespace {

namespace json = boost::json;

const char* on_off(bool is) {
  return is ? "ON" : "OFF";
}

template <class Value>
void key(std::string& text, std::string_view name, const Value& value) {
  text += fmt::format("   {} = {}\n", name, value);
}

const char* family_word(core::Family family) {
  return family == core::Family::v4 ? "inet" : "inet6";
}

/// What a service is called in the document of the checkers.
std::string identity_of(const config::VirtualServer& service) {
  if (!service.group.empty())
    return fmt::format("group {} {}", service.group, config::to_string(service.protocol));
  if (service.fwmark != 0)
    return fmt::format("mark {} {}", service.fwmark, service.address.is_v4() ? "ipv4" : "ipv6");
  return fmt::format("{} {} {}", config::to_string(service.protocol), service.address.to_string(),
                     service.port);
}

std::string identity_of(const json::object& service) {
  if (service.contains("group")) {
    const json::value& entries = service.at("entries");
    const bool has_any = entries.is_array() && !entries.get_array().empty();
    const std::string_view protocol =
        has_any ? text_in(entries.get_array().front().as_object(), "protocol") : "";
    return fmt::format("group {} {}", text_in(service, "group"), protocol);
  }
  if (service.contains("mark"))
    return fmt::format("mark {} {}", number_in(service, "mark"), text_in(service, "family"));
  return fmt::format("{} {} {}", text_in(service, "protocol"), text_in(service, "address"),
                     number_in(service, "port"));
}

/// keepalived's first line of a service.
std::string title_of(const config::VirtualServer& service) {
  if (!service.group.empty()) return fmt::format(" VS GROUP = {}\n", service.group);
  if (service.fwmark != 0) return fmt::format(" VS FWMARK = {}\n", service.fwmark);
  return fmt::format(" VS VIP = {}, VPORT = {}\n", service.address.to_string(), service.port);
}

void add_server(std::string& text, const config::RealServer& server, const json::object& status) {
  const auto effective = number_in(status, "effective_weight");
  text += "   ------< Real server >------\n";
  text += fmt::format("   RIP = {}, RPORT = {}, WEIGHT = {} EFF WEIGHT = {}\n",
                      server.address.to_string(), server.port, server.weight, effective);
  key(text, "forwarding method", config::to_string(server.forwarding));
  text += fmt::format("   Alpha is {}\n", on_off(server.alpha));
  text += fmt::format("   connection limit range = {} -> {}\n", server.lower_threshold,
                      server.upper_threshold);
  text += fmt::format("   Inhibit on failure is {}\n", on_off(server.inhibit_on_failure));
  key(text, "Using smtp notification", server.smtp_alert ? "yes" : "no");
  key(text, "initial weight", server.weight);
  key(text, "effective weight", effective);
  key(text, "alive", text_in(status, "state") == "up" ? 1 : 0);
  std::size_t failed = 0;
  if (const auto* checks = status.if_contains("checks"); checks && checks->is_array()) {
    for (const json::value& each : checks->get_array())
      failed += each.is_object() && text_in(each.get_object(), "result") == "down" ? 1 : 0;
  }
  key(text, "num failed checkers", failed);
  key(text, "RS set", flag_in(status, "in_table") ? 1 : 0);
}

/// The document lists the servers of a service in the order of the configuration.
const json::object& server_at(const json::object& service, std::size_t index) {
  static const json::object kUnknown;
  const auto* servers = service.if_contains("servers");
  if (servers == nullptr || !servers->is_array() || index >= servers->get_array().size())
    return kUnknown;
  const json::value& found = servers->get_array()[index];
  return found.is_object() ? found.get_object() : kUnknown;
}

void add_service(std::string& text, const config::VirtualServer& service,
                 const json::object& status) {
  text += " ------< Virtual server >------\n" + title_of(service);
  key(text, "Address family", family_word(service.address.family()));
  key(text, "lvs_sched", service.scheduler);
  if (service.persistence_timeout != core::Duration::zero())
    key(text, "persistence timeout", whole_seconds(service.persistence_timeout));
  key(text, "protocol", config::to_string(service.protocol));
  text +=
      fmt::format("   alpha is {}\n   omega is {}\n", on_off(service.alpha), on_off(service.omega));
  text += fmt::format("   quorum = {}, hysteresis = {}\n", service.quorum, service.hysteresis);
  key(text, "Using smtp notification", service.smtp_alert ? "yes" : "no");
  key(text, "default forwarding method", config::to_string(service.forwarding));
  if (service.sorry_server)
    text += fmt::format("   sorry server = [{}]:{}\n", service.sorry_server->address.to_string(),
                        service.sorry_server->port);
  key(text, "alive", status.empty() || flag_in(status, "suspended") ? 0 : 1);
  key(text, "quorum_state_up", flag_in(status, "quorum_up") ? 1 : 0);
  for (std::size_t i = 0; i < service.real_servers.size(); ++i)
    add_server(text, service.real_servers[i], server_at(status, i));
}

}  // namespace

std::string check_text(const config::Model& model, const json::object& status) {
  std::map<std::string, const json::object*> known;
  if (const auto* services = status.if_contains("services"); services && services->is_array()) {
    for (const json::value& each : services->get_array())
      if (each.is_object()) known.emplace(identity_of(each.get_object()), &each.get_object());
  }
  std::string text = globals_text(model);
  if (!model.services.empty()) text += "------< LVS Topology >------\n";
  const json::object unknown;
  for (const config::VirtualServer& service : model.services) {
    const auto found = known.find(identity_of(service));
    add_service(text, service, found == known.end() ? unknown : *found->second);
  }
  return text;
}

}  // namespace holdfast::legacy
