// keepalived's side: NAME.loaded.json → facts.
#include "tests/unit/config/corpus_facts.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <sstream>

namespace holdfast::config::test {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  if (value == nullptr) return "";
  if (value->is_string()) return std::string(value->get_string());
  return json::serialize(*value);
}

const json::array& list(const json::object& from, std::string_view name) {
  static const json::array none;
  const json::value* value = from.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

std::vector<std::string> words(const json::value& line) {
  std::istringstream stream{std::string(line.get_string())};
  std::vector<std::string> out;
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

// "1 sec", "1000 milli-sec".
std::string interval(const std::string& advert) {
  const bool seconds = advert.ends_with(" sec");
  return fmt::format("{} ms", std::stol(advert) * (seconds ? 1000 : 1));
}

// "192.168.1.200/24 brd 192.168.1.255".
std::string address_line(const json::value& line) {
  const std::vector<std::string> parts = words(line);
  std::string out = plain_prefix(parts.at(0));
  if (parts.size() > 2 && parts[1] == "brd") out += " brd " + plain_prefix(parts[2]);
  return out;
}

// "prepend 0.0.0.0/0 src A via inet B dev eth0 table 10 proto 18 scope 253 no_track": without what
// is always there.
std::string route_line(const json::value& line) {
  std::string out;
  const std::vector<std::string> parts = words(line);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "prepend" || parts[i] == "inet" || parts[i] == "inet6") continue;
    if (parts[i] == "proto") {
      ++i;
      continue;
    }
    out += (out.empty() ? "" : " ") + plain_prefix(parts[i]);
  }
  return out;
}

// "from A to B priority 16384 tos 0x0 fwmark 0x10 iif lo protocol 18 lookup 51".
std::string rule_line(const json::value& line) {
  std::string out;
  const std::vector<std::string> parts = words(line);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool constant = parts[i] == "protocol" || (parts[i] == "tos" && parts[i + 1] == "0x0");
    if (constant) {
      ++i;
      continue;
    }
    if (parts[i] == "all") continue;
    if (parts[i] == "from" && i + 1 < parts.size() && parts[i + 1] == "all") continue;
    out += (out.empty() ? "" : " ") + plain_prefix(parts[i]);
  }
  return out;
}

void read_lists(const std::string& key, const json::object& from, Collector& out) {
  for (const json::value& one : list(from, "vips")) out.entry(key, "address", address_line(one));
  for (const json::value& one : list(from, "evips")) out.entry(key, "excluded", address_line(one));
  for (const json::value& one : list(from, "vroutes")) out.entry(key, "route", route_line(one));
  for (const json::value& one : list(from, "vrules")) out.entry(key, "rule", rule_line(one));
  for (const json::value& one : list(from, "track_interfaces"))
    out.entry(key, "track_interface", one.get_string());
  for (const json::value& one : list(from, "track_scripts"))
    out.entry(key, "track_script", one.get_string());
  for (const json::value& one : list(from, "unicast_peers")) {
    const std::vector<std::string> parts = words(one);
    out.entry(key, "peer",
              fmt::format("{} ttl {} to {}", plain_prefix(parts.at(0)), parts.at(2), parts.at(4)));
  }
}

void read_instance(const json::object& from, Collector& out) {
  // Without a virtual router id keepalived ends with an error: nothing was loaded.
  if (text_of(from, "vrid") == "0") return;
  const std::string key = out.object("instance " + text_of(from, "name"), "instance");
  // Version 0: keepalived gave up before it completed the instance; what it had read is compared.
  const bool complete = text_of(from, "version") != "0";
  const std::string state = text_of(from, "state");
  out.property(key, "vrid", text_of(from, "vrid"));
  if (text_of(from, "priority") != "0") out.property(key, "priority", text_of(from, "priority"));
  if (complete) {
    out.property(key, "version", text_of(from, "version"));
    out.property(key, "advert_int", interval(text_of(from, "advert")));
    out.property(key, "preempt", text_of(from, "preempt"));
    const std::string delay = text_of(from, "preempt_delay");
    if (!delay.empty()) out.property(key, "preempt_delay", delay);
    if (from.contains("auth")) out.property(key, "auth", text_of(from, "auth"));
  }
  if (state != "INIT") out.property(key, "state", state);
  // With a virtual MAC, "interface" is that of the MAC. "not": "not present", cut at its blank.
  const std::string configured = text_of(from, "cfg_interface");
  const std::string interface = configured.empty() ? text_of(from, "interface") : configured;
  if (interface != "not" && !interface.empty()) out.property(key, "interface", interface);
  if (!configured.empty()) out.property(key, "use_vmac", "yes");
  read_lists(key, from, out);
}

