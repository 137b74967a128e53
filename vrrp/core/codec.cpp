#include "vrrp/core/codec.hpp"

#include "core/assertion.hpp"
#include "core/bytes.hpp"
#include "core/checksum.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kVersion2Advert = 0x21;  // version 2, type 1
constexpr std::uint8_t kTypeAdvertisement = 1;
constexpr std::size_t kChecksumOffset = 6;

// CARP copied VRRPv2's first byte. Its fourth, "authlen", is always 7 (words of counter and
// digest), and its 36 bytes are fewer than 7 addresses would need. netinet/ip_carp.h of OpenBSD.
constexpr std::size_t kCarpBytes = 36;
constexpr std::uint8_t kCarpAuthLength = 7;

bool is_carp(std::span<const std::uint8_t> payload) {
  return payload.size() == kCarpBytes && payload[0] == kVersion2Advert &&
         payload[3] == kCarpAuthLength;
}

std::size_t advert_bytes(std::size_t address_count) {
  return kAdvertHeaderBytes + 4 * address_count + kAuthenticationBytes;
}

}  // namespace

std::string_view to_string(DecodeError error) {
  switch (error) {
    case DecodeError::truncated:
      return "truncated";
    case DecodeError::not_ipv4:
      return "not_ipv4";
    case DecodeError::not_vrrp:
      return "not_vrrp";
    case DecodeError::fragmented:
      return "fragmented";
    case DecodeError::carp:
      return "carp";
    case DecodeError::bad_version:
      return "bad_version";
    case DecodeError::bad_type:
      return "bad_type";
    case DecodeError::no_addresses:
      return "no_addresses";
    case DecodeError::bad_length:
      return "bad_length";
    case DecodeError::bad_checksum:
      return "bad_checksum";
  }
  return "unknown";
}

Decoded<Advert> decode_advert(std::span<const std::uint8_t> payload) {
  if (payload.size() < kAdvertHeaderBytes) return DecodeError::truncated;
  if (is_carp(payload)) return DecodeError::carp;
  if (payload[0] >> 4 != 2) return DecodeError::bad_version;
  if ((payload[0] & 0x0f) != kTypeAdvertisement) return DecodeError::bad_type;
  const std::size_t address_count = payload[3];
  if (address_count == 0) return DecodeError::no_addresses;
  if (payload.size() < advert_bytes(address_count)) return DecodeError::bad_length;
  payload = payload.first(advert_bytes(address_count));
  if (core::internet_checksum(payload) != 0) return DecodeError::bad_checksum;

  core::ByteReader reader(payload.subspan(1));
  Advert advert;
  advert.vrid = reader.u8();
  advert.priority = reader.u8();
  std::ignore = reader.u8();  // count, read above
  advert.authentication_type = reader.u8();
  advert.interval = std::chrono::seconds(reader.u8());
  std::ignore = reader.u16();  // checksum, verified above
  advert.addresses.reserve(address_count);
  for (std::size_t i = 0; i < address_count; ++i) {
    advert.addresses.push_back(*IpAddress::from_bytes(reader.take(4)));
  }
  const auto data = reader.take(kAuthenticationBytes);
  std::copy(data.begin(), data.end(), advert.authentication_data.begin());
  return advert;
}

Advert make_advert(const InstanceSettings& settings, std::uint8_t priority) {
  Advert advert{.vrid = settings.vrid,
                .priority = priority,
                .interval = settings.advert_interval,
                .authentication_type = static_cast<std::uint8_t>(settings.authentication.type),
                .authentication_data = settings.authentication.data,
                .addresses = {}};
  advert.addresses.reserve(settings.addresses.size());
  for (const VirtualAddress& address : settings.addresses) {
    advert.addresses.push_back(address.prefix.address);
  }
  return advert;
}

void encode_advert(const Advert& advert, std::vector<std::uint8_t>& out) {
  HOLDFAST_ASSERT(advert.addresses.size() <= 255,
                  "the configuration moves what does not fit to excluded addresses");
  const std::size_t start = out.size();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(advert.interval).count();
  core::ByteWriter writer(out);
  writer.u8(kVersion2Advert);
  writer.u8(advert.vrid);
  writer.u8(advert.priority);
  writer.u8(static_cast<std::uint8_t>(advert.addresses.size()));
  writer.u8(advert.authentication_type);
  writer.u8(static_cast<std::uint8_t>(std::clamp<std::int64_t>(seconds, 1, 255)));
  writer.u16(0);
  for (const IpAddress& address : advert.addresses) {
    HOLDFAST_ASSERT(address.is_v4(), "VRRPv2 carries IPv4 addresses only");
    writer.put(address.bytes());
  }
  writer.put(advert.authentication_data);
  // RFC 3768 §5.3.8: over the whole message, authentication data included.
  writer.patch_u16(start + kChecksumOffset,
                   core::internet_checksum(std::span<const std::uint8_t>(out).subspan(start)));
}

}  // namespace holdfast::vrrp
