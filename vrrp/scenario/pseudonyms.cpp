#include "vrrp/scenario/pseudonyms.hpp"

#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "vrrp/core/ah.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::vrrp::scenario {
namespace {

/// SipHash-2-4 (Aumasson, Bernstein 2012), for a message of exactly 8 bytes.
class SipHash {
 public:
  explicit SipHash(const Pseudonyms::Key& key)
      : v0_(key[0] ^ 0x736f6d6570736575U),
        v1_(key[1] ^ 0x646f72616e646f6dU),
        v2_(key[0] ^ 0x6c7967656e657261U),
        v3_(key[1] ^ 0x7465646279746573U) {}

  std::uint64_t operator()(std::uint64_t message) {
    absorb(message);
    absorb(std::uint64_t{8} << 56);  // the last block holds the length
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void absorb(std::uint64_t block) {
    v3_ ^= block;
    round();
    round();
    v0_ ^= block;
  }
  void round() {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
};

constexpr std::size_t kSignatureAt = 12;  // in a trailer
constexpr std::size_t kAhProofAt = 12;    // in an authentication header

void overwrite(std::vector<std::uint8_t>& bytes, std::size_t at,
               std::span<const std::uint8_t> with) {
  std::copy(with.begin(), with.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Where the authentication data of a VRRPv2 packet lies. One that is too short for what it claims
/// is rejected for its length alone, but may end with a password all the same.
std::size_t data_offset(std::span<const std::uint8_t> payload) {
  const std::size_t claimed = kAdvertHeaderBytes + 4 * std::size_t{payload[3]};
  return std::min(claimed, payload.size() - kAuthenticationBytes);
}

}  // namespace

Pseudonyms::Octets Pseudonyms::hide(const Octets& data) const {
  if (data == Octets{}) return data;
  std::uint64_t message = 0;
  for (const std::uint8_t byte : data) message = message << 8 | byte;
  std::uint64_t hidden = SipHash(key_)(message);
  if (hidden == 0) hidden = 1;
  Octets result;
  for (auto at = result.rbegin(); at != result.rend(); ++at, hidden >>= 8)
    *at = static_cast<std::uint8_t>(hidden);
  return result;
}

InstanceSettings Pseudonyms::hide(InstanceSettings settings) const {
  settings.authentication.data = hide(settings.authentication.data);
  if (settings.signing) {
    for (SigningKey& key : settings.signing->keys) key.bytes = hide_key(key.bytes);
  }
  return settings;
}

Event Pseudonyms::hide(Event event) const {
  if (auto* received = std::get_if<AdvertReceived>(&event))
    received->advert.authentication_data = hide(received->advert.authentication_data);
  return event;
}

std::vector<std::uint8_t> Pseudonyms::hide(std::span<const std::uint8_t> payload) const {
  std::vector<std::uint8_t> bytes(payload.begin(), payload.end());
  const bool has_data = payload.size() >= kAdvertHeaderBytes + kAuthenticationBytes;
  if (!has_data || payload[0] >> 4 != 2) return bytes;
  const std::size_t offset = data_offset(payload);
  Octets data{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), data.size(), data.begin());
  const Octets hidden = hide(data);
  if (hidden == data) return bytes;
  const auto covered = std::span(bytes).first(offset + data.size());
  const bool was_right = core::internet_checksum(covered) == 0;
  std::copy(hidden.begin(), hidden.end(), covered.begin() + static_cast<std::ptrdiff_t>(offset));
  bytes[kChecksumOffset] = bytes[kChecksumOffset + 1] = 0;
  const std::uint16_t right = core::internet_checksum(covered);
  const auto sum = static_cast<std::uint16_t>(was_right ? right : right ^ 0x5555);
  bytes[kChecksumOffset] = static_cast<std::uint8_t>(sum >> 8);
  bytes[kChecksumOffset + 1] = static_cast<std::uint8_t>(sum);
  return bytes;
}

std::vector<std::uint8_t> Pseudonyms::hide(const Received& packet,
                                           const InstanceSettings* receiver) const {
  if (packet.protocol == kIpProtocolAh) return hide_ah(packet, receiver);
  const std::uint8_t version = packet.payload.empty() ? 0 : packet.payload[0] >> 4;
  const auto split = split_trailer(packet.payload, {version, packet.source, packet.destination});
  return split ? hide_signed(packet, *split, receiver) : hide(packet.payload);
}

/// In pieces of 8 bytes, each with its number: equal pieces of a key must not show.
std::vector<std::uint8_t> Pseudonyms::hide_key(std::span<const std::uint8_t> key) const {
  std::vector<std::uint8_t> hidden;
  core::ByteWriter writer(hidden);
  for (std::size_t at = 0; at < key.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t piece = 0;
    for (std::size_t i = at; i < std::min(at + sizeof piece, key.size()); ++i)
      piece = piece << 8 | key[i];
    const std::uint64_t made = SipHash({key_[0] ^ (at + 1), key_[1]})(piece);
    writer.u32(static_cast<std::uint32_t>(made >> 32));
    writer.u32(static_cast<std::uint32_t>(made));
  }
  hidden.resize(key.size());
  return hidden;
}

std::vector<std::uint8_t> Pseudonyms::hide_signed(const Received& packet, const SignedAdvert& split,
                                                  const InstanceSettings* receiver) const {
  const std::uint8_t version = split.advert[0] >> 4;
  const Envelope envelope{version, packet.source, packet.destination};
  std::vector<std::uint8_t> all = hide(split.advert);
  const std::size_t advert_bytes = all.size();
  const auto trailer = packet.payload.subspan(advert_bytes);
  all.insert(all.end(), trailer.begin(), trailer.end());
  const SigningKey* key = receiver == nullptr || !receiver->signing
                              ? nullptr
                              : receiver->signing->key(split.trailer.key);
  Signature signature{};
  if (key != nullptr) {
    const auto hidden_key = hide_key(key->bytes);
    const SignedAdvert hidden{std::span(all).first(advert_bytes), split.trailer};
    for (const SignedChecksum form : {SignedChecksum::as_sent, SignedChecksum::zero}) {
      if (signature_of(split, envelope, key->bytes, form) == split.trailer.signature)
        signature = signature_of(hidden, envelope, hidden_key, form);
    }
  }
  overwrite(all, advert_bytes + kSignatureAt, signature);
  if (packet.source.is_v4()) return all;
  const bool was_right = !decode_advert(packet.payload, envelope).has_error();
  put_checksum(all, envelope);
  if (!was_right) all[kChecksumOffset] ^= 0x55;
  return all;
}

std::vector<std::uint8_t> Pseudonyms::hide_ah(const Received& packet,
                                              const InstanceSettings* receiver) const {
  const auto split = decode_ah(packet.payload);
  std::vector<std::uint8_t> all(packet.payload.begin(), packet.payload.end());
  if (split.has_error()) return all;
  const auto inner = hide(split->payload);
  overwrite(all, kAhBytes, inner);
  AhProof proof{};
  if (receiver != nullptr && receiver->has_header()) {
    const AhScope scope{packet.source, packet.destination, packet.identification, packet.hop_limit};
    const AhKey& key = receiver->authentication.data;
    const AhPacket hidden{split->header, inner};
    if (ah_proof(*split, scope, key) == split->header.proof)
      proof = ah_proof(hidden, scope, hide(key));
  }
  overwrite(all, kAhProofAt, proof);
  return all;
}

}  // namespace holdfast::vrrp::scenario
