#include "core/router_key.hpp"

#include <fmt/format.h>

namespace holdfast::core {

std::string to_string(const RouterKey& key) {
  return fmt::format("{} {} {} {}", key.interface.empty() ? "-" : key.interface, key.vrid,
                     key.family == Family::v4 ? "ipv4" : "ipv6", key.channel.to_string());
}

}  // namespace holdfast::core

std::size_t std::hash<holdfast::core::RouterKey>::operator()(
    const holdfast::core::RouterKey& key) const noexcept {
  const std::size_t name = std::hash<std::string>{}(key.interface);
  const std::size_t channel = std::hash<holdfast::core::IpAddress>{}(key.channel);
  return (name * 31 + channel) * 512 + key.vrid +
         (key.family == holdfast::core::Family::v4 ? 0 : 256);
}
