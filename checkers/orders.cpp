#include "checkers/orders.hpp"

#include <limits>

namespace holdfast::checkers {

core::Result<core::Endpoint> server_named(const Settings& settings, const std::string& name) {
  for (const ServiceSettings& service : settings.services)
    for (const ServerSettings& server : service.servers)
      if (server.endpoint.to_string() == name) return server.endpoint;
  return core::fail("there is no real_server '{}': write it as 192.0.2.10:80 or [2001:db8::1]:80",
                    name);
}

core::Result<std::string> judge_order(const Settings& settings, const std::string& kind,
                                      const std::string& subject, std::int64_t value) {
  if (kind != "weight") return core::fail("the checkers process knows no order '{}'", kind);
  const auto server = server_named(settings, subject);
  if (!server) return server.error();
  constexpr std::int64_t kMost = std::numeric_limits<std::uint16_t>::max();  // keepalived's
  if (value < 0 || value > kMost)
    return core::fail("a weight is from 0 to {}, not {}", kMost, value);
  return server->to_string();
}

Steered steered_by(const core::Orders& orders, const Settings& settings) {
  Steered steered;
  if (orders.all().empty()) return steered;
  for (const ServiceSettings& service : settings.services)
    for (const ServerSettings& server : service.servers)
      if (const auto* order = orders.find("weight", server.endpoint.to_string()))
        steered.weights[server.endpoint] = static_cast<std::uint32_t>(order->value);
  return steered;
}

}  // namespace holdfast::checkers
