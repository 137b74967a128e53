#include "tests/unit/config/corpus_facts.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <set>

namespace holdfast::config::test {
namespace {

namespace json = boost::json;

// Keys that repeat are numbered: "x", "x #2".
class Collector {
 public:
  std::string object(std::string key, std::string feature) {
    const int count = ++seen_[key];
    if (count > 1) key += fmt::format(" #{}", count);
    facts_[key] = {"", std::move(feature)};
    return key;
  }
  void property(const std::string& object, std::string_view name, std::string value) {
    facts_[fmt::format("{} {}", object, name)] = {std::move(value), std::string(name)};
  }
  Facts take() { return std::move(facts_); }

 private:
  Facts facts_;
  std::map<std::string, int> seen_;
};

// An address as one text, whatever its spelling and its prefix length.
std::string plain(std::string_view text) {
  text = text.substr(0, text.find_first_of(" /"));
  const auto address = core::IpAddress::parse(text);
  return address ? address->to_string() : std::string(text);
}

std::string milliseconds(core::Duration value) {
  return fmt::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}

std::string text_of(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  return json::serialize(*value);
}

std::string interval_of(const std::string& advert) {
  const std::size_t blank = advert.find(' ');
  const bool seconds = advert.substr(blank + 1) == "sec";
  return fmt::format("{} ms", std::stol(advert) * (seconds ? 1000 : 1));
}

const json::array& list(const json::object& from, std::string_view name) {
  static const json::array none;
  const json::value* value = from.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::string family_word(std::string_view address) {
  return address.find(':') == std::string_view::npos ? "" : "IPv6 ";
}

void read_instance(const json::object& from, Collector& out) {
  const std::string name = text_of(from, "name");
  // Without a virtual router id keepalived ends with an error: nothing was loaded.
  if (text_of(from, "vrid") == "0") return;
  const std::string key = out.object("instance " + name, "instance");
  // Version 0: keepalived gave up before it completed the instance; what it had read is compared.
  const bool complete = text_of(from, "version") != "0";
  const auto state = text_of(from, "state");
  out.property(key, "vrid", text_of(from, "vrid"));
  if (text_of(from, "priority") != "0") out.property(key, "priority", text_of(from, "priority"));
  if (complete) {
    out.property(key, "version", text_of(from, "version"));
    out.property(key, "advert_int", interval_of(text_of(from, "advert")));
    out.property(key, "preempt", text_of(from, "preempt"));
  }
  if (state != "INIT") out.property(key, "state", state);
  const std::string configured = text_of(from, "cfg_interface");
  const std::string interface = configured.empty() ? text_of(from, "interface") : configured;
  // "not": the dump's "not present", cut at its blank.
  if (interface != "not" && !interface.empty()) out.property(key, "interface", interface);
  if (complete && !text_of(from, "auth").empty()) out.property(key, "auth", text_of(from, "auth"));
  for (const json::value& one : list(from, "vips"))
    out.property(key, "address " + plain(one.get_string()), "");
  for (const json::value& one : list(from, "evips"))
    out.property(key, "excluded " + plain(one.get_string()), "");
}

void read_server(const std::string& service, const json::object& from, Collector& out) {
  const std::string address = plain(text_of(from, "ip"));
  const std::string key =
      out.object(fmt::format("{} server {} {}", service, address, text_of(from, "port")),
                 family_word(address) + "real_server");
  out.property(key, "weight", text_of(from, "weight"));
  out.property(key, "lvs_method", text_of(from, "kind"));
  std::map<std::string, int> checks;
  for (const json::value& one : list(from, "checks")) ++checks[std::string(one.get_string())];
  for (const auto& [type, count] : checks) out.property(key, type, fmt::format("{}", count));
}

std::string service_key(const json::object& from, std::string& feature) {
  if (from.contains("group")) {
    feature = "virtual_server group";
    return "service group " + text_of(from, "group");
  }
  if (from.contains("fwmark")) {
    feature = "virtual_server fwmark";
    return "service fwmark " + text_of(from, "fwmark");
  }
  const std::string address = plain(text_of(from, "vip"));
  feature = family_word(address) + "virtual_server";
  return fmt::format("service {} {} {}", text_of(from, "proto"), address, text_of(from, "port"));
}

void read_service(const json::object& from, Collector& out) {
  std::string feature;
  const std::string name = service_key(from, feature);
  const std::string key = out.object(name, feature);
  out.property(key, "lb_algo", text_of(from, "algo"));
  out.property(key, "lb_kind", text_of(from, "kind"));
  out.property(key, "quorum", text_of(from, "quorum"));
  out.property(key, "hysteresis", text_of(from, "hysteresis"));
  if (from.contains("persistence"))
    out.property(key, "persistence_timeout", text_of(from, "persistence"));
  const std::string sorry = text_of(from, "sorry_server");
  if (!sorry.empty())
    out.property(key, "sorry_server", plain(sorry.substr(1, sorry.find(']') - 1)));
  for (const json::value& one : list(from, "real_servers")) read_server(key, one.get_object(), out);
}

const char* auth_word(AuthType type) {
  switch (type) {
    case AuthType::none:
      return "none";
    case AuthType::pass:
      return "SIMPLE_PASSWORD";
    case AuthType::ah:
      return "IPSEC_AH";
  }
  return "none";
}

void add_instance(const VrrpInstance& from, Collector& out) {
  const std::string key = out.object("instance " + from.name, "instance");
  out.property(key, "vrid", fmt::format("{}", from.virtual_router_id));
  out.property(key, "priority", fmt::format("{}", from.priority));
  out.property(key, "version", fmt::format("{}", from.version));
  out.property(key, "advert_int", milliseconds(from.advert_int));
  out.property(key, "preempt", from.preempt ? "enabled" : "disabled");
  out.property(key, "state", to_string(from.state));
  out.property(key, "interface", from.interface);
  out.property(key, "auth", auth_word(from.authentication.type));
  for (const VirtualAddress& one : from.virtual_addresses)
    out.property(key, "address " + one.prefix.address.to_string(), "");
  for (const VirtualAddress& one : from.virtual_addresses_excluded)
    out.property(key, "excluded " + one.prefix.address.to_string(), "");
}

void add_server(const std::string& service, const RealServer& from, Collector& out) {
  const std::string address = from.address.to_string();
  const std::string key = out.object(fmt::format("{} server {} {}", service, address, from.port),
                                     family_word(address) + "real_server");
  out.property(key, "weight", fmt::format("{}", from.weight));
  out.property(key, "lvs_method", to_string(from.forwarding));
  std::map<std::string, int> checks;
  for (const Check& one : from.checks) ++checks[type_name(one)];
  for (const auto& [type, count] : checks) out.property(key, type, fmt::format("{}", count));
}

void add_service(const std::string& name, const VirtualServer& from, Collector& out) {
  const std::string key = out.object(name, "virtual_server");
  out.property(key, "lb_algo", from.scheduler);
  out.property(key, "lb_kind", to_string(from.forwarding));
  out.property(key, "quorum", fmt::format("{}", from.quorum));
  out.property(key, "hysteresis", fmt::format("{}", from.hysteresis));
  if (from.persistence_timeout.count() != 0) {
    out.property(key, "persistence_timeout",
                 fmt::format("{}", from.persistence_timeout / std::chrono::seconds(1)));
  }
  if (from.sorry_server) out.property(key, "sorry_server", from.sorry_server->address.to_string());
  for (const RealServer& server : from.real_servers) add_server(key, server, out);
}

}  // namespace

Facts facts_of(const Model& model) {
  Collector out;
  for (const VrrpInstance& one : model.instances) add_instance(one, out);
  for (const VirtualServer& one : model.services) {
    add_service(
        fmt::format("service {} {} {}", to_string(one.protocol), one.address.to_string(), one.port),
        one, out);
  }
  return out.take();
}

Facts facts_of_json(const std::string& text) {
  Collector out;
  const json::object dump = json::parse(text).get_object();
  for (const json::value& one : list(dump, "vrrp_instances")) read_instance(one.get_object(), out);
  for (const json::value& one : list(dump, "virtual_servers")) read_service(one.get_object(), out);
  return out.take();
}

Comparison compare(const Facts& theirs, const Facts& ours) {
  Comparison result;
  std::set<std::string> features;
  std::string absent;  // what belongs to an object that is missing is not missed again
  for (const auto& [key, fact] : theirs) {
    if (!absent.empty() && key.starts_with(absent + " ")) continue;
    const auto found = ours.find(key);
    if (found != ours.end() && found->second.value == fact.value) continue;
    std::string feature = fact.feature;
    if (feature.starts_with("address ") || feature.starts_with("excluded "))
      feature = feature.find(':') == std::string::npos ? "virtual address" : "IPv6 virtual address";
    if (found == ours.end()) absent = key;
    if (found != ours.end()) feature += " differs";
    if (!features.insert(feature).second) continue;
    result.missing.emplace_back(
        feature, found == ours.end()
                     ? key
                     : fmt::format("{}: {} there, {} here", key, fact.value, found->second.value));
  }
  for (const auto& [key, fact] : ours) result.extra = result.extra || !theirs.contains(key);
  return result;
}

}  // namespace holdfast::config::test
