#include "vrrp/core/ah.hpp"

#include "core/bytes.hpp"
#include "core/hmac.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::uint8_t kAhWords = kAhBytes / 4 - 2;  // RFC 2402 §2.2

std::uint32_t number_of(const IpAddress& address) {
  core::ByteReader reader(address.bytes());
  return reader.u32();
}

/// All but the proof.
void put_header(core::ByteWriter& writer, const AhHeader& header) {
  writer.u8(kIpProtocolVrrp);
  writer.u8(kAhWords);
  writer.u16(0);
  writer.u32(header.index);
  writer.u32(header.sequence);
}

}  // namespace

Decoded<AhPacket> decode_ah(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kAhBytes) return DecodeError::bad_ah;
  core::ByteReader reader(bytes);
  const std::uint8_t next = reader.u8();
  const std::uint8_t words = reader.u8();
  const std::uint16_t reserved = reader.u16();
  if (next != kIpProtocolVrrp || words != kAhWords || reserved != 0) return DecodeError::bad_ah;
  AhPacket packet;
  packet.header.index = reader.u32();
  packet.header.sequence = reader.u32();
  const auto proof = reader.take(packet.header.proof.size());
  std::copy(proof.begin(), proof.end(), packet.header.proof.begin());
  packet.payload = bytes.subspan(kAhBytes);
  return packet;
}

// RFC 2402 §3.3.3.1.1.1 and keepalived: type of service, fragment, checksum are zero.
AhProof ah_proof(const AhPacket& packet, const AhScope& scope, const AhKey& key) {
  std::vector<std::uint8_t> covered;
  covered.reserve(kIpv4HeaderBytes + kAhBytes);
  core::ByteWriter writer(covered);
  writer.u8(0x45);
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(kIpv4HeaderBytes + kAhBytes + packet.payload.size()));
  writer.u16(scope.identification);
  writer.u16(0);
  writer.u8(scope.destination.is_multicast() ? scope.ttl : std::uint8_t{0});
  writer.u8(kIpProtocolAh);
  writer.u16(0);
  writer.put(scope.source.bytes());
  writer.put(scope.destination.bytes());
  put_header(writer, packet.header);
  writer.put(AhProof{});

  core::HmacMd5 mac(key);
  mac.feed(covered);
  mac.feed(packet.payload);
  const auto whole = mac.finish();
  AhProof proof{};
  std::copy_n(whole.begin(), proof.size(), proof.begin());
  return proof;
}

void put_ah(std::vector<std::uint8_t>& advert, std::uint32_t sequence, const AhScope& scope,
            const AhKey& key) {
  AhPacket packet{.header = {.index = number_of(scope.source), .sequence = sequence, .proof = {}},
                  .payload = advert};
  packet.header.proof = ah_proof(packet, scope, key);
  std::vector<std::uint8_t> all;
  all.reserve(kAhBytes + advert.size());
  core::ByteWriter writer(all);
  put_header(writer, packet.header);
  writer.put(packet.header.proof);
  writer.put(advert);
  advert = std::move(all);
}

}  // namespace holdfast::vrrp
