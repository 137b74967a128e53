#include "config/compare/removal.hpp"

#include <fmt/format.h>

#include <set>
#include <unordered_set>

namespace holdfast::config {
namespace {

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

}  // namespace holdfast::config
