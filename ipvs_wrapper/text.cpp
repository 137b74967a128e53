#include "ipvs_wrapper/text.hpp"

#include <fmt/format.h>

namespace holdfast::ipvs {
namespace {

// Names of the scheduler flags; sh and mh have their own. ipvsadm: -b.
std::string flag_names(const Settings& settings) {
  const bool hashed = settings.scheduler == "sh" || settings.scheduler == "mh";
  std::string names;
  const auto add = [&](std::uint32_t bit, std::string_view own_name, std::string_view name) {
    if ((settings.flags & bit) == 0) return;
    if (!names.empty()) names += ',';
    names += hashed && !own_name.empty() ? fmt::format("{}-{}", settings.scheduler, own_name)
                                         : std::string(name);
  };
  add(kSchedulerFlag1, "fallback", "flag-1");
  add(kSchedulerFlag2, "port", "flag-2");
  add(kSchedulerFlag3, "", "flag-3");
  return names;
}

std::string netmask_text(core::Family family, std::uint32_t netmask) {
  if (family == core::Family::v6) return fmt::format("{}", netmask);
  return fmt::format("{}.{}.{}.{}", netmask >> 24, netmask >> 16 & 0xff, netmask >> 8 & 0xff,
                     netmask & 0xff);
}

std::string forwarding_option(Forwarding forwarding) {
  switch (forwarding) {
    case Forwarding::masquerade:
      return "-m";
    case Forwarding::tunnel:
      return "-i";
    case Forwarding::direct_route:
      return "-g";
    case Forwarding::local:
      return "--forwarding local";
    case Forwarding::bypass:
      return "--forwarding bypass";
  }
  return fmt::format("--forwarding {}", static_cast<unsigned>(forwarding));
}

// ipip has neither port nor checksum of its own, gre no port; the kernel keeps what it was given
// all the same, and a table read back must equal the one that was written.
std::string tunnel_options(const Tunnel& tunnel) {
  std::string out;
  switch (tunnel.type) {
    case TunnelType::ipip:
      out = " --tun-type ipip";
      break;
    case TunnelType::gue:
      out = " --tun-type gue";
      break;
    case TunnelType::gre:
      out = " --tun-type gre";
      break;
  }
  if (tunnel.port != 0) out += fmt::format(" --tun-port {}", tunnel.port);
  if (tunnel.type == TunnelType::ipip && tunnel.checksum == TunnelChecksum::none) return out;
  switch (tunnel.checksum) {
    case TunnelChecksum::none:
      return out + " --tun-nocsum";
    case TunnelChecksum::checksum:
      return out + " --tun-csum";
    case TunnelChecksum::remote_offload:
      return out + " --tun-remcsum";
  }
  return out;
}

struct StepLine {
  std::string operator()(const AddService& step) const {
    return service_line('A', step.key, step.settings);
  }
  std::string operator()(const EditService& step) const {
    return service_line('E', step.key, step.settings);
  }
  std::string operator()(const DeleteService& step) const { return "-D " + key_options(step.key); }
  std::string operator()(const AddServer& step) const {
    return server_line('a', step.key, step.endpoint, step.server);
  }
  std::string operator()(const EditServer& step) const {
    return server_line('e', step.key, step.endpoint, step.server);
  }
  std::string operator()(const DeleteServer& step) const {
    return fmt::format("-d {} -r {}", key_options(step.key), step.endpoint.to_string());
  }
};

}  // namespace

std::string key_options(const ServiceKey& key) {
  if (const auto* mark = std::get_if<MarkKey>(&key))
    return fmt::format("-f {}{}", mark->mark, mark->family == core::Family::v6 ? " -6" : "");
  const auto& address = std::get<AddressKey>(key);
  const auto endpoint = address.endpoint.to_string();
  switch (address.protocol) {
    case Protocol::tcp:
      return "-t " + endpoint;
    case Protocol::udp:
      return "-u " + endpoint;
    case Protocol::sctp:
      return "--sctp-service " + endpoint;
  }
  return fmt::format("--protocol {} {}", static_cast<unsigned>(address.protocol), endpoint);
}

std::string service_line(char command, const ServiceKey& key, const Settings& settings) {
  auto line = fmt::format("-{} {} -s {}", command, key_options(key), settings.scheduler);
  if (settings.persistence) {
    line += fmt::format(" -p {}", settings.persistence->timeout.count());
    const auto family = family_of(key);
    if (settings.persistence->netmask != full_netmask(family))
      line += " -M " + netmask_text(family, settings.persistence->netmask);
  }
  if (!settings.persistence_engine.empty()) line += " --pe " + settings.persistence_engine;
  if ((settings.flags & kOnePacket) != 0) line += " -o";
  if (const auto names = flag_names(settings); !names.empty()) line += " -b " + names;
  const auto unknown =
      settings.flags & ~(kOnePacket | kSchedulerFlag1 | kSchedulerFlag2 | kSchedulerFlag3);
  if (unknown != 0) line += fmt::format(" --flags {}", unknown);
  return line;
}

std::string server_line(char command, const ServiceKey& key, const core::Endpoint& endpoint,
                        const Server& server) {
  auto line = fmt::format("-{} {} -r {} {} -w {}", command, key_options(key), endpoint.to_string(),
                          forwarding_option(server.forwarding), server.weight);
  if (server.upper_threshold != 0) line += fmt::format(" -x {}", server.upper_threshold);
  if (server.lower_threshold != 0) line += fmt::format(" -y {}", server.lower_threshold);
  if (server.forwarding == Forwarding::tunnel) line += tunnel_options(server.tunnel);
  return line;
}

std::string write_text(const Table& table) {
  std::string out;
  for (const auto& [key, service] : table.services) {
    out += service_line('A', key, service.settings) + '\n';
    for (const auto& [endpoint, server] : service.servers)
      out += server_line('a', key, endpoint, server) + '\n';
  }
  return out;
}

std::string to_string(const Step& step) {
  return std::visit(StepLine{}, step);
}

}  // namespace holdfast::ipvs
