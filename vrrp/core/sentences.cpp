#include "vrrp/core/sentences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace holdfast::vrrp {
namespace {

/// So many addresses of a list are told.
constexpr std::size_t kAddressesTold = 10;

std::string some_of(std::span<const IpAddress> addresses) {
  const std::size_t shown = std::min(addresses.size(), kAddressesTold);
  return core::join(addresses.first(shown)) +
         (shown == addresses.size() ? "" : fmt::format(" and {} more", addresses.size() - shown));
}

}  // namespace

std::string other_addresses(std::span<const IpAddress> theirs, const AddressList& ours) {
  std::vector<IpAddress> missing;
  std::vector<IpAddress> extra(theirs.begin(), theirs.end());
  for (const VirtualAddress& address : ours) {
    if (std::erase(extra, address.prefix.address) == 0) missing.push_back(address.prefix.address);
  }
  std::string text = "advertises other addresses than ours";
  if (!missing.empty()) text += fmt::format(", without {}", some_of(missing));
  if (!extra.empty()) text += fmt::format(", with {}", some_of(extra));
  const bool none_is_common = missing.size() == ours.size();
  return text + (none_is_common
                     ? ": give one of you another virtual_router_id if these are two virtual "
                       "routers, or else both the same list, because keepalived before 2.3.3 "
                       "refuses another"
                     : ": write the same list on both, because keepalived before 2.3.3 refuses "
                       "another number or content and becomes master, too");
}

std::string duplicate_address() {
  return "sends from our own address what we did not send: another host has this address, too, "
         "give one of the two another";
}

std::string first_is_not_link_local(const IpAddress& first) {
  return fmt::format(
      "advertises {} as its first address, which is not link-local: put one of fe80::/10 first in "
      "its virtual_ipaddress, strict peers drop its adverts otherwise (RFC 9568 erratum 8300)",
      first.to_string());
}

bool silences_keepalived(RejectReason reason) {
  return reason == DecodeError::carp || reason == DecodeError::bad_version ||
         reason == DecodeError::bad_length || reason == DecodeError::bad_checksum ||
         reason == Objection::bad_ttl || reason == Objection::authentication_type ||
         reason == Objection::authentication_data || reason == Objection::ah_invalid ||
         reason == Objection::ah_replay || reason == DecodeError::bad_ah;
}

std::string may_fall_silent(const IpAddress& master) {
  return fmt::format(
      "; if {} is keepalived, it begins its interval anew at each such packet and may fall silent "
      "although it lives",
      master.to_string());
}

}  // namespace holdfast::vrrp
