#include "vrrp/io/ipv4_header.hpp"

#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "vrrp/core/ah.hpp"

namespace holdfast::vrrp {
namespace {

constexpr std::size_t kIpv4ChecksumOffset = 10;

}  // namespace

Decoded<Received> decode_ipv4(std::span<const std::uint8_t> packet) {
  if (packet.size() < kIpv4HeaderBytes) return DecodeError::truncated;
  const std::size_t header_bytes = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
  if (packet[0] >> 4 != 4 || header_bytes < kIpv4HeaderBytes) return DecodeError::not_ipv4;

  core::ByteReader reader(packet.subspan(2));
  const std::size_t total_bytes = reader.u16();
  Received decoded;
  decoded.identification = reader.u16();  // counts up; only an authentication header covers it
  const std::uint16_t fragment = reader.u16();
  decoded.hop_limit = reader.u8();
  decoded.protocol = reader.u8();
  std::ignore = reader.u16();  // header checksum: the kernel verified it
  decoded.source = *IpAddress::from_bytes(reader.take(4));
  decoded.destination = *IpAddress::from_bytes(reader.take(4));

  if (total_bytes < header_bytes || total_bytes > packet.size()) return DecodeError::truncated;
  if (decoded.protocol != kIpProtocolVrrp && decoded.protocol != kIpProtocolAh)
    return DecodeError::not_vrrp;
  if ((fragment & 0x3fff) != 0) return DecodeError::fragmented;  // more fragments, or an offset
  // It would cover the options, too: nobody sends both.
  if (decoded.protocol == kIpProtocolAh && header_bytes != kIpv4HeaderBytes)
    return DecodeError::bad_ah;
  decoded.payload = packet.first(total_bytes).subspan(header_bytes);
  return decoded;
}

void encode_ipv4(const Departure& departure, const Letter& letter, std::uint16_t identification,
                 std::vector<std::uint8_t>& out) {
  const std::size_t start = out.size();
  core::ByteWriter writer(out);
  writer.u8(0x45);  // IPv4, five words
  writer.u8(0xc0);  // CS6, internetwork control, as keepalived and FRR mark it
  writer.u16(static_cast<std::uint16_t>(kIpv4HeaderBytes + letter.payload.size()));
  writer.u16(identification);
  writer.u16(0);  // DF clear, no fragment
  writer.u8(departure.hop_limit);
  writer.u8(departure.protocol);
  writer.u16(0);
  writer.put(departure.source.bytes());
  writer.put(letter.destination.bytes());
  writer.patch_u16(start + kIpv4ChecksumOffset,
                   core::internet_checksum(std::span<const std::uint8_t>(out).subspan(start)));
  writer.put(letter.payload);
}

}  // namespace holdfast::vrrp
