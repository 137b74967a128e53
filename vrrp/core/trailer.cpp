#include "vrrp/core/trailer.hpp"

#include "core/bytes.hpp"
#include "core/hmac.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

void put_prefix(core::ByteWriter& writer, const Trailer& trailer) {
  writer.u8(trailer.scheme);
  writer.u8(trailer.key);
  writer.u16(trailer.reserved);
  writer.u32(static_cast<std::uint32_t>(trailer.stamp >> 32));
  writer.u32(static_cast<std::uint32_t>(trailer.stamp));
}

/// Ties the signature to the virtual router and to the sender; the rest of the IP header is free.
std::array<std::uint8_t, 20> scope_of(std::uint8_t vrid, const Envelope& envelope) {
  std::array<std::uint8_t, 20> scope{};
  scope[0] = envelope.source.is_v4() ? 4 : 6;
  scope[1] = envelope.version;
  scope[2] = vrid;
  const auto source = envelope.source.bytes();
  std::copy(source.begin(), source.end(), scope.begin() + 4);
  return scope;
}

}  // namespace

std::optional<SignedAdvert> split_trailer(std::span<const std::uint8_t> payload,
                                          const Envelope& envelope) {
  const auto claimed = claimed_bytes(payload, envelope);
  if (!claimed || payload.size() != *claimed + kTrailerBytes) return std::nullopt;
  SignedAdvert split;
  split.advert = payload.first(*claimed);
  core::ByteReader reader(payload.subspan(*claimed));
  split.trailer.scheme = reader.u8();
  split.trailer.key = reader.u8();
  split.trailer.reserved = reader.u16();
  const Stamp seconds = reader.u32();
  split.trailer.stamp = seconds << 32 | reader.u32();
  const auto signature = reader.take(split.trailer.signature.size());
  std::copy(signature.begin(), signature.end(), split.trailer.signature.begin());
  return split;
}

Signature signature_of(const SignedAdvert& what, const Envelope& envelope,
                       std::span<const std::uint8_t> key, SignedChecksum checksum) {
  std::vector<std::uint8_t> prefix;
  core::ByteWriter writer(prefix);
  put_prefix(writer, what.trailer);
  const std::array<std::uint8_t, 2> zero{};

  core::HmacSha256 mac(key);
  mac.feed(scope_of(what.advert[1], envelope));
  mac.feed(what.advert.first(kChecksumOffset));
  mac.feed(checksum == SignedChecksum::zero ? std::span<const std::uint8_t>(zero)
                                            : what.advert.subspan(kChecksumOffset, zero.size()));
  mac.feed(what.advert.subspan(kChecksumOffset + zero.size()));
  mac.feed(prefix);
  mac.feed(Signature{});
  const auto whole = mac.finish();
  Signature signature{};
  std::copy_n(whole.begin(), signature.size(), signature.begin());
  return signature;
}

void append_trailer(std::vector<std::uint8_t>& payload, const Envelope& envelope,
                    const SigningKey& key, Stamp stamp) {
  SignedAdvert all{.advert = payload,
                   .trailer = {.scheme = kSchemeHmacSha256,
                               .key = key.id,
                               .reserved = 0,
                               .stamp = stamp,
                               .signature = {}}};
  all.trailer.signature = signature_of(all, envelope, key.bytes);
  core::ByteWriter writer(payload);
  put_prefix(writer, all.trailer);
  writer.put(all.trailer.signature);
  if (!envelope.source.is_v4()) put_checksum(payload, envelope);
}

}  // namespace holdfast::vrrp
