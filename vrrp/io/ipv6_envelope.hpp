// Source, destination and hop limit of an advert over IPv6: raw sockets of IPv6 have no headers,
// what stands in them comes and goes beside the bytes (RFC 3542 §6). Used by the advert socket.
#pragma once

#include "vrrp/core/codec.hpp"
#include "vrrp/core/receive.hpp"

#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>

namespace holdfast::vrrp {

/// Room for one packet's; must last as long as the msghdr that it was given to.
class Ipv6Envelope {
 public:
  /// Makes room before a packet is received.
  void receive_into(msghdr& header);
  /// What was received; `not_vrrp` when the kernel did not say where it went. The interface is the
  /// caller's to fill in.
  [[nodiscard]] Decoded<Received> received(const msghdr& header,
                                           std::span<const std::uint8_t> payload) const;
  /// Says where a packet comes from; fails with EINVAL in the kernel when that is not an address of
  /// ours.
  void send_with(msghdr& header, const IpAddress& source, std::uint8_t hop_limit,
                 std::uint32_t interface);

 private:
  sockaddr_in6 peer_{};
  alignas(cmsghdr) std::array<std::uint8_t,
                              CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> control_{};
};

}  // namespace holdfast::vrrp
