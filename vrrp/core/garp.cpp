#include "vrrp/core/garp.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::vrrp {

std::array<std::uint8_t, kGarpFrameBytes> gratuitous_arp(const core::MacAddress& sender,
                                                         const core::IpAddress& address) {
  HOLDFAST_ASSERT(address.is_v4(), "ARP is IPv4's; IPv6 addresses are announced by NA");
  std::array<std::uint8_t, kGarpFrameBytes> frame{};
  auto position = frame.begin();
  const auto put = [&position](const auto& bytes) {
    position = std::copy(bytes.begin(), bytes.end(), position);
  };

  put(core::kBroadcastMac.bytes);
  put(sender.bytes);
  put(std::array<std::uint8_t, 2>{0x08, 0x06});  // EtherType ARP
  put(std::array<std::uint8_t, 6>{0x00, 0x01, 0x08, 0x00, 6,
                                  4});           // Ethernet, IPv4, address lengths
  put(std::array<std::uint8_t, 2>{0x00, 0x01});  // request, RFC 826
  put(sender.bytes);
  put(address.bytes());
  put(core::kBroadcastMac.bytes);  // others send zeros here; keepalived all ones
  put(address.bytes());
  return frame;
}

}  // namespace holdfast::vrrp
