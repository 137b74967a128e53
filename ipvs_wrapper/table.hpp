// IPVS as a value: services and their servers, comparable with ==, without a kernel behind it.
// The checkers build the desired Table, the client reads the actual one, plan.hpp finds the steps
// between them. Counters are kept apart (Observed): two tables that mean the same compare equal
// whatever traffic they carry.
#pragma once

#include "core/ip_address.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace holdfast::ipvs {

/// IP protocol number. Other values than the named ones occur in tables that others made: the
/// kernel accepts any.
enum class Protocol : std::uint16_t { tcp = 6, udp = 17, sctp = 132 };

/// A service known by its virtual address. Port 0 means every port.
struct AddressKey {
  Protocol protocol = Protocol::tcp;
  core::Endpoint endpoint;

  auto operator<=>(const AddressKey&) const = default;
};

/// A service known by a firewall mark (never 0) and a family.
struct MarkKey {
  std::uint32_t mark = 0;
  core::Family family = core::Family::v4;

  auto operator<=>(const MarkKey&) const = default;
};

/// What identifies a service in the kernel. Order: address services by protocol, address, port;
/// then marks.
using ServiceKey = std::variant<AddressKey, MarkKey>;

[[nodiscard]] core::Family family_of(const ServiceKey& key);
/// "TCP 192.0.2.1:80", "UDP [2001:db8::1]:53", "FWM 7", "FWM 8 IPv6"; other protocols as "IP 47 …".
[[nodiscard]] std::string to_string(const ServiceKey& key);
/// "TCP", "UDP", "SCTP" or "IP <number>".
[[nodiscard]] std::string to_string(Protocol protocol);

/// How packets reach the server. ip_vs.h: IP_VS_CONN_F_FWD_MASK. Codes 5 to 7 mean nothing but the
/// kernel stores them.
enum class Forwarding : std::uint8_t {
  masquerade = 0,    ///< NAT, ipvsadm -m
  local = 1,         ///< delivered on the director itself
  tunnel = 2,        ///< ipvsadm -i
  direct_route = 3,  ///< DR, ipvsadm -g
  bypass = 4,        ///< transparent proxy
};

/// ip_vs.h: IP_VS_CONN_F_TUNNEL_TYPE_*. Only with Forwarding::tunnel.
enum class TunnelType : std::uint8_t { ipip = 0, gue = 1, gre = 2 };

/// Checksum of the tunnel header, gue and gre only. ip_vs.h: IP_VS_TUNNEL_ENCAP_FLAG_*.
enum class TunnelChecksum : std::uint16_t { none = 0, checksum = 1, remote_offload = 2 };

/// Encapsulation towards a tunnel server. All zero (plain ipip) for the other forwarding methods.
struct Tunnel {
  TunnelType type = TunnelType::ipip;
  std::uint16_t port = 0;  ///< UDP port of gue, host order; never 0 with gue
  TunnelChecksum checksum = TunnelChecksum::none;

  bool operator==(const Tunnel&) const = default;
};

/// A real server inside a service; its key is its endpoint in Service::servers.
struct Server {
  Forwarding forwarding = Forwarding::direct_route;
  /// 0 keeps established connections and takes no new ones; at most INT_MAX.
  std::uint32_t weight = 1;
  /// Connections above which the server takes no more; 0: no limit.
  std::uint32_t upper_threshold = 0;
  /// Connections below which it takes new ones again; at most upper_threshold; 0: three quarters of
  /// it.
  std::uint32_t lower_threshold = 0;
  Tunnel tunnel{};

  bool operator==(const Server&) const = default;
};

/// ip_vs.h: IP_VS_SVC_F_*, the bits that are the user's. PERSISTENT is Settings::persistence,
/// HASHED is the kernel's.
inline constexpr std::uint32_t kOnePacket = 0x04;
inline constexpr std::uint32_t kSchedulerFlag1 = 0x08;  ///< sh-fallback, mh-fallback
inline constexpr std::uint32_t kSchedulerFlag2 = 0x10;  ///< sh-port, mh-port
inline constexpr std::uint32_t kSchedulerFlag3 = 0x20;

