// How the kernel shall treat an address, beyond where it is: words of keepalived's address lines
// that are seldom there.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <optional>

namespace holdfast::core {

/// linux/if_addr.h: IFA_F_*.
struct AddressOptions {
  /// `peer`: the other end of a point-to-point link, with the length that counts then.
  std::optional<IpPrefix> peer = {};
  bool no_prefix_route = false;      ///< `noprefixroute`
  bool auto_join = false;            ///< `autojoin`
  bool home = false;                 ///< `home`, IPv6
  bool duplicate_detection = false;  ///< `-nodad`, IPv6
  bool manage_temporary = false;     ///< `mngtmpaddr`, IPv6
  /// `preferred_lft`, seconds or the largest number for ever; unset: for ever, 0 for an IPv6 /128.
  std::optional<std::uint32_t> preferred_lifetime = {};

  bool operator==(const AddressOptions&) const = default;
};

}  // namespace holdfast::core
