// The socket filter that lets only our virtual routers' packets wake this process. Pure: makes the
// program's instructions, the socket attaches them.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <linux/filter.h>
#include <set>
#include <vector>

namespace holdfast::vrrp {

/// What VRRP is found in: IP itself, or IP's authentication header (keepalived's `auth_type AH`).
enum class Carrier : std::uint8_t { ip, ah };

/// Accepts VRRP packets whose VRID is in `vrids`, and those too short to have one: they are counted
/// as broken. An empty set drops everything. A raw socket of IPv4 sees a packet from its IP header
/// on, one of IPv6 what follows the headers. In authentication headers (IPv4) everything else than
/// VRRP is dropped: other IPsec traffic is none of our business. linux/filter.h,
/// networking/filter.rst.
[[nodiscard]] std::vector<sock_filter> vrid_filter(core::Family family,
                                                   const std::set<std::uint8_t>& vrids,
                                                   Carrier carrier = Carrier::ip);

}  // namespace holdfast::vrrp
