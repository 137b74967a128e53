#include "config/compare/plan.hpp"

#include "config/compare/plan_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::config {
namespace {

std::string router_key(std::string_view interface, core::Family family, std::uint8_t vrid) {
  return fmt::format("{} {} {}", interface, static_cast<int>(family), vrid);
}
std::string router_key(const VrrpInstance& instance) {
  return router_key(instance.interface, instance.family, instance.virtual_router_id);
}
std::string server_key(std::string_view service, std::string_view server) {
  return fmt::format("{} {}", service, server);
}
std::string name_of(const RealServer& server) {
  return core::Endpoint{server.address, server.port}.to_string();
}

std::set<core::IpAddress> addresses_of(const Model& model) {
  std::set<core::IpAddress> all;
  for (const VrrpInstance& instance : model.instances) {
    for (const auto& one : instance.virtual_addresses) all.insert(one.prefix.address);
    for (const auto& one : instance.virtual_addresses_excluded) all.insert(one.prefix.address);
  }
  return all;
}

std::unordered_set<std::string> servers_of(const Model& model) {
  std::unordered_set<std::string> all;
  for (const VirtualServer& service : model.services) {
    const std::string name = config::name_of(service);
    for (const RealServer& server : service.real_servers)
      all.insert(server_key(name, name_of(server)));
  }
  return all;
}

// What runs, by name.
class Known {
 public:
  explicit Known(const RunningView& view) {
    for (const RunningInstance& one : view.instances)
      instances_.emplace(router_key(one.interface, one.family, one.virtual_router_id), &one);
    for (const RunningService& one : view.services) services_.emplace(one.service, &one);
    for (const RunningServer& one : view.servers) {
      connections_[server_key(one.service, one.server)] = one.connections;
      service_connections_[one.service] += one.connections;
    }
  }

  [[nodiscard]] const RunningInstance* instance(const VrrpInstance& one) const {
    const auto found = instances_.find(router_key(one));
    return found == instances_.end() ? nullptr : found->second;
  }
  [[nodiscard]] const RunningService* service(const std::string& name) const {
    const auto found = services_.find(name);
    return found == services_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::optional<std::uint64_t> connections(const std::string& service) const {
    return value_of(service_connections_, service);
  }
  [[nodiscard]] std::optional<std::uint64_t> connections(const std::string& service,
                                                         const std::string& server) const {
    return value_of(connections_, server_key(service, server));
  }

 private:
  using Counts = std::unordered_map<std::string, std::uint64_t>;
  static std::optional<std::uint64_t> value_of(const Counts& counts, const std::string& key) {
    const auto found = counts.find(key);
    if (found == counts.end()) return std::nullopt;
    return found->second;
  }

  std::unordered_map<std::string, const RunningInstance*> instances_;
  std::unordered_map<std::string, const RunningService*> services_;
  Counts connections_;
  Counts service_connections_;
};

class Planner {
 public:
  Planner(const Model& before, const Model& after, const RunningView& running)
      : before_(before), after_(after), known_(running) {}

  std::vector<PlanStep> run() {
    const std::vector<Change> changes = diff(before_, after_);
    for (const Change& change : changes)
      if (change.object == ObjectKind::instance && change.kind == ChangeKind::removed)
        removed_names_.emplace(change.name, change.before);
    for (const Change& change : changes)
      if (change.object == ObjectKind::instance && change.kind == ChangeKind::added)
        added_names_.insert(change.name);
    for (const Change& change : changes) step(change);
    return std::move(steps_);
  }

 private:
  void add(const Change& change, std::string what, Consequence consequence) {
    steps_.push_back(
        {short_name(change), std::move(what), std::move(consequence.text), consequence.impact});
  }

  // People know instances, services and servers by their names alone.
  static std::string short_name(const Change& change) {
    if (change.object == ObjectKind::instance || change.object == ObjectKind::service)
      return change.name;
    if (change.object == ObjectKind::server)
      return fmt::format("{} {}", change.service, change.name);
    return object_name(change);
  }

