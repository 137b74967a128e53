#include "vrrp/doctor/ip_packet.hpp"

#include "core/bytes.hpp"

#include <tuple>

namespace holdfast::vrrp::doctor {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kFragment = 0x3fff;  // more fragments, or an offset

std::optional<IpPacket> read_v4(std::span<const std::uint8_t> packet) {
  const std::size_t header_bytes = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
  if (header_bytes < kIpv4HeaderBytes) return std::nullopt;
  core::ByteReader reader(packet.subspan(2));
  IpPacket read;
  const std::size_t total_bytes = reader.u16();
  read.identification = reader.u16();
  const std::uint16_t fragment = reader.u16();
  read.dont_fragment = (fragment & kDontFragment) != 0;
  read.hop_limit = reader.u8();
  read.protocol = reader.u8();
  std::ignore = reader.u16();  // header checksum: the kernel drops what is wrong, and so do peers
  const auto source = core::IpAddress::from_bytes(reader.take(4));
  const auto destination = core::IpAddress::from_bytes(reader.take(4));
  if (!source || !destination || (fragment & kFragment) != 0) return std::nullopt;
  if (total_bytes < header_bytes || total_bytes > packet.size()) return std::nullopt;
  read.source = *source;
  read.destination = *destination;
  read.payload = packet.first(total_bytes).subspan(header_bytes);
  return read;
}

std::optional<IpPacket> read_v6(std::span<const std::uint8_t> packet) {
  core::ByteReader reader(packet.subspan(4));
  IpPacket read;
  read.family = core::Family::v6;
  const std::size_t payload_bytes = reader.u16();
  read.protocol = reader.u8();
  read.hop_limit = reader.u8();
  const auto source = core::IpAddress::from_bytes(reader.take(16));
  const auto destination = core::IpAddress::from_bytes(reader.take(16));
  if (!source || !destination || payload_bytes > packet.size() - kIpv6HeaderBytes)
    return std::nullopt;
  read.source = *source;
  read.destination = *destination;
  read.payload = packet.subspan(kIpv6HeaderBytes, payload_bytes);
  return read;
}

}  // namespace

std::optional<IpPacket> read_ip(std::span<const std::uint8_t> packet) {
  if (packet.size() < kIpv4HeaderBytes) return std::nullopt;
  if (packet[0] >> 4 == 4) return read_v4(packet);
  if (packet[0] >> 4 != 6 || packet.size() < kIpv6HeaderBytes) return std::nullopt;
  return read_v6(packet);
}

}  // namespace holdfast::vrrp::doctor
