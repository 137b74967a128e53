// What this host is like, as a value: interfaces, addresses, kernel modules. Read once for
// `check --online`; needs no privileges. Tests make their own.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::ctl {

struct HostInterface {
  bool up = false;  ///< IFF_UP
  std::vector<core::IpPrefix> addresses;
  bool ipv6_off = false;  ///< net.ipv6.conf.NAME.disable_ipv6, or a kernel without IPv6
  /// Whom no socket hears there, by MAC address ("": everybody), with sentences: host_links.hpp.
  std::map<std::string, std::string> unheard = {};

  bool operator==(const HostInterface&) const = default;
};

struct HostFacts {
  std::map<std::string, HostInterface> interfaces;
  /// Modules of IPVS that are in the kernel: loaded, or built in. "ip_vs", "ip_vs_wrr".
  std::set<std::string> modules_present;
  /// Those that could be loaded. Says nothing unless modules_known.
  std::set<std::string> modules_loadable;
  bool modules_known = false;  ///< /lib/modules of this kernel is visible
  /// net.ipv4.vs.*, by name; empty: ip_vs is not loaded.
  std::map<std::string, std::string> ipvs_switches;
  bool has_conntrack = false;  ///< a firewall here follows connections
  /// What a Holdfast that runs here has put on its interfaces. Not known to the kernel: see
  /// held_addresses() of online.hpp.
  std::set<core::IpAddress> held;

  bool operator==(const HostFacts&) const = default;
};

/// Asks the kernel and /lib/modules. Fails only when the interfaces cannot be listed.
[[nodiscard]] core::Result<HostFacts> read_host_facts();

/// The names of IPVS modules in the text of /proc/modules (`name size …`), and of modules.dep or
/// modules.builtin (`kernel/…/name.ko[.xz]`).
[[nodiscard]] std::set<std::string> ipvs_modules_in(std::string_view text);

}  // namespace holdfast::ctl
