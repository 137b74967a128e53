#include "vrrp/core/icmpv6.hpp"

#include "core/bytes.hpp"
#include "core/checksum.hpp"

#include <vector>

namespace holdfast::vrrp {

std::uint16_t icmpv6_checksum(const core::IpAddress& source, const core::IpAddress& destination,
                              std::span<const std::uint8_t> message) {
  std::vector<std::uint8_t> covered;
  core::ByteWriter writer(covered);
  writer.put(source.bytes());
  writer.put(destination.bytes());
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(message.size()));
  writer.u16(0);
  writer.u16(kIcmpv6);
  writer.put(message);
  return core::internet_checksum(covered);
}

}  // namespace holdfast::vrrp
