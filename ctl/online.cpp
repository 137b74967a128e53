#include "ctl/online.hpp"

#include "config/report.hpp"
#include "ctl/json_view.hpp"
#include "ctl/online_scripts.hpp"
#include "ctl/online_switches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/stat.h>
#include <unordered_set>

namespace holdfast::ctl {
namespace {

using config::Severity;
using config::SourceLocation;

struct Online {
  const config::Model& model;
  const HostFacts& host;
  config::Reporter& reporter;
  std::unordered_set<std::string> said{};

  void warn(const SourceLocation& at, std::string message, std::string help = {}) {
    reporter.at(Severity::warning, at, std::move(message), std::move(help));
  }
  void note(const SourceLocation& at, std::string message, std::string help = {}) {
    reporter.at(Severity::note, at, std::move(message), std::move(help));
  }
  [[nodiscard]] const HostInterface* find(const std::string& name) const {
    const auto found = host.interfaces.find(name);
    return found == host.interfaces.end() ? nullptr : &found->second;
  }
};

// Interfaces that Holdfast makes itself.
bool is_virtual(const config::Model& model, const std::string& name) {
  return std::any_of(model.instances.begin(), model.instances.end(),
                     [&](const config::VrrpInstance& one) {
                       return one.vmac && (one.vmac->name == name || name.starts_with("vrrp."));
                     });
}

// Once an interface, where it is named first.
void check_interface(Online& online, const std::string& name, const SourceLocation& at,
                     std::string_view user) {
  if (name.empty() || is_virtual(online.model, name) || !online.said.insert(name).second) return;
  const HostInterface* interface = online.find(name);
  if (interface == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& [one, ignored] : online.host.interfaces) names.push_back(one);
    const std::string_view near = config::nearest_word(name, names);
    online.warn(at,
                fmt::format("there is no interface '{}' on this host: {} waits for it", name, user),
                near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  } else if (!interface->up) {
    online.warn(at, fmt::format("interface '{}' is down: {} waits for it", name, user),
                fmt::format("ip link set {} up", name));
  }
}

void check_interfaces(Online& online) {
  for (const config::VrrpInstance& instance : online.model.instances) {
    const std::string user = fmt::format("vrrp_instance '{}'", instance.name);
    check_interface(online, instance.interface, instance.location, user);
    for (const config::Tracked& one : instance.tracking.interfaces)
      check_interface(online, one.name, one.location, user);
    for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
      for (const config::VirtualAddress& one : *list)
        check_interface(online, one.interface, one.location, user);
    }
  }
  if (online.model.globals.lvs_sync_daemon) {
    check_interface(online, online.model.globals.lvs_sync_daemon->interface,
                    online.model.globals.location, "lvs_sync_daemon");
  }
}

/// RFC 9568 §7.3.
std::string virtual_mac_of(const config::VrrpInstance& instance) {
  return fmt::format("00:00:5e:00:{}:{:02x}", instance.family == core::Family::v4 ? "01" : "02",
                     instance.virtual_router_id);
}

// A director that hears nobody is a second master.
void check_hearing(Online& online, const config::VrrpInstance& instance) {
  const HostInterface* interface = online.find(instance.interface);
  if (interface == nullptr) return;
  std::vector<std::string> ours{"", virtual_mac_of(instance)};
  if (instance.unicast) ours.emplace_back("unicast");
  for (const std::string& from : ours) {
    const auto found = interface->unheard.find(from);
    if (found == interface->unheard.end()) continue;
    if (online.said.insert("unheard " + instance.interface + from).second)
      online.warn(instance.location,
                  fmt::format("vrrp_instance '{}': {}", instance.name, found->second));
  }
}

bool has_address(const HostInterface& interface, const core::IpAddress& address) {
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [&](const core::IpPrefix& one) { return one.address == address; });
}

bool is_ours(const HostFacts& host, const core::IpAddress& address) {
  return std::any_of(host.interfaces.begin(), host.interfaces.end(),
                     [&](const auto& one) { return has_address(one.second, address); });
}

