#include "vrrp/core/na.hpp"

#include "core/assertion.hpp"
#include "core/bytes.hpp"
#include "vrrp/core/icmpv6.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace holdfast::vrrp {
namespace {

constexpr std::uint8_t kNeighbourAdvertisement = 136;  // RFC 4861 §4.4
constexpr std::uint32_t kRouterFlag = 0x80000000;
constexpr std::uint32_t kOverrideFlag = 0x20000000;
constexpr std::uint8_t kTargetLinkLayerAddress = 2;  // RFC 4861 §4.6.1
constexpr std::uint16_t kMessageBytes = 32;
constexpr std::size_t kChecksumOffset = 2;

constexpr std::array<std::uint8_t, 6> kAllNodesMac{0x33, 0x33, 0, 0, 0, 1};  // RFC 2464 §7
constexpr std::array<std::uint8_t, 16> kAllNodes{0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                 0,    0,    0, 0, 0, 0, 0, 1};

std::vector<std::uint8_t> message_of(const core::MacAddress& sender, const core::IpAddress& address,
                                     ForwardsPackets forwards) {
  const std::uint32_t flags = kOverrideFlag | (forwards == ForwardsPackets::yes ? kRouterFlag : 0U);
  std::vector<std::uint8_t> message;
  core::ByteWriter writer(message);
  writer.u8(kNeighbourAdvertisement);
  writer.u8(0);
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(flags >> 16));
  writer.u16(0);
  writer.put(address.bytes());
  writer.u8(kTargetLinkLayerAddress);
  writer.u8(1);  // in units of 8 bytes
  writer.put(sender.bytes);
  writer.patch_u16(kChecksumOffset,
                   icmpv6_checksum(address, core::IpAddress::v6(kAllNodes), message));
  return message;
}

}  // namespace

std::array<std::uint8_t, kNaFrameBytes> unsolicited_na(const core::MacAddress& sender,
                                                       const core::IpAddress& address,
                                                       ForwardsPackets forwards) {
  HOLDFAST_ASSERT(!address.is_v4(), "IPv4 addresses are announced by gratuitous ARP");
  std::vector<std::uint8_t> bytes;
  core::ByteWriter writer(bytes);
  writer.put(kAllNodesMac);
  writer.put(sender.bytes);
  writer.u16(0x86dd);  // EtherType IPv6
  writer.u16(0x6000);  // version 6, traffic class 0
  writer.u16(0);       // flow label
  writer.u16(kMessageBytes);
  writer.u8(kIcmpv6);
  writer.u8(255);  // RFC 4861 §7.1.2: anything else is discarded
  writer.put(address.bytes());
  writer.put(kAllNodes);
  writer.put(message_of(sender, address, forwards));

  std::array<std::uint8_t, kNaFrameBytes> frame{};
  HOLDFAST_ASSERT(bytes.size() == frame.size(), "the form has one length");
  std::copy(bytes.begin(), bytes.end(), frame.begin());
  return frame;
}

}  // namespace holdfast::vrrp
