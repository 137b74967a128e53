// Everything that the reflector says to the operator.
#pragma once

#include "runtime/log.hpp"

namespace holdfast::netlink {

inline constexpr runtime::Message kAddressRepaired{
    "netlink-address-repaired", runtime::Level::warning,
    "Somebody removed or changed an address that this director holds, and it was put back at "
    "once. Look for a person or a tool (NetworkManager, ifupdown, a second VRRP daemon) that "
    "manages the same interface. Clients noticed nothing or lost a packet."};
inline constexpr runtime::Message kAddressLost{
    "netlink-address-lost", runtime::Level::error,
    "An address that this director held is gone and could not be put back. The instance that "
    "owns it is told; the reason is in the line. It is tried again every second."};
inline constexpr runtime::Message kStepRefused{
    "netlink-step-refused", runtime::Level::error,
    "The kernel refused to add or remove an address. The line says which one, where, what the "
    "kernel answered and what may help. It is tried again every second; the line appears once "
    "per reason."};
inline constexpr runtime::Message kOverrun{
    "netlink-overrun", runtime::Level::warning,
    "More link and address changes happened at once than the kernel could queue for us. Nothing "
    "is lost: everything was read again and compared. If it happens often, raise "
    "vrrp_netlink_monitor_rcv_bufs."};
inline constexpr runtime::Message kReadFailed{
    "netlink-read-failed", runtime::Level::error,
    "Reading links and addresses from the kernel failed. The mirror may be old until the next "
    "attempt, one second later."};

}  // namespace holdfast::netlink