/// The scheduler that schedules nothing: clients are refused as if there were no server. Used to
/// publish a pool at once.
inline constexpr std::string_view kNoScheduler = "none";

/// Clients of one network stick to one server.
struct Persistence {
  /// How long after the last connection. Whole seconds, above 0. ipvsadm's and keepalived's default
  /// is 360.
  std::chrono::seconds timeout{360};
  /// IPv4: the mask as a number (0xffffff00 for /24). IPv6: the prefix length, 1 to 128. See
  /// netmask_of_prefix.
  std::uint32_t netmask = 0xffffffff;

  bool operator==(const Persistence&) const = default;
};

/// The netmask field for a prefix length: 24 → 0xffffff00 for IPv4, 64 → 64 for IPv6. `length` is
/// within the family's range.
[[nodiscard]] std::uint32_t netmask_of_prefix(core::Family family, std::uint8_t length);
/// A mask of IPv4 has its first bit set, a prefix length of IPv6 is at most 128.
[[nodiscard]] core::Family family_of_netmask(std::uint32_t netmask);
/// The netmask that keeps every client by itself: /32 or 128.
[[nodiscard]] std::uint32_t full_netmask(core::Family family);

/// Everything about a service but its key and servers.
struct Settings {
  /// rr wrr lc wlc fo ovf lblc lblcr dh sh mh sed nq twos none; at most 15 characters.
  std::string scheduler = "wlc";
  /// kOnePacket, kSchedulerFlag1…3 and bits we do not know, kept as they are.
  std::uint32_t flags = 0;
  std::optional<Persistence> persistence{};
  /// "sip" or empty. At most 15 characters.
  std::string persistence_engine{};

  bool operator==(const Settings&) const = default;
};

/// A virtual service. Servers are sorted by endpoint, which is also the order in which they are
/// added to a new pool: two directors with one configuration then fill mh's table alike.
struct Service {
  Settings settings{};
  std::map<core::Endpoint, Server> servers{};

  bool operator==(const Service&) const = default;
};

/// True when a client can get an answer: a scheduler, and a server with weight above 0.
[[nodiscard]] bool is_serving(const Service& service);

/// A whole IPVS table.
struct Table {
  std::map<ServiceKey, Service> services{};

  bool operator==(const Table&) const = default;
};

/// Counters since the entry was made or zeroed. The kernel folds them in every 2 s; rates are its
/// average over ~8 s.
struct Stats {
  std::uint64_t connections = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;  ///< stays 0 with DR and tunnel: replies do not pass here
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t connections_per_second = 0;
  std::uint64_t packets_in_per_second = 0;
  std::uint64_t packets_out_per_second = 0;
  std::uint64_t bytes_in_per_second = 0;
  std::uint64_t bytes_out_per_second = 0;

  bool operator==(const Stats&) const = default;
};

struct ServerCounters {
  std::uint32_t active_connections = 0;
  std::uint32_t inactive_connections = 0;
  std::uint32_t persistent_connections = 0;
  Stats stats;

  bool operator==(const ServerCounters&) const = default;
};

struct ServiceCounters {
  Stats stats;
  std::map<core::Endpoint, ServerCounters> servers;

  bool operator==(const ServiceCounters&) const = default;
};

/// Services without their servers.
struct ServiceList {
  std::map<ServiceKey, Settings> services;
  /// The kernel made the list at one go: nothing can be missing.
  bool in_one_piece = true;
};

/// What the kernel told: the table, and the traffic beside it under the same keys.
struct Observed {
  Table table;
  std::map<ServiceKey, ServiceCounters> counters;
};

}  // namespace holdfast::ipvs
