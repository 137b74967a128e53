// The two things the client needs from a netlink socket, so that a fake kernel can take its place
// in tests.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace holdfast::ipvs {

class Link {
 public:
  virtual ~Link() = default;
  /// Sends one datagram of whole netlink messages. Returns 0 or an errno.
  [[nodiscard]] virtual int send(std::span<const std::uint8_t> datagram) = 0;
  /// Waits at most `timeout` for one datagram. Returns 0 and the datagram, or an errno (ETIMEDOUT
  /// when none came, ENOBUFS when the kernel dropped some). The bytes are 4-byte aligned, the
  /// link's, and valid until the next call.
  [[nodiscard]] virtual int receive(std::span<const std::uint8_t>& datagram,
                                    core::Duration timeout) = 0;
};

/// A connected generic-netlink socket and the id of the IPVS family.
struct OpenedLink {
  std::unique_ptr<Link> link;
  std::uint16_t family = 0;
};

/// Opens a socket through libnl, asks for a 1 MiB receive buffer and resolves the family.
[[nodiscard]] core::Result<OpenedLink> open_netlink_link();

}  // namespace holdfast::ipvs
