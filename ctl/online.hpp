// `holdfastctl check --online`: what a configuration needs of this host and does not find there.
// Looks, changes nothing, needs no privileges: what it may not look at is said.
#pragma once

#include "config/accounts.hpp"
#include "config/load.hpp"
#include "ctl/host_facts.hpp"

#include <boost/json/object.hpp>

namespace holdfast::ctl {

/// From the status of a VRRP process: the virtual addresses that it has put on this host.
[[nodiscard]] std::set<core::IpAddress> held_addresses(const boost::json::object& status);

/// Appends the findings: interfaces, addresses, IPVS modules, scripts, users, tracked files.
/// Warnings and notes only: a configuration may be meant for another host.
void check_online(const config::Loaded& loaded, const HostFacts& host,
                  const config::AccountLookUp& look_up, config::Diagnostics& out);

}  // namespace holdfast::ctl
