#include "vrrp/core/settings.hpp"

#include <algorithm>

namespace holdfast::vrrp {

IpAddress vrrp_group(core::Family family) {
  if (family == core::Family::v4) return IpAddress::v4({224, 0, 0, 18});
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
}

// A unicast instance without a source of its own has the unspecified address: what the interface's
// address is may change while the instance stays the same.
IpAddress InstanceSettings::channel() const {
  const IpAddress unspecified = family == core::Family::v4 ? IpAddress() : IpAddress::v6({});
  if (unicast) return source_address.value_or(unspecified);
  return group ? *group : vrrp_group(family);
}

RouterKey InstanceSettings::key() const {
  return {interface, family, vrid, channel()};
}

Authentication Authentication::password(std::string_view text) {
  Authentication authentication{AuthenticationType::simple_password, {}};
  const std::size_t used = std::min(text.size(), authentication.data.size());
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(used),
                 authentication.data.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return authentication;
}

Authentication Authentication::header(std::string_view text) {
  Authentication authentication = password(text);
  authentication.type = AuthenticationType::header;
  return authentication;
}

AddressList InstanceSettings::all_addresses() const {
  if (excluded_addresses.empty()) return addresses;
  std::vector<VirtualAddress> all = addresses.copy();
  all.insert(all.end(), excluded_addresses.begin(), excluded_addresses.end());
  return all;
}

}  // namespace holdfast::vrrp
