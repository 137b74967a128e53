// virtual_server and virtual_server_group: what the kernel would refuse or never use.
#include "config/group_members.hpp"
#include "config/validate/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace holdfast::config::validation {
namespace {

// The key the kernel knows a service by, groups by their name.
struct ServiceKey {
  core::Endpoint endpoint;
  std::uint32_t fwmark = 0;
  Protocol protocol = Protocol::tcp;
  std::string_view group;  // of the model, which does not move meanwhile

  bool operator==(const ServiceKey&) const = default;
};

struct HashServiceKey {
  std::size_t operator()(const ServiceKey& key) const noexcept {
    return std::hash<core::Endpoint>()(key.endpoint) * 31 +
           std::hash<std::string_view>()(key.group) + key.fwmark * 3 +
           static_cast<std::size_t>(key.protocol);
  }
};

ServiceKey key_of(const VirtualServer& service) {
  if (!service.group.empty()) return {{service.address, 0}, 0, service.protocol, service.group};
  if (service.fwmark != 0) return {{service.address, 0}, service.fwmark, Protocol::tcp, {}};
  return {{service.address, service.port}, 0, service.protocol, {}};
}

// Two blocks of one service are one service to the kernel, so their servers are one pool.
// keepalived keeps the blocks apart, and the last one loaded sets the scheduler.
void join_twice(const Context& context) {
  std::vector<VirtualServer>& services = context.model.services;
  if (services.size() < 2) return;
  std::unordered_map<ServiceKey, std::size_t, HashServiceKey> seen;
  seen.reserve(services.size());
  std::vector<bool> remove(services.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const auto [first, is_new] = seen.emplace(key_of(services[i]), i);
    if (is_new) continue;
    VirtualServer& other = services[first->second];
    context.warn(
        services[i].location,
        fmt::format("a second virtual_server {} (the first is on {}): its servers join the "
                    "first one's, its other settings are left out",
                    name_of(services[i]), context.line_of(other.location)),
        "put the servers of both into one block");
    for (RealServer& server : services[i].real_servers)
      other.real_servers.push_back(std::move(server));
    if (!other.sorry_server) other.sorry_server = std::move(services[i].sorry_server);
    remove[i] = found = true;
  }
  if (found) remove_flagged(services, remove);
}

void drop_without_group(const Context& context) {
  Model& model = context.model;
  const auto groups = by_name(model.service_groups);
  std::unordered_set<std::string_view> used;
  std::vector<bool> remove(model.services.size(), false);
  bool found = false;
  for (std::size_t i = 0; i < model.services.size(); ++i) {
    const VirtualServer& service = model.services[i];
    if (service.group.empty()) continue;
    const auto group = groups.find(service.group);
    if (group != groups.end()) used.insert(group->first);
    if (group != groups.end() && !group->second->entries.empty()) continue;
    remove[i] = found = true;
    std::vector<std::string_view> names;
    for (const auto& [name, one] : groups) names.push_back(name);
    const std::string_view near = nearest_word(service.group, names);
    context.warn(
        service.location,
        group == groups.end()
            ? fmt::format("there is no virtual_server_group '{}': this service is left out",
                          service.group)
            : fmt::format("virtual_server_group '{}' is empty: this service is left out",
                          service.group),
        near.empty() || group != groups.end() ? "" : fmt::format("did you mean '{}'?", near));
  }
  Few unused(context, Severity::note);
  for (const VirtualServerGroup& group : model.service_groups) {
    if (used.contains(group.name)) continue;
    unused.add(group.location,
               fmt::format("virtual_server_group '{}' is used by nobody", group.name),
               fmt::format("name it in 'virtual_server group {}', or remove it", group.name));
  }
  unused.finish();
  if (found) remove_flagged(model.services, remove);
}

std::string name_of(const Member& member) {
  if (member.fwmark != 0)
    return fmt::format("fwmark {}{}", member.fwmark, member.address.is_v4() ? "" : " inet6");
  return fmt::format("{} {}", to_string(member.protocol),
                     core::Endpoint{member.address, member.port}.to_string());
}

// The kernel has each address once. keepalived lets two services fight for it.
void check_clashes(const Context& context, const Members& members) {
  const std::vector<VirtualServer>& services = context.model.services;
  Few clashing(context, Severity::warning);
  for (const Clash& clash : members.clashes) {
    const bool same = clash.service == clash.first;
    clashing.add(services[clash.service].location,
                 same ? fmt::format("{} is in {} twice", name_of(clash.member),
                                    name_of(services[clash.service]))
                      : fmt::format("{} of {} belongs to {} (on {}) already: its servers get no "
                                    "traffic from there",
                                    name_of(clash.member), name_of(services[clash.service]),
                                    name_of(services[clash.first]),
                                    context.line_of(services[clash.first].location)),
                 "remove one of them");
  }
  clashing.finish();
}

// linux/ip_vs.h: a one-packet service is UDP; port 0 takes a client's connections together, so it
// has to be persistent (ip_vs_ctl.c: -EINVAL otherwise). 360 s is keepalived's choice.
void check_flags(const Context& context, VirtualServer& service,
                 const std::vector<Member>& members) {
  const auto has_address = [](const Member& one) { return one.fwmark == 0; };
  const auto has_all_ports = [](const Member& one) { return one.fwmark == 0 && one.port == 0; };
  if (service.one_packet_scheduling && service.protocol != Protocol::udp &&
      std::ranges::any_of(members, has_address)) {
    context.warn(service.location,
                 fmt::format("'ops' is for UDP only and is ignored for {}", name_of(service)),
                 "remove it");
    service.one_packet_scheduling = false;
  }
  if (service.persistence_timeout.count() == 0 && std::ranges::any_of(members, has_all_ports)) {
    context.warn(service.location,
                 fmt::format("a service for all ports must be persistent: {} gets "
                             "'persistence_timeout 360'",
                             name_of(service)),
                 "write the port, or the timeout");
    service.persistence_timeout = std::chrono::seconds(360);
  }
  if (service.scheduler_flags != 0 && service.scheduler != "sh" && service.scheduler != "mh") {
    context.warn(service.location,
                 fmt::format("scheduler flags mean nothing to '{}' of virtual_server {}",
                             service.scheduler, name_of(service)),
                 "they are for sh and mh");
  }
}

// linux/net/netfilter/ipvs: ip_vs_pe_sip reads UDP, and ip_vs drops the packets of others instead
// of scheduling them; without a timeout nobody asks it.
void check_engine(const Context& context, const VirtualServer& service) {
  if (service.persistence_engine.empty()) return;
  if (service.persistence_timeout.count() == 0) {
    context.warn(service.location,
                 fmt::format("'persistence_engine' has no effect on {}, which is not persistent",
                             name_of(service)),
                 "add 'persistence_timeout'");
  } else if (service.fwmark == 0 && service.protocol != Protocol::udp) {
    context.warn(service.location,
                 fmt::format("{} will answer nobody: 'persistence_engine sip' reads UDP, and the "
                             "kernel drops what it cannot read",
                             name_of(service)),
                 "remove it, or write 'protocol UDP'");
  }
}

}  // namespace

void check_services(const Context& context) {
  drop_without_group(context);
  join_twice(context);
  const Members members = members_of(context.model);
  check_clashes(context, members);
  for (std::size_t i = 0; i < context.model.services.size(); ++i) {
    check_flags(context, context.model.services[i], members.of[i]);
    check_engine(context, context.model.services[i]);
  }
}

}  // namespace holdfast::config::validation