void check_source(Online& online, const config::VrrpInstance& instance) {
  const HostInterface* interface = online.find(instance.interface);
  if (interface == nullptr && !instance.interface.empty()) return;
  if (instance.mcast_src_ip) {
    if (is_ours(online.host, *instance.mcast_src_ip)) return;
    online.warn(instance.location,
                fmt::format("{}, the source address of vrrp_instance '{}', is not an address of "
                            "this host",
                            instance.mcast_src_ip->to_string(), instance.name));
    return;
  }
  if (interface == nullptr) return;  // the kernel's routes choose
  const bool any = std::any_of(
      interface->addresses.begin(), interface->addresses.end(),
      [&](const core::IpPrefix& one) { return one.address.family() == instance.family; });
  if (any) return;
  online.warn(
      instance.location,
      fmt::format("interface '{}' has no {} address: the adverts of vrrp_instance '{}' have "
                  "no source",
                  instance.interface, instance.family == core::Family::v4 ? "IPv4" : "IPv6",
                  instance.name),
      "give it an address, or name another one in 'mcast_src_ip'");
}

void check_peers(Online& online, const config::VrrpInstance& instance) {
  for (const config::UnicastPeer& peer : instance.unicast_peers) {
    if (!is_ours(online.host, peer.address)) continue;
    online.warn(peer.location,
                fmt::format("{} is an address of this host, not of another director",
                            peer.address.to_string()),
                "name the other directors only");
  }
}

// Without a prefix length of its own an address is found by its neighbours only when it lies in a
// network of the interface.
void check_networks(Online& online, const config::VrrpInstance& instance) {
  for (const config::VirtualAddress& one : instance.virtual_addresses) {
    const HostInterface* interface = online.find(one.interface);
    const core::IpAddress& address = one.prefix.address;
    if (interface == nullptr || one.prefix.length != address.max_prefix_length()) continue;
    std::string networks;
    bool inside = false;
    for (const core::IpPrefix& own : interface->addresses) {
      const bool whole = own.length == own.address.max_prefix_length();
      if (own.address.family() != address.family() || whole) continue;
      inside = inside || own.contains(address);
      networks +=
          fmt::format("{}{}/{}", networks.empty() ? "" : ", ", own.address.to_string(), own.length);
    }
    if (inside || networks.empty()) continue;
    online.warn(one.location,
                fmt::format("{} lies in no network of {} ({}): its neighbours do not look for it "
                            "there",
                            address.to_string(), one.interface, networks),
                "check the address and 'dev', or write its own prefix length behind it");
  }
}

// Once an interface: where it is switched off, all of them fail for one reason.
void check_ipv6(Online& online, const config::VirtualAddress& address) {
  const HostInterface* interface = online.find(address.interface);
  if (interface == nullptr || address.prefix.address.is_v4() || !interface->ipv6_off) return;
  if (!online.said.insert("ipv6 " + address.interface).second) return;
  online.warn(address.location,
              fmt::format("IPv6 is switched off on {}: {} cannot be put there", address.interface,
                          address.prefix.address.to_string()),
              fmt::format("sysctl net.ipv6.conf.{}.disable_ipv6=0", address.interface));
}

bool is_only_own_address(const HostInterface& interface, const core::IpAddress& address) {
  return std::none_of(interface.addresses.begin(), interface.addresses.end(),
                      [&](const core::IpPrefix& one) {
                        return one.address.family() == address.family() && one.address != address &&
                               !one.address.is_link_local();
                      });
}

// A virtual address that is on the host although no Holdfast has put it there.
void check_present(Online& online, const config::VrrpInstance& instance,
                   const config::VirtualAddress& one) {
  constexpr std::uint8_t kOwner = 255;
  const HostInterface* interface = online.find(one.interface);
  const core::IpAddress& address = one.prefix.address;
  if (interface == nullptr || !has_address(*interface, address)) return;
  if (online.host.held.contains(address)) return;
  const bool only = is_only_own_address(*interface, address);
  if (instance.priority == kOwner) {
    online.note(
        one.location,
        fmt::format("{} is {} own address on {}, as priority 255 says: it is master "
                    "whenever it runs and {} is up{}",
                    address.to_string(), only ? "this host's only" : "this host's", one.interface,
                    one.interface, only ? ", and sends its adverts from this address" : ""),
        only ? fmt::format("give {} a second address to reach this host by when another "
                           "director is master",
                           one.interface)
             : "");
    return;
  }
  online.warn(
      one.location,
      fmt::format("{} is on {} already, and no Holdfast that runs here has put it there: {}",
                  address.to_string(), one.interface,
                  only ? "it is the interface's only address of its family, so that adverts "
                         "have no source, or the host loses it while another director is "
                         "master"
                       : "it is on two hosts, or vanishes from this one, while another "
                         "director is master"),
      "take it out of the host's own network configuration; if keepalived holds it, stop "
      "keepalived before Holdfast is started");
}

