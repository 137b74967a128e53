// The kernel's side of `holdfastctl real-server`: addresses, tunnel devices and switches of this
// network namespace, one synchronous request each. Used by real_server.cpp only.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"
#include "ctl/real_server_record.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct nl_sock;

namespace holdfast::ctl {

struct ServerDevice {
  bool up = false;
  bool silent = false;  ///< loopback, or a device without ARP (tunnels, dummy)
  std::vector<core::IpAddress> addresses;
};

class RealServerHost {
 public:
  [[nodiscard]] static core::Result<RealServerHost> open();

  [[nodiscard]] core::Result<std::map<std::string, ServerDevice>> devices() const;
  /// Inode of the network namespace that we are in.
  [[nodiscard]] static std::uint64_t network_namespace();

  /// nullopt: this kernel has no such switch, or the device is gone.
  [[nodiscard]] static std::optional<std::int64_t> read_switch(const std::string& path);
  [[nodiscard]] static core::Result<void> write_switch(const std::string& path, std::int64_t value);

  /// With the full length of its family. Done already is success, both ways.
  [[nodiscard]] core::Result<void> add_address(const core::IpAddress& address,
                                               const std::string& device);
  [[nodiscard]] core::Result<void> remove_address(const core::IpAddress& address,
                                                  const std::string& device);
  [[nodiscard]] static core::Result<void> set_up(const std::string& device, bool up);
  /// Loads the kernel's module. True: made by us; false: the kernel has made its own.
  [[nodiscard]] core::Result<bool> create_tunnel(const TunnelDevice& device);
  /// What an ip6tnl device unwraps: IPPROTO_IPV6, IPPROTO_IPIP, or 0 for both.
  [[nodiscard]] static core::Result<std::uint8_t> tunnel_protocol(const std::string& device);
  [[nodiscard]] static core::Result<void> set_tunnel_protocol(const std::string& device,
                                                              std::uint8_t protocol);
  [[nodiscard]] core::Result<void> remove_device(const std::string& name);
  /// UDP packets to this port are unwrapped as generic UDP encapsulation. True: opened by us.
  [[nodiscard]] static core::Result<bool> open_gue(std::uint16_t port);
  [[nodiscard]] static core::Result<void> close_gue(std::uint16_t port);

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  explicit RealServerHost(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Close> socket_;
};

}  // namespace holdfast::ctl
