#include "tests/sim/packet.hpp"

#include "core/bytes.hpp"
#include "vrrp/io/ipv4_header.hpp"

namespace holdfast::sim {

using namespace vrrp;

namespace {

constexpr std::size_t kIpv6HeaderBytes = 40;  // RFC 8200 §3
constexpr std::uint8_t kVersion3 = 3;

}  // namespace

Bytes encode_packet(const Departure& departure, const Letter& letter,
                    std::uint16_t identification) {
  Bytes bytes;
  if (letter.destination.is_v4()) {
    encode_ipv4(departure, letter, identification, bytes);
    return bytes;
  }
  core::ByteWriter writer(bytes);
  writer.u16(0x6c00);  // version 6, traffic class 0xc0
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(letter.payload.size()));
  writer.u8(kIpProtocolVrrp);
  writer.u8(departure.hop_limit);
  writer.put(departure.source.bytes());
  writer.put(letter.destination.bytes());
  writer.put(letter.payload);
  return bytes;
}

Decoded<Received> decode_packet(std::span<const std::uint8_t> packet) {
  if (packet.empty() || packet.front() >> 4 != 6) return decode_ipv4(packet);
  if (packet.size() < kIpv6HeaderBytes) return DecodeError::truncated;
  Received decoded;
  decoded.family = core::Family::v6;
  decoded.hop_limit = packet[7];
  decoded.source = *core::IpAddress::from_bytes(packet.subspan(8, 16));
  decoded.destination = *core::IpAddress::from_bytes(packet.subspan(24, 16));
  decoded.payload = packet.subspan(kIpv6HeaderBytes);
  return decoded;
}

namespace {

std::optional<Advert> version_3_over_ipv4(const Received& packet) {
  if (packet.family != core::Family::v4) return std::nullopt;
  auto advert = decode_advert(packet.payload, {kVersion3, packet.source, packet.destination});
  if (advert.has_error()) return std::nullopt;
  return std::move(*advert);
}

}  // namespace

std::optional<ChecksumForm> form_of(std::span<const std::uint8_t> packet) {
  const auto received = decode_packet(packet);
  if (received.has_error()) return std::nullopt;
  const auto advert = version_3_over_ipv4(*received);
  return advert ? std::optional(advert->checksum) : std::nullopt;
}

Bytes rewritten(const Bytes& packet, ChecksumForm form) {
  const auto received = decode_packet(packet);
  if (received.has_error()) return packet;
  auto advert = version_3_over_ipv4(*received);
  if (!advert) return packet;
  advert->checksum = form;
  Letter letter{received->destination, {}};
  encode_advert(*advert, letter.payload, {kVersion3, received->source, received->destination});
  return encode_packet({received->source, received->hop_limit, {}}, letter, 0);
}

}  // namespace holdfast::sim
