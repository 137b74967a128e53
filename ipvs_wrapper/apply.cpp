// The kernel's rules on a Table. net/netfilter/ipvs/ip_vs_ctl.c: ip_vs_genl_set_cmd,
// ip_vs_add_dest, __ip_vs_update_dest.
#include "ipvs_wrapper/plan.hpp"

#include <cerrno>
#include <limits>

namespace holdfast::ipvs {
namespace {

constexpr auto kMaxSigned = static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());

int check(const ServiceKey& key, const Settings& settings) {
  if (!settings.persistence || family_of(key) == core::Family::v4) return 0;
  const auto prefix = settings.persistence->netmask;
  return prefix >= 1 && prefix <= 128 ? 0 : EINVAL;
}

int check(const Server& server) {
  if (server.weight > kMaxSigned || server.lower_threshold > server.upper_threshold) return ERANGE;
  if (server.upper_threshold > kMaxSigned) return EINVAL;
  const bool gue = server.forwarding == Forwarding::tunnel && server.tunnel.type == TunnelType::gue;
  return gue && server.tunnel.port == 0 ? EINVAL : 0;
}

// Only when a server is added: the kernel does not look at the address again.
int check_address(const ServiceKey& key, const core::Endpoint& endpoint, const Server& server) {
  const auto& address = endpoint.address;
  if (address.is_unspecified() || address.is_multicast()) return EINVAL;
  if (!address.is_v4() && address.is_link_local()) return EINVAL;
  const bool mixed = address.family() != family_of(key);
  return mixed && server.forwarding != Forwarding::tunnel ? EINVAL : 0;
}

int perform(const AddService& step, Table& table) {
  if (table.services.contains(step.key)) return EEXIST;
  if (const int error = check(step.key, step.settings)) return error;
  table.services.emplace(step.key, Service{step.settings, {}});
  return 0;
}

int perform(const EditService& step, Table& table) {
  const auto service = table.services.find(step.key);
  if (service == table.services.end()) return ESRCH;
  if (const int error = check(step.key, step.settings)) return error;
  service->second.settings = step.settings;
  return 0;
}

int perform(const DeleteService& step, Table& table) {
  return table.services.erase(step.key) == 0 ? ESRCH : 0;
}

int perform(const AddServer& step, Table& table) {
  const auto service = table.services.find(step.key);
  if (service == table.services.end()) return ESRCH;
  if (const int error = check(step.server)) return error;
  if (service->second.servers.contains(step.endpoint)) return EEXIST;
  if (const int error = check_address(step.key, step.endpoint, step.server)) return error;
  service->second.servers.emplace(step.endpoint, step.server);
  return 0;
}

int perform(const EditServer& step, Table& table) {
  const auto service = table.services.find(step.key);
  if (service == table.services.end()) return ESRCH;
  if (const int error = check(step.server)) return error;
  const auto server = service->second.servers.find(step.endpoint);
  if (server == service->second.servers.end()) return ENOENT;
  server->second = step.server;
  return 0;
}

int perform(const DeleteServer& step, Table& table) {
  const auto service = table.services.find(step.key);
  if (service == table.services.end()) return ESRCH;
  return service->second.servers.erase(step.endpoint) == 0 ? ENOENT : 0;
}

}  // namespace

int apply_step(const Step& step, Table& table) {
  return std::visit([&table](const auto& one) { return perform(one, table); }, step);
}

Table apply(const Plan& steps, Table table) {
  for (const auto& step : steps) static_cast<void>(apply_step(step, table));
  return table;
}

}  // namespace holdfast::ipvs
