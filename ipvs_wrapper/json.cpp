#include "ipvs_wrapper/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace holdfast::ipvs {
namespace {

namespace json = boost::json;

std::string netmask_text(std::uint32_t mask) {
  return fmt::format("{}.{}.{}.{}", mask >> 24, mask >> 16 & 0xff, mask >> 8 & 0xff, mask & 0xff);
}

// Known bits by name, the rest as one number.
json::array flags_json(std::uint32_t flags) {
  json::array names;
  for (const auto& [bit, name] : kFlagNames) {
    if ((flags & bit) != 0) names.emplace_back(name);
    flags &= ~bit;
  }
  if (flags != 0) names.emplace_back(flags);
  return names;
}

json::value persistence_json(const std::optional<Persistence>& persistence, core::Family family) {
  if (!persistence) return nullptr;
  json::object out{{"timeout_s", persistence->timeout.count()}};
  if (family == core::Family::v4)
    out["netmask"] = netmask_text(persistence->netmask);
  else
    out["prefix_length"] = persistence->netmask;
  return out;
}

std::string_view checksum_name(TunnelChecksum checksum) {
  switch (checksum) {
    case TunnelChecksum::none:
      return "none";
    case TunnelChecksum::checksum:
      return "checksum";
    case TunnelChecksum::remote_offload:
      return "remote-offload";
  }
  return "unknown";
}

std::string_view tunnel_name(TunnelType type) {
  switch (type) {
    case TunnelType::ipip:
      return "ipip";
    case TunnelType::gue:
      return "gue";
    case TunnelType::gre:
      return "gre";
  }
  return "unknown";
}

json::object server_json(const core::Endpoint& endpoint, const Server& server) {
  json::object out{
      {"address", endpoint.address.to_string()},    {"port", endpoint.port},
      {"forwarding", to_string(server.forwarding)}, {"weight", server.weight},
      {"upper_threshold", server.upper_threshold},  {"lower_threshold", server.lower_threshold}};
  if (server.forwarding == Forwarding::tunnel) {
    out["tunnel"] = json::object{{"type", tunnel_name(server.tunnel.type)},
                                 {"port", server.tunnel.port},
                                 {"checksum", checksum_name(server.tunnel.checksum)}};
  }
  return out;
}

json::object key_json(const ServiceKey& key) {
  if (const auto* mark = std::get_if<MarkKey>(&key))
    return {{"mark", mark->mark}, {"family", mark->family == core::Family::v4 ? "ipv4" : "ipv6"}};
  const auto& address = std::get<AddressKey>(key);
  return {{"protocol", to_string(address.protocol)},
          {"address", address.endpoint.address.to_string()},
          {"port", address.endpoint.port}};
}

}  // namespace

std::string to_string(Forwarding forwarding) {
  switch (forwarding) {
    case Forwarding::masquerade:
      return "NAT";
    case Forwarding::local:
      return "LOCAL";
    case Forwarding::tunnel:
      return "TUN";
    case Forwarding::direct_route:
      return "DR";
    case Forwarding::bypass:
      return "BYPASS";
  }
  return fmt::format("FWD {}", static_cast<unsigned>(forwarding));
}

json::value to_json(const Table& table) {
  json::array services;
  for (const auto& [key, service] : table.services) {
    auto out = key_json(key);
    out["scheduler"] = service.settings.scheduler;
    out["flags"] = flags_json(service.settings.flags);
    out["persistence"] = persistence_json(service.settings.persistence, family_of(key));
    if (!service.settings.persistence_engine.empty())
      out["persistence_engine"] = service.settings.persistence_engine;
    json::array servers;
    for (const auto& [endpoint, server] : service.servers)
      servers.push_back(server_json(endpoint, server));
    out["servers"] = std::move(servers);
    services.push_back(std::move(out));
  }
  return json::object{{"services", std::move(services)}};
}

}  // namespace holdfast::ipvs
