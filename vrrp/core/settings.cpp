#include "vrrp/core/settings.hpp"

#include <algorithm>

namespace holdfast::vrrp {

IpAddress vrrp_group() {
  return IpAddress::v4({224, 0, 0, 18});
}

Authentication Authentication::password(std::string_view text) {
  Authentication authentication{AuthenticationType::simple_password, {}};
  const std::size_t used = std::min(text.size(), authentication.data.size());
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(used),
                 authentication.data.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return authentication;
}

AddressList InstanceSettings::all_addresses() const {
  if (excluded_addresses.empty()) return addresses;
  std::vector<VirtualAddress> all = addresses.copy();
  all.insert(all.end(), excluded_addresses.begin(), excluded_addresses.end());
  return all;
}

}  // namespace holdfast::vrrp
