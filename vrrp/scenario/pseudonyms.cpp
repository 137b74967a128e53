#include "vrrp/scenario/pseudonyms.hpp"

#include "core/checksum.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::vrrp::scenario {
namespace {

constexpr std::size_t kChecksumOffset = 6;  // RFC 3768 §5.1

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

}  // namespace holdfast::vrrp::scenario