  void step(const Change& change) {
    switch (change.object) {
      case ObjectKind::instance:
        return instance(change);
      case ObjectKind::service:
        return service(change);
      case ObjectKind::server:
        return server(change);
      case ObjectKind::globals:
        for (const FieldChange& field : change.fields)
          add(change, describe(field), changed_globals(field));
        return;
      case ObjectKind::garp_group:
      case ObjectKind::script:
      case ObjectKind::track_process:
      case ObjectKind::track_file:
      case ObjectKind::bfd_instance:
      case ObjectKind::track_group:
      case ObjectKind::static_address:
      case ObjectKind::static_route:
      case ObjectKind::static_rule:
      case ObjectKind::sync_group:
      case ObjectKind::service_group:
      case ObjectKind::tls:
        return other(change);
    }
  }

  void instance(const Change& change) {
    const bool has_before = change.kind != ChangeKind::added;
    const bool has_after = change.kind != ChangeKind::removed;
    const VrrpInstance* before = has_before ? &before_.instances[change.before] : nullptr;
    const VrrpInstance* after = has_after ? &after_.instances[change.after] : nullptr;
    const RunningInstance* running = before == nullptr ? nullptr : known_.instance(*before);
    InstanceRule rule{before, after, after_, running};
    if (change.kind == ChangeKind::removed) {
      if (added_names_.contains(change.name)) return;  // told where it is added
      return add(change, "removed", removed_instance(rule));
    }
    if (change.kind == ChangeKind::added) {
      const auto moved = removed_names_.find(change.name);
      if (moved == removed_names_.end()) return add(change, "added", added_instance(rule));
      rule.before = &before_.instances[moved->second];
      rule.running = known_.instance(*rule.before);
      return add(change, what_moved(*rule.before, *after), moved_instance(rule));
    }
    for (const FieldChange& field : change.fields)
      add(change, describe(field), changed_instance(rule, field));
  }

  static std::string what_moved(const VrrpInstance& before, const VrrpInstance& after) {
    std::string text;
    if (before.interface != after.interface)
      text = fmt::format("interface {} → {}", before.interface, after.interface);
    if (before.virtual_router_id != after.virtual_router_id)
      text += fmt::format("{}virtual_router_id {} → {}", text.empty() ? "" : ", ",
                          before.virtual_router_id, after.virtual_router_id);
    return text.empty() ? "another address family" : text;
  }

  void service(const Change& change) {
    const bool has_before = change.kind != ChangeKind::added;
    const bool has_after = change.kind != ChangeKind::removed;
    const ServiceRule rule{has_before ? &before_.services[change.before] : nullptr,
                           has_after ? &after_.services[change.after] : nullptr,
                           known_.service(change.name), known_.connections(change.name)};
    if (change.kind == ChangeKind::added) return add(change, "added", added_service(rule));
    if (change.kind == ChangeKind::removed) return add(change, "removed", removed_service(rule));
    for (const FieldChange& field : change.fields)
      add(change, describe(field), changed_service(rule, field));
  }

  void server(const Change& change) {
    const auto& before = before_.services[change.service_before].real_servers;
    const auto& after = after_.services[change.service_after].real_servers;
    const ServerRule rule{change.kind == ChangeKind::added ? nullptr : &before[change.before],
                          change.kind == ChangeKind::removed ? nullptr : &after[change.after],
                          known_.connections(change.service, change.name)};
    if (change.kind == ChangeKind::added) return add(change, "added", added_server(rule));
    if (change.kind == ChangeKind::removed) return add(change, "removed", removed_server(rule));
    for (const FieldChange& field : change.fields)
      add(change, describe(field), changed_server(rule, field));
  }

  void other(const Change& change) {
    if (change.kind == ChangeKind::added) return add(change, "added", {"taken into use", {}});
    if (change.kind == ChangeKind::removed) return add(change, "removed", {"no longer used", {}});
    for (const FieldChange& field : change.fields)
      add(change, describe(field), {"taken into use", Impact::harmless});
  }

