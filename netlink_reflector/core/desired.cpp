#include "netlink_reflector/core/desired.hpp"

#include <algorithm>

namespace holdfast::netlink {
namespace {

/// Those that the kernel keeps as they were set; the others it may not know.
constexpr std::uint32_t kComparedFlags = kFlagNoPrefixRoute | kFlagAutoJoin;

std::uint32_t flags_of(const core::AddressOptions& options, core::Family family) {
  std::uint32_t flags = 0;
  if (options.no_prefix_route) flags |= kFlagNoPrefixRoute;
  if (options.auto_join) flags |= kFlagAutoJoin;
  if (family == core::Family::v4) return flags;
  if (options.home) flags |= kFlagHomeAddress;
  if (options.manage_temporary) flags |= kFlagManageTemporary;
  return flags;
}

/// One that ends is reported as what is left of it.
bool lasts_as_long(std::uint32_t actual, std::uint32_t wanted) {
  return wanted == 0 || wanted == kLifetimeForever ? actual == wanted : actual <= wanted;
}

}  // namespace

Address resolve(const DesiredAddress& desired, const Link& link) {
  Address address;
  address.interface = link.index;
  static const core::AddressOptions kOrdinary;
  const core::AddressOptions& options = desired.options ? *desired.options : kOrdinary;
  address.prefix = desired.prefix;
  if (options.peer) {
    address.prefix.length = options.peer->length;
    if (options.peer->address != desired.prefix.address) address.peer = options.peer->address;
  }
  address.flags = flags_of(options, desired.prefix.address.family());
  address.preferred_lifetime = options.preferred_lifetime.value_or(kLifetimeForever);
  address.scope = desired.scope;
  address.protocol = kProtocolHoldfast;
  if (desired.prefix.address.is_v4()) {
    address.label = desired.label.empty() ? link.name : desired.label.str();
    if (desired.broadcast) address.broadcast = *desired.broadcast;
    return address;
  }
  // A virtual address is usable at once, and a host address is not used as a source by accident.
  // keepalived: IFA_F_NODAD, preferred_lft 0 for /128.
  if (!options.duplicate_detection) address.flags |= kFlagNoDad;
  if (desired.prefix.length == 128 && !options.preferred_lifetime) address.preferred_lifetime = 0;
  return address;
}

bool is_at(const DesiredAddress& desired, const AddressKey& key) {
  const bool has_peer = desired.options && desired.options->peer;
  const std::uint8_t length = has_peer ? desired.options->peer->length : desired.prefix.length;
  return desired.prefix.address == key.address && (!key.address.is_v4() || length == key.length);
}

bool satisfies(const Address& actual, const Address& wanted) {
  if (actual.prefix != wanted.prefix || actual.peer != wanted.peer ||
      actual.valid_lifetime != wanted.valid_lifetime ||
      !lasts_as_long(actual.preferred_lifetime, wanted.preferred_lifetime) ||
      ((actual.flags ^ wanted.flags) & kComparedFlags) != 0) {
    return false;
  }
  // The kernel derives the scope of an IPv6 address from the address itself.
  return !wanted.prefix.address.is_v4() ||
         (actual.label == wanted.label && actual.broadcast == wanted.broadcast &&
          actual.scope == wanted.scope);
}

std::string describe(const DesiredAddress& desired) {
  std::string text = fmt::format("{} on {}", desired.prefix.to_string(), desired.interface);
  if (desired.options && desired.options->peer)
    text += fmt::format(" (peer {})", desired.options->peer->to_string());
  if (!desired.label.empty()) text += fmt::format(" (label {})", desired.label.str());
  return text;
}

}  // namespace holdfast::netlink
