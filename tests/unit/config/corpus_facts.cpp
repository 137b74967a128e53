// Our side: model → facts, and the comparison.
#include "tests/unit/config/corpus_facts.hpp"

#include <fmt/format.h>

#include <set>

namespace holdfast::config::test {
namespace {

std::string milliseconds(core::Duration value) {
  return fmt::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}

std::string seconds(core::Duration value) {
  return fmt::format("{}", value / std::chrono::seconds(1));
}

const char* yes_no(bool value) {
  return value ? "yes" : "no";
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

std::string address_line(const VirtualAddress& from) {
  std::string out = spell(from.prefix);
  if (from.broadcast) out += " brd " + from.broadcast->to_string();
  return out;
}

std::string whole_prefix(const core::IpPrefix& from) {
  return plain_prefix(fmt::format("{}/{}", from.address.to_string(), from.length));
}

std::string route_line(const Route& from) {
  std::string out = whole_prefix(from.destination);
  if (from.source) out += " src " + from.source->to_string();
  if (from.via) out += " via " + from.via->to_string();
  if (!from.interface.empty()) out += " dev " + from.interface;
  if (!from.table.empty()) out += " table " + from.table;
  if (from.scope) out += fmt::format(" scope {}", *from.scope);
  if (from.metric) out += fmt::format(" metric {}", *from.metric);
  if (from.no_track) out += " no_track";
  return out;
}

// keepalived numbers the rules without a priority 16384, 16383, … in the order of the files.
std::string rule_line(const Rule& from, std::uint32_t& next_priority) {
  std::string out;
  if (from.from) out += "from " + whole_prefix(*from.from) + " ";
  if (from.to) out += "to " + whole_prefix(*from.to) + " ";
  out += fmt::format("priority {}", from.priority ? *from.priority : next_priority--);
  if (from.fwmark) out += fmt::format(" fwmark 0x{:x}", *from.fwmark);
  if (!from.in_interface.empty()) out += " iif " + from.in_interface;
  if (!from.out_interface.empty()) out += " oif " + from.out_interface;
  if (!from.table.empty()) out += " lookup " + from.table;
  return out;
}

void add_tracked(const std::string& key, const Model& model, const Tracking& from, Collector& out) {
  std::map<std::string, std::int16_t> own;
  for (const VrrpScript& script : model.scripts) own.emplace(script.name, script.weight);
  for (const Tracked& one : from.interfaces) {
    out.entry(key, "track_interface",
              fmt::format("{} weight {}", one.name, one.weight.value_or(0)));
  }
  for (const Tracked& one : from.scripts) {
    out.entry(key, "track_script",
              fmt::format("{} weight {}", one.name, one.weight.value_or(own[one.name])));
  }
}

void add_instance(const Model& model, const VrrpInstance& from, std::uint32_t& next_priority,
                  Collector& out) {
  const std::string key = out.object("instance " + from.name, "instance");
  out.property(key, "vrid", fmt::format("{}", from.virtual_router_id));
  out.property(key, "priority", fmt::format("{}", from.priority));
  out.property(key, "version", fmt::format("{}", from.version));
  out.property(key, "advert_int", milliseconds(from.advert_int));
  out.property(key, "preempt", from.preempt ? "enabled" : "disabled");
  out.property(key, "preempt_delay", seconds(from.preempt_delay));
  out.property(key, "state", to_string(from.state));
  // keepalived shows the interface of the virtual MAC alone when it was given a name.
  out.property(key, "interface", from.interface, from.vmac ? from.vmac->name : "");
  out.property(key, "auth", auth_word(from.authentication.type));
  if (from.vmac) out.property(key, "use_vmac", "yes");
  for (const VirtualAddress& one : from.virtual_addresses)
    out.entry(key, "address", address_line(one));
  for (const VirtualAddress& one : from.virtual_addresses_excluded)
    out.entry(key, "excluded", address_line(one));
  for (const Route& one : from.virtual_routes) out.entry(key, "route", route_line(one));
  for (const Rule& one : from.virtual_rules) out.entry(key, "rule", rule_line(one, next_priority));
  for (const UnicastPeer& one : from.unicast_peers) {
    out.entry(key, "peer",
              fmt::format("{} ttl {} to {}", one.address.to_string(), one.min_ttl.value_or(0),
                          one.max_ttl.value_or(255)));
  }
  add_tracked(key, model, from.tracking, out);
}

const ConnectOptions* pace_of(const Check& check) {
  return std::visit(
      [](const auto& one) -> const ConnectOptions* {
        if constexpr (requires { one.connect; }) {
          return &one.connect;
        } else if constexpr (requires { one.pace; }) {
          return &one.pace;
        } else {
          return nullptr;
        }
      },
      check);
}

void add_server(const std::string& service, const RealServer& from, Collector& out) {
  const std::string address = from.address.to_string();
  const std::string key = out.object(fmt::format("{} server {} {}", service, address, from.port),
                                     family_word(address) + "real_server");
  out.property(key, "weight", fmt::format("{}", from.weight));
  out.property(key, "lvs_method", to_string(from.forwarding));
  out.property(key, "inhibit_on_failure", yes_no(from.inhibit_on_failure));
  for (const Check& one : from.checks) out.entry(key, "check", type_name(one));
}

void add_service(const std::string& name, const VirtualServer& from, Collector& out) {
  const std::string key = out.object(name, "virtual_server");
  out.property(key, "protocol", to_string(from.protocol));
  out.property(key, "lb_algo", from.scheduler);
  out.property(key, "lb_kind", to_string(from.forwarding));
  out.property(key, "quorum", fmt::format("{}", from.quorum));
  out.property(key, "hysteresis", fmt::format("{}", from.hysteresis));
  out.property(key, "alpha", yes_no(from.alpha));
  out.property(key, "omega", yes_no(from.omega));
  out.property(key, "virtualhost", from.virtualhost);
  out.property(key, "persistence_timeout", seconds(from.persistence_timeout));
  if (from.sorry_server) {
    out.property(
        key, "sorry_server",
        fmt::format("{} port {}", from.sorry_server->address.to_string(), from.sorry_server->port));
  }
  for (const RealServer& server : from.real_servers) {
    add_server(key, server, out);
    for (const Check& check : server.checks) {
      if (const ConnectOptions* pace = pace_of(check))
        out.property(key, "delay_loop " + milliseconds(pace->delay_loop), "");
    }
  }
}

std::string service_key(const VirtualServer& from) {
  if (!from.group.empty()) return "service group " + from.group;
  if (from.fwmark != 0) return fmt::format("service fwmark {}", from.fwmark);
  return fmt::format("service {} {} {}", to_string(from.protocol), from.address.to_string(),
                     from.port);
}

void add_server_group(const VirtualServerGroup& from, Collector& out) {
  const std::string key = out.object("virtual_server_group " + from.name, "virtual_server_group");
  for (const GroupEntry& one : from.entries) {
    if (one.fwmark != 0) {
      out.entry(key, "entry", fmt::format("fwmark {}", one.fwmark));
      continue;
    }
    const std::string first = one.first.to_string();
    const std::string range =
        one.first == one.last ? first : fmt::format("{}-{}", first, one.last.to_string());
    out.entry(key, "entry", fmt::format("{} port {}", range, one.port));
  }
}

}  // namespace

std::string Collector::object(std::string key, std::string feature) {
  const int count = ++seen_[key];
  if (count > 1) key += fmt::format(" #{}", count);
  facts_[key] = {"", std::move(feature), true};
  return key;
}

void Collector::property(const std::string& object, std::string_view name, std::string value,
                         std::string or_else) {
  facts_[fmt::format("{} {}", object, name)] = {std::move(value), std::string(name), false,
                                                std::move(or_else)};
}

void Collector::entry(const std::string& object, std::string_view what, std::string_view text) {
  (void)this->object(fmt::format("{} {} {}", object, what, text),
                     family_word(text) + std::string(what));
}

std::string plain_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = core::IpAddress::parse(text.substr(0, slash));
  if (!address) return std::string(text);
  const std::string_view whole = address->family() == core::Family::v4 ? "/32" : "/128";
  if (slash == std::string_view::npos || text.substr(slash) == whole) return address->to_string();
  return address->to_string() + std::string(text.substr(slash));
}

std::string spell(const core::IpPrefix& prefix) {
  return plain_prefix(fmt::format("{}/{}", prefix.address.to_string(), prefix.length));
}

std::string family_word(std::string_view address) {
  return address.find(':') == std::string_view::npos ? "" : "IPv6 ";
}

Facts facts_of(const Model& model) {
  Collector out;
  std::uint32_t next_priority = 16384;
  for (const VrrpInstance& one : model.instances) add_instance(model, one, next_priority, out);
  for (const SyncGroup& one : model.sync_groups) {
    const std::string key = out.object("sync_group " + one.name, "vrrp_sync_group");
    for (const std::string& member : one.instances) out.entry(key, "member", member);
  }
  for (const VrrpScript& one : model.scripts) (void)out.object("script " + one.name, "vrrp_script");
  for (const VirtualServer& one : model.services) add_service(service_key(one), one, out);
  for (const VirtualServerGroup& one : model.service_groups) add_server_group(one, out);
  return out.take();
}

static bool same(const Fact& theirs, const Fact& ours) {
  return theirs.value == ours.value || (!ours.or_else.empty() && theirs.value == ours.or_else);
}

Comparison compare(const Facts& theirs, const Facts& ours) {
  Comparison result;
  std::set<std::string> features;
  std::string absent;  // what belongs to an object that is missing is not missed again
  for (const auto& [key, fact] : theirs) {
    if (!absent.empty() && key.starts_with(absent + " ")) continue;
    const auto found = ours.find(key);
    if (found != ours.end() && same(fact, found->second)) continue;
    std::string feature = fact.feature;
    if (found == ours.end()) absent = key;
    if (found != ours.end()) feature += " differs";
    if (!features.insert(feature).second) continue;
    result.missing.emplace_back(
        feature, found == ours.end()
                     ? key
                     : fmt::format("{}: {} there, {} here", key, fact.value, found->second.value));
  }
  features.clear();
  absent.clear();
  for (const auto& [key, fact] : ours) {
    if (!fact.entry || theirs.contains(key)) continue;
    if (!absent.empty() && key.starts_with(absent + " ")) continue;
    absent = key;
    if (features.insert(fact.feature).second) result.extra.emplace_back(fact.feature, key);
  }
  return result;
}

}  // namespace holdfast::config::test
