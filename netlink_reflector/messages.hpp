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
    "owns it is told; the reason is in the line. It is tried again after a second, then at growing "
    "distances up to a minute, and at once when something on the interface changes."};
inline constexpr runtime::Message kStepRefused{
    "netlink-step-refused", runtime::Level::error,
    "The kernel refused to add or remove an address. The line says which one, where, what the "
    "kernel answered and what may help. The other addresses are served. It is tried again after a "
    "second, then at growing distances up to a minute, and at once when something on the interface "
    "changes; the line appears once per reason."};
inline constexpr runtime::Message kAddressForeign{
    "netlink-address-foreign", runtime::Level::warning,
    "A virtual address was on the interface already, put there by an administrator, the host's own "
    "network configuration or another program. It is used as it is, and never taken off: right for "
    "an address owner (priority 255), and two holders of one address otherwise. Remove it from "
    "there if it is meant to move."};
inline constexpr runtime::Message kLeftOver{
    "netlink-left-over", runtime::Level::warning,
    "A process that was killed left this address, and no virtual router of this configuration "
    "holds "
    "it now. It is taken off, so that no two hosts have it."};
inline constexpr runtime::Message kRouteRepaired{
    "netlink-route-repaired", runtime::Level::warning,
    "Somebody removed a route or rule that this director holds, and it was put back at once. Look "
    "for a person or a tool (systemd-networkd without ManageForeignRoutes=no, NetworkManager) that "
    "manages the same table. Lines with no_track stay away instead."};
inline constexpr runtime::Message kRouteRefused{
    "netlink-route-refused", runtime::Level::error,
    "The kernel refused to add or remove a route or a rule, or somebody removes it again and "
    "again, or it names an interface or a table that does not exist. "
    "The line says which one, what the kernel answered and what may help. Everything else is "
    "served. It is tried again after a second, then at growing distances up to a minute, and at "
    "once when an interface, an address or one of our routes changes."};
inline constexpr runtime::Message kRoutesLeftOver{
    "netlink-routes-left-over", runtime::Level::warning,
    "A process that was killed left routes or rules, and no virtual router of this configuration "
    "holds them now. They are taken off."};
inline constexpr runtime::Message kRecordFailed{
    "netlink-record-failed", runtime::Level::error,
    "The list of addresses that are ours (vrrp.owned in the run directory) could not be read or "
    "written. Service goes on. After a crash, kernels from 5.18 on still tell which addresses are "
    "ours; on older ones they may be left on the interface: mend the run directory."};
inline constexpr runtime::Message kDeviceMade{
    "netlink-device-made", runtime::Level::info,
    "A virtual interface of a virtual router (use_vmac, use_ipvlan) has been made, or one that was "
    "there already is used. It goes at the stop, or when the configuration has it no more; one "
    "that somebody else made stays."};
inline constexpr runtime::Message kDeviceRepaired{
    "netlink-device-repaired", runtime::Level::warning,
    "Somebody deleted a virtual interface of a virtual router, took it down or changed it; it is "
    "as it was at once, with its addresses. Look for a person or a tool (NetworkManager, "
    "systemd-networkd) that manages interfaces of others."};
inline constexpr runtime::Message kDeviceTrouble{
    "netlink-device-trouble", runtime::Level::error,
    "A virtual interface of a virtual router cannot be had: the line says why. Its instance is in "
    "FAULT until it is there. What the kernel refused is tried again after a second, then at "
    "growing distances up to a minute, and at once when an interface changes."};
inline constexpr runtime::Message kSettingRefused{
    "netlink-setting-refused", runtime::Level::error,
    "A setting of an interface below /proc/sys/net, which virtual MAC addresses need, could not be "
    "written; in containers /proc/sys is often read-only. Set it outside. Without it the host may "
    "answer for a virtual address from the wrong MAC address, or drop what comes in."};
inline constexpr runtime::Message kFirewallRefused{
    "netlink-firewall-refused", runtime::Level::error,
    "The rules that drop packets to the virtual addresses of instances with no_accept, or in "
    "strict "
    "mode, could not be set: the line says why. The addresses are served nevertheless, and answer "
    "meanwhile. It is tried again after a second, then at growing distances up to a minute."};
inline constexpr runtime::Message kFirewallWorks{
    "netlink-firewall-works", runtime::Level::info,
    "The rules that drop packets to virtual addresses could not be set before, and are in place "
    "now."};
inline constexpr runtime::Message kFirewallRepaired{
    "netlink-firewall-repaired", runtime::Level::warning,
    "Somebody flushed or changed our table of nftables, and it was made again at once, its "
    "counters "
    "from zero. Mostly that is 'flush ruleset', with which /etc/nftables.conf begins and the unit "
    "nftables.service ends: nothing needs to be done. Said at most once a minute."};
inline constexpr runtime::Message kFirewallStuck{
    "netlink-firewall-stuck", runtime::Level::error,
    "A table of nftables that is not needed any more could not be removed: the line says why. "
    "Packets to the addresses in it are still dropped. It is tried again after a second, then at "
    "growing distances up to a minute; 'nft delete table' helps as well."};
inline constexpr runtime::Message kFirewallLeftOver{
    "netlink-firewall-left-over", runtime::Level::warning,
    "A process that was killed left this table of nftables, and no virtual address of this "
    "configuration is closed now. It is removed."};
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
