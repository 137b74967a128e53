// The report that this host is a member of a group, as the kernel would send it when it is asked:
// IGMP (RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810). Bytes only.
#pragma once

#include "core/ip_address.hpp"
#include "core/mac_address.hpp"

#include <cstdint>
#include <vector>

namespace holdfast::vrrp {

/// Latest: IGMPv3, MLDv2. Old: IGMPv2, MLDv1, for interfaces that are set to it.
enum class ReportForm : std::uint8_t { latest, old };

/// A whole Ethernet frame. `source`: an address of the interface, with IPv6 its link-local one.
[[nodiscard]] std::vector<std::uint8_t> membership_report(const core::MacAddress& sender,
                                                          const core::IpAddress& source,
                                                          const core::IpAddress& group,
                                                          ReportForm form);

}  // namespace holdfast::vrrp
