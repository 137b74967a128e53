#include "config/validate.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace holdfast::config {
namespace {

std::string line_of(const SourceLocation& location, const Model& model) {
  if (location.file == 0) return fmt::format("line {}", location.line);
  return fmt::format("{} line {}", model.files.names[location.file], location.line);
}

// Removes the elements whose flag is set, keeping the order.
template <class T>
void remove_flagged(std::vector<T>& list, const std::vector<bool>& flags) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (flags[i]) continue;
    if (kept != i) list[kept] = std::move(list[i]);
    ++kept;
  }
  list.resize(kept);
}

void check_addresses(const Model& model, VrrpInstance& instance, Reporter& reporter) {
  // keepalived: one address with two prefix lengths is still one address.
  std::unordered_map<std::string, SourceLocation> seen;
  for (auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
    std::vector<bool> duplicate(list->size(), false);
    for (std::size_t i = 0; i < list->size(); ++i) {
      const VirtualAddress& address = (*list)[i];
      const std::string key =
          fmt::format("{} {}", address.prefix.address.to_string(), address.interface);
      const auto [first, is_new] = seen.emplace(key, address.location);
      if (is_new) continue;
      duplicate[i] = true;
      reporter.at(Severity::warning, address.location,
                  fmt::format("{} is already on {} and is ignored here",
                              address.prefix.address.to_string(), line_of(first->second, model)));
    }
    remove_flagged(*list, duplicate);
  }
}

void check_instances(Model& model, Reporter& reporter) {
  std::unordered_map<std::string, SourceLocation> names;
  std::unordered_map<std::string, std::size_t> routers;
  std::vector<bool> remove(model.instances.size(), false);
  for (std::size_t i = 0; i < model.instances.size(); ++i) {
    VrrpInstance& instance = model.instances[i];
    const auto [name, new_name] = names.emplace(instance.name, instance.location);
    if (!new_name) {
      reporter.at(Severity::error, instance.location,
                  fmt::format("a second vrrp_instance '{}'; the first is on {}", instance.name,
                              line_of(name->second, model)),
                  "give each instance a name of its own");
      remove[i] = true;
      continue;
    }
    const std::string key =
        fmt::format("{} {} {}", instance.interface, static_cast<int>(instance.family),
                    instance.virtual_router_id);
    const auto [router, new_router] = routers.emplace(key, i);
    if (!new_router) {
      const VrrpInstance& other = model.instances[router->second];
      reporter.at(
          Severity::error, instance.location,
          fmt::format("vrrp_instance '{}' and '{}' ({}) both use virtual_router_id {} on {}",
                      instance.name, other.name, line_of(other.location, model),
                      instance.virtual_router_id, instance.interface),
          "choose another virtual_router_id for one of them, on all its directors");
      remove[i] = true;
      continue;
    }
    check_addresses(model, instance, reporter);
  }
  remove_flagged(model.instances, remove);
}

void check_servers(const Model& model, VirtualServer& service, Reporter& reporter) {
  std::unordered_map<core::Endpoint, SourceLocation> seen;
  seen.reserve(service.real_servers.size());
  std::vector<bool> remove(service.real_servers.size(), false);
  for (std::size_t i = 0; i < service.real_servers.size(); ++i) {
    const RealServer& server = service.real_servers[i];
    const core::Endpoint key{server.address, server.port};
    const auto [first, is_new] = seen.emplace(key, server.location);
    if (!is_new) {
      reporter.at(Severity::error, server.location,
                  fmt::format("real_server {} is given twice in one service; the first is on {}",
                              key.to_string(), line_of(first->second, model)),
                  "remove one of them");
      remove[i] = true;
    }
  }
  remove_flagged(service.real_servers, remove);
}

void check_quorum(VirtualServer& service, Reporter& reporter) {
  std::uint64_t total = 0;
  for (const RealServer& server : service.real_servers) total += server.weight;
  if (service.quorum <= std::max<std::uint64_t>(total, 1)) return;
  reporter.at(
      Severity::warning, service.location,
      fmt::format("'quorum {}' is more than the weights of all servers together ({}): {} is taken",
                  service.quorum, total, std::max<std::uint64_t>(total, 1)));
  service.quorum = static_cast<std::uint32_t>(std::max<std::uint64_t>(total, 1));
  if (service.hysteresis >= service.quorum) service.hysteresis = service.quorum - 1;
}

void check_services(Model& model, Reporter& reporter) {
  std::unordered_map<core::Endpoint, std::vector<std::size_t>> endpoints;
  endpoints.reserve(model.services.size());
  std::vector<bool> remove(model.services.size(), false);
  for (std::size_t i = 0; i < model.services.size(); ++i) {
    VirtualServer& service = model.services[i];
    std::vector<std::size_t>& same = endpoints[{service.address, service.port}];
    for (const std::size_t other : same) {
      if (model.services[other].protocol != service.protocol) continue;
      reporter.at(Severity::error, service.location,
                  fmt::format("a second virtual_server {}; the first is on {}", name_of(service),
                              line_of(model.services[other].location, model)),
                  "put the servers of both into one block");
      remove[i] = true;
      break;
    }
    if (remove[i]) continue;
    same.push_back(i);
    check_servers(model, service, reporter);
    check_quorum(service, reporter);
    if (service.real_servers.empty() && !service.sorry_server) {
      reporter.at(Severity::warning, service.location,
                  fmt::format("virtual_server {} has no real servers: it refuses every connection",
                              name_of(service)));
    }
    for (const RealServer& server : service.real_servers) {
      if (server.checks.empty()) {
        reporter.at(Severity::note, server.location,
                    fmt::format("real_server {} has no checker: it counts as always up",
                                core::Endpoint{server.address, server.port}.to_string()));
      }
    }
  }
  remove_flagged(model.services, remove);
}

}  // namespace

void validate(Model& model, Reporter& reporter) {
  check_instances(model, reporter);
  check_services(model, reporter);
}

}  // namespace holdfast::config
