#include "netlink_reflector/core/desired.hpp"

namespace holdfast::netlink {

Address resolve(const DesiredAddress& desired, const Link& link) {
  Address address;
  address.interface = link.index;
  address.prefix = desired.prefix;
  address.scope = desired.scope;
  address.protocol = kProtocolHoldfast;
  if (desired.prefix.address.is_v4()) {
    address.label = desired.label.empty() ? link.name : desired.label.str();
    if (desired.broadcast) address.broadcast = *desired.broadcast;
    return address;
  }
  // A virtual address is usable at once, and a host address is not used as a source by accident.
  // keepalived: IFA_F_NODAD, preferred_lft 0 for /128.
  address.flags = kFlagNoDad;
  if (desired.prefix.length == 128) address.preferred_lifetime = 0;
  return address;
}

bool is_at(const DesiredAddress& desired, const AddressKey& key) {
  return desired.prefix.address == key.address &&
         (!key.address.is_v4() || desired.prefix.length == key.length);
}

bool satisfies(const Address& actual, const Address& wanted) {
  if (actual.prefix != wanted.prefix || actual.peer != wanted.peer ||
      actual.valid_lifetime != wanted.valid_lifetime ||
      actual.preferred_lifetime != wanted.preferred_lifetime) {
    return false;
  }
  // The kernel derives the scope of an IPv6 address from the address itself.
  return !wanted.prefix.address.is_v4() ||
         (actual.label == wanted.label && actual.broadcast == wanted.broadcast &&
          actual.scope == wanted.scope);
}

std::string describe(const DesiredAddress& desired) {
  std::string text = fmt::format("{} on {}", desired.prefix.to_string(), desired.interface);
  if (!desired.label.empty()) text += fmt::format(" (label {})", desired.label.str());
  return text;
}

}  // namespace holdfast::netlink
