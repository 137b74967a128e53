#include "vrrp/doctor/viewer.hpp"

#include <algorithm>

namespace holdfast::vrrp::doctor {

std::optional<IpAddress> Viewer::address() const {
  return self == nullptr ? std::nullopt : std::optional(self->latest.source);
}

bool Viewer::shares_channel(const Sighting& seen) const {
  if (!settings.unicast) return seen.destination == settings.key().channel;
  if (seen.destination.is_multicast()) return false;
  const auto& peers = settings.unicast->peers;
  return std::any_of(peers.begin(), peers.end(), [&](const UnicastPeer& each) {
    return each.address == seen.source || each.address == seen.destination;
  });
}

InstanceSettings settings_behind(const Sighting& seen) {
  InstanceSettings settings;
  settings.interface = seen.interface;
  settings.family = seen.family;
  settings.version = seen.version;
  settings.vrid = static_cast<std::uint8_t>(seen.number);
  settings.priority = std::max<std::uint8_t>(seen.priority, 1);
  settings.advert_interval = seen.interval;
  settings.authentication.type = seen.advert.authentication_type == 1
                                     ? AuthenticationType::simple_password
                                     : AuthenticationType::none;
  settings.authentication.data = seen.advert.authentication_data;
  std::vector<VirtualAddress> addresses(seen.addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i)
    addresses[i].prefix = {seen.addresses[i], seen.addresses[i].max_prefix_length()};
  settings.addresses = std::move(addresses);
  if (!seen.destination.is_multicast()) {
    settings.unicast = Unicast{.peers = {{seen.destination}}};
    settings.source_address = seen.source;
  } else if (seen.destination != vrrp_group(seen.family)) {
    settings.group = seen.destination;
  }
  return settings;
}

}  // namespace holdfast::vrrp::doctor
