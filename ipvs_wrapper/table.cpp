#include "ipvs_wrapper/table.hpp"

#include "core/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::ipvs {

core::Family family_of(const ServiceKey& key) {
  if (const auto* mark = std::get_if<MarkKey>(&key)) return mark->family;
  return std::get<AddressKey>(key).endpoint.address.family();
}

std::string to_string(const ServiceKey& key) {
  if (const auto* mark = std::get_if<MarkKey>(&key))
    return fmt::format("FWM {}{}", mark->mark, mark->family == core::Family::v6 ? " IPv6" : "");
  const auto& address = std::get<AddressKey>(key);
  return fmt::format("{} {}", to_string(address.protocol), address.endpoint.to_string());
}

std::string to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
  }
  return fmt::format("IP {}", static_cast<unsigned>(protocol));  // not ours: the kernel takes any
}

std::uint32_t netmask_of_prefix(core::Family family, std::uint8_t length) {
  if (family == core::Family::v6) {
    HOLDFAST_ASSERT(length <= 128, "an IPv6 prefix has at most 128 bits");
    return length;
  }
  HOLDFAST_ASSERT(length <= 32, "an IPv4 prefix has at most 32 bits");
  return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
}

core::Family family_of_netmask(std::uint32_t netmask) {
  return netmask > 128 ? core::Family::v4 : core::Family::v6;
}

std::uint32_t full_netmask(core::Family family) {
  return netmask_of_prefix(family, family == core::Family::v4 ? 32 : 128);
}

bool is_serving(const Service& service) {
  return service.settings.scheduler != kNoScheduler &&
         std::any_of(service.servers.begin(), service.servers.end(),
                     [](const auto& entry) { return entry.second.weight != 0; });
}

}  // namespace holdfast::ipvs