void check_modules(Online& online) {
  if (online.model.services.empty()) return;
  const HostFacts& host = online.host;
  const auto available = [&host](const std::string& name) {
    return host.modules_present.contains(name) || host.modules_loadable.contains(name);
  };
  const SourceLocation& at = online.model.services.front().location;
  if (!available("ip_vs")) {
    if (host.modules_known) {
      online.warn(at, "this kernel has no IPVS: virtual servers cannot work (module ip_vs)",
                  "install a kernel with ip_vs, or the package with its modules");
    } else {
      online.note(at, "whether this kernel has IPVS cannot be seen: /lib/modules is not here");
    }
    return;
  }
  if (!host.modules_known) return;
  for (const config::VirtualServer& service : online.model.services) {
    const std::string module = "ip_vs_" + service.scheduler;
    if (available(module) || !online.said.insert(module).second) continue;
    online.warn(service.location,
                fmt::format("this kernel has no scheduler '{}' (module {}): virtual_server {} "
                            "cannot be made",
                            service.scheduler, module, config::name_of(service)),
                "choose another 'lb_algo'");
  }
}

// The VRRP process is root without root's right to read everything.
bool is_closed_to_vrrp(const struct stat& file) {
  if (file.st_uid == 0) return (file.st_mode & S_IRUSR) == 0;
  if (file.st_gid == 0) return (file.st_mode & S_IRGRP) == 0;
  return (file.st_mode & S_IROTH) == 0;
}

void check_files(Online& online) {
  for (const config::TrackFile& file : online.model.track_files) {
    struct stat status {};
    if (file.path.empty()) continue;
    if (stat(file.path.c_str(), &status) == 0) {
      if (is_closed_to_vrrp(status))
        online.warn(file.location,
                    fmt::format("the VRRP process may not read the file of track_file '{}', which "
                                "counts as 0 then: {} belongs to user {} and has the mode {:04o}",
                                file.name, file.path, status.st_uid, status.st_mode & 07777),
                    "open it to others (chmod o+r): keepalived reads it with all powers of root");
      continue;
    }
    const std::string directory = file.path.substr(0, file.path.rfind('/'));
    if (!directory.empty() && stat(directory.c_str(), &status) != 0) {
      online.warn(file.location, fmt::format("the directory of track_file '{}' is not there: {}",
                                             file.name, directory));
    } else if (!file.init_value) {
      online.note(file.location,
                  fmt::format("the file of track_file '{}' is not there and counts as 0: {}",
                              file.name, file.path));
    }
  }
}

}  // namespace

std::set<core::IpAddress> held_addresses(const boost::json::object& status) {
  std::set<core::IpAddress> held;
  for (const value& entry : find_list(status, "instances")) {
    const object* instance = entry.if_object();
    if (instance == nullptr) continue;
    for (const value& item : find_list(*instance, "addresses")) {
      const object* one = item.if_object();
      if (one == nullptr || !flag(*one, "held")) continue;
      if (const auto prefix = core::IpPrefix::parse(text(*one, "address")))
        held.insert(prefix->address);
    }
  }
  return held;
}

void check_online(const config::Loaded& loaded, const HostFacts& host,
                  const config::AccountLookUp& look_up, config::Diagnostics& out) {
  config::Reporter reporter(loaded.snapshot, out);
  Online online{loaded.model, host, reporter};
  check_interfaces(online);
  for (const config::VrrpInstance& instance : loaded.model.instances) {
    check_source(online, instance);
    check_hearing(online, instance);
    check_peers(online, instance);
    check_networks(online, instance);
    for (const auto* list : {&instance.virtual_addresses, &instance.virtual_addresses_excluded}) {
      for (const config::VirtualAddress& one : *list) {
        check_ipv6(online, one);
        check_present(online, instance, one);
      }
    }
  }
  check_modules(online);
  check_files(online);
  check_switches(loaded.model, host, reporter);
  check_scripts(loaded.model, reporter, look_up);
}

}  // namespace holdfast::ctl
