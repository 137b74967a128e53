// What `holdfastctl real-server up` has changed on this host, so that `down` gives back what was
// there: a small file beside the run directory, gone at the next boot like the changes themselves.
// Values only; the verbs are in real_server.hpp, the kernel in real_server_host.hpp.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::ctl {

/// A virtual address that this host accepts without answering ARP for it.
struct HeldAddress {
  core::IpAddress address;
  std::string device;
  bool found = false;  ///< it was there before us: it stays

  bool operator==(const HeldAddress&) const = default;
};

/// A value below /proc/sys/net, as "ipv4/conf/all/arp_ignore".
struct ChangedSwitch {
  std::string path;
  std::int64_t found = 0;
  std::int64_t set = 0;

  bool operator==(const ChangedSwitch&) const = default;
};

struct RaisedDevice {
  std::string name;
  bool created = false;  ///< it goes with its last address
  bool was_up = false;
  /// ip6tnl: what it unwrapped before it was told to unwrap both families. IPPROTO_*.
  std::optional<std::uint8_t> protocol = {};

  bool operator==(const RaisedDevice&) const = default;
};

struct RealServerRecord {
  /// Inode of /proc/self/ns/net: a record of another machine must not be mistaken for ours.
  std::uint64_t network_namespace = 0;
  std::vector<HeldAddress> addresses;
  std::vector<ChangedSwitch> switches;
  std::vector<RaisedDevice> devices;
  std::optional<std::uint16_t> gue_port;  ///< opened by us for foo-over-UDP

  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] const HeldAddress* find(const core::IpAddress& address) const;
  [[nodiscard]] const ChangedSwitch* find_switch(std::string_view path) const;
  [[nodiscard]] bool is_tunnel(std::string_view device) const;
  bool operator==(const RealServerRecord&) const = default;
};

[[nodiscard]] std::string write_record(const RealServerRecord& record);
/// Fails with what is wrong with the text.
[[nodiscard]] core::Result<RealServerRecord> parse_record(std::string_view text);

/// A switch that keeps a real server silent or lets it accept, and the values that do.
struct WantedSwitch {
  std::string path;
  std::vector<std::int64_t> good;  ///< the first one is written

  [[nodiscard]] bool accepts(std::int64_t value) const;
  bool operator==(const WantedSwitch&) const = default;
};

/// What the addresses of `record` need: ARP's two for `all` and each device with an IPv4 address,
/// loose reverse-path filtering on tunnels. IPv6 needs none: the kernel answers solicitations for
/// addresses of the interface that hears them only. linux/Documentation: ip-sysctl.rst.
[[nodiscard]] std::vector<WantedSwitch> wanted_switches(const RealServerRecord& record);

/// How packets of the director arrive.
enum class ServerTunnel : std::uint8_t { none, ipip, sit, ip6tnl, gre, ip6gre, gue };
[[nodiscard]] std::optional<ServerTunnel> parse_tunnel(std::string_view word);

struct TunnelDevice {
  std::string name;
  std::string kind;  ///< as `ip link add … type`
};
/// The kernel's own device that takes such packets from everybody, for addresses of this family
/// inside. nullopt: that tunnel carries no such packets.
[[nodiscard]] std::optional<TunnelDevice> tunnel_device(ServerTunnel tunnel, core::Family inside);

}  // namespace holdfast::ctl