  const Model& before_;  // borrowed: a planner lives inside one function
  const Model& after_;
  Known known_;
  std::map<std::string, std::size_t> removed_names_;
  std::set<std::string> added_names_;
  std::vector<PlanStep> steps_;
};

bool is_beyond(std::size_t removed, std::size_t of, std::uint8_t limit) {
  return removed * 100 > std::size_t{limit} * of;
}

std::string share_text(std::size_t removed, std::size_t of, std::string_view what) {
  if (removed == 0) return {};
  return fmt::format("{} of {} {}", removed, of, what);
}

/// A sentence when nothing is left of a kind that is in use.
std::string emptied(const Model& before, const Model& after) {
  const auto lost = [](const char* kind, std::size_t running, std::size_t left) {
    if (running == 0 || left != 0) return std::string();
    return fmt::format("no {} any more ({} {} in use)", kind, running, running == 1 ? "is" : "are");
  };
  const std::string instances =
      lost("vrrp_instance", before.instances.size(), after.instances.size());
  const std::string services =
      lost("virtual_server", before.services.size(), after.services.size());
  if (instances.empty() && services.empty()) return {};
  return fmt::format(
      "the new configuration has {}{}{}; if that is meant, take it into use with "
      "`holdfastctl reload --force`",
      instances, instances.empty() || services.empty() ? "" : " and ", services);
}

}  // namespace

Plan plan_reload(const Model& before, const Model& after, const RunningView& running) {
  return {.steps = Planner(before, after, running).run(),
          .warnings = partner_warnings(before, after, running),
          .removal = removal(before, after),
          .beyond_limit = beyond_limit(before, after)};
}

Removal removal(const Model& before, const Model& after) {
  Removal counts;
  const auto old_addresses = addresses_of(before);
  const auto new_addresses = addresses_of(after);
  counts.of_addresses = old_addresses.size();
  for (const core::IpAddress& address : old_addresses)
    if (!new_addresses.contains(address)) ++counts.addresses;
  const auto old_servers = servers_of(before);
  const auto new_servers = servers_of(after);
  counts.of_servers = old_servers.size();
  for (const std::string& server : old_servers)
    if (!new_servers.contains(server)) ++counts.servers;
  return counts;
}

std::string removed_text(const Removal& removal) {
  const std::string addresses = share_text(removal.addresses, removal.of_addresses, "addresses");
  const std::string servers = share_text(removal.servers, removal.of_servers, "servers");
  if (addresses.empty() && servers.empty()) return {};
  return fmt::format("removes {}{}{}", addresses,
                     addresses.empty() || servers.empty() ? "" : " and ", servers);
}

std::string beyond_limit(const Model& before, const Model& after) {
  const auto limit =
      before.globals.reload_limit ? before.globals.reload_limit : after.globals.reload_limit;
  if (!limit) return emptied(before, after);
  const Removal counts = removal(before, after);
  if (!is_beyond(counts.addresses, counts.of_addresses, *limit) &&
      !is_beyond(counts.servers, counts.of_servers, *limit))
    return {};
  return fmt::format(
      "the new configuration {}, more than the {} % that reload_limit allows; if that is meant, "
      "take it into use with `holdfastctl reload --force`",
      removed_text(counts), *limit);
}

const char* to_string(Impact impact) {
  switch (impact) {
    case Impact::harmless:
      return "harmless";
    case Impact::disturbs:
      return "disturbs";
    case Impact::drops:
      return "drops";
  }
  return "";
}

std::string_view first_word(std::string_view field) {
  return field.substr(0, field.find(' '));
}

std::string enumerate(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kShown && names.size() > kShown + 1)
      return fmt::format("{} and {} more", text, names.size() - i);
    const bool last = i + 1 == names.size();
    text += fmt::format("{}{}", i == 0 ? "" : last ? " and " : ", ", names[i]);
  }
  return text;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace holdfast::config
