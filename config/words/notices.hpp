// Sentences about what is not done yet that rows of several blocks share. Each is said once a
// configuration.
#pragma once

#include <string_view>

namespace holdfast::config::rows {

inline constexpr std::string_view kNoSnmpName =
    "accepted, without effect yet: 'snmp_name' (Holdfast does not do SNMP yet)";
inline constexpr std::string_view kNoSnmp =
    "Holdfast does not serve SNMP yet: nothing is served, and no trap is sent";
inline constexpr std::string_view kByNftables =
    "no_accept and strict mode drop packets with nftables, in a table of their own: chains and "
    "sets of iptables are not touched, and may be removed from the configuration";

}  // namespace holdfast::config::rows