void read_group(const json::object& from, Collector& out) {
  // keepalived names an empty group in its dump and then drops it.
  if (list(from, "members").empty()) return;
  const std::string key = out.object("sync_group " + text_of(from, "name"), "vrrp_sync_group");
  for (const json::value& one : list(from, "members")) out.entry(key, "member", one.get_string());
}

void read_server(const std::string& service, const json::object& from, Collector& out) {
  const std::string address = plain_prefix(text_of(from, "ip"));
  const std::string key =
      out.object(fmt::format("{} server {} {}", service, address, text_of(from, "port")),
                 family_word(address) + "real_server");
  out.property(key, "weight", text_of(from, "weight"));
  out.property(key, "lvs_method", text_of(from, "kind"));
  out.property(key, "inhibit_on_failure", from.contains("inhibit") ? "yes" : "no");
  for (const json::value& one : list(from, "checks")) out.entry(key, "check", one.get_string());
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
  const std::string address = plain_prefix(text_of(from, "vip"));
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
  out.property(key, "alpha", from.contains("alpha") ? "yes" : "no");
  out.property(key, "omega", from.contains("omega") ? "yes" : "no");
  out.property(key, "virtualhost", text_of(from, "virtualhost"));
  out.property(key, "persistence_timeout",
               from.contains("persistence") ? text_of(from, "persistence") : "0");
  // Seen through the checkers, to which it is handed down.
  bool has_check = false;
  for (const json::value& one : list(from, "real_servers")) {
    for (const json::value& check : list(one.get_object(), "checks"))
      has_check = has_check || check.get_string() != "BFD_CHECK";
  }
  const double delay_loop = from.at("delay_loop").to_number<double>() * 1000.0;
  if (has_check)
    out.property(key, fmt::format("delay_loop {} ms", static_cast<long>(delay_loop)), "");
  if (from.contains("group") && text_of(from, "proto") != "none")
    out.property(key, "protocol", text_of(from, "proto"));
  // "[192.168.10.254]:tcp:80"
  const std::string sorry = text_of(from, "sorry_server");
  if (!sorry.empty()) {
    out.property(key, "sorry_server",
                 fmt::format("{} port {}", plain_prefix(sorry.substr(1, sorry.find(']') - 1)),
                             sorry.substr(sorry.rfind(':') + 1)));
  }
  for (const json::value& one : list(from, "real_servers")) read_server(key, one.get_object(), out);
}

void read_server_group(const json::object& from, Collector& out) {
  const std::string key =
      out.object("virtual_server_group " + text_of(from, "name"), "virtual_server_group");
  for (const json::value& value : list(from, "entries")) {
    const json::object& one = value.get_object();
    if (one.contains("fwmark")) {
      out.entry(key, "entry", "fwmark " + text_of(one, "fwmark"));
      continue;
    }
    const std::string ip = text_of(one, "ip");
    const std::size_t dash = ip.find('-');
    const std::string range = dash == std::string::npos ? plain_prefix(ip)
                                                        : plain_prefix(ip.substr(0, dash)) + "-" +
                                                              plain_prefix(ip.substr(dash + 1));
    out.entry(key, "entry", fmt::format("{} port {}", range, text_of(one, "port")));
  }
}

}  // namespace

Facts facts_of_dump(const std::string& text) {
  Collector out;
  const json::object dump = json::parse(text).get_object();
  for (const json::value& one : list(dump, "vrrp_instances")) read_instance(one.get_object(), out);
  for (const json::value& one : list(dump, "vrrp_sync_groups")) read_group(one.get_object(), out);
  for (const json::value& one : list(dump, "vrrp_scripts"))
    (void)out.object("script " + std::string(one.get_string()), "vrrp_script");
  for (const json::value& one : list(dump, "virtual_servers")) read_service(one.get_object(), out);
  for (const json::value& one : list(dump, "virtual_server_groups"))
    read_server_group(one.get_object(), out);
  return out.take();
}

}  // namespace holdfast::config::test
