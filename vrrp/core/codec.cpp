#include "vrrp/core/codec.hpp"

#include "core/assertion.hpp"
#include "core/bytes.hpp"
#include "core/checksum.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace holdfast::vrrp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t kVersion2Advert = 0x21;  // version 2, type 1
constexpr std::uint8_t kTypeAdvertisement = 1;
constexpr Duration kCentisecond = 10ms;
constexpr std::uint16_t kIntervalMask = 0x0fff;  // RFC 9568 §5.2.7; the four bits above: reserved

// CARP copied VRRPv2's first byte. Its fourth, "authlen", is always 7 (words of counter and
// digest), and its 36 bytes are fewer than 7 addresses would need. netinet/ip_carp.h of OpenBSD.
constexpr std::size_t kCarpBytes = 36;
constexpr std::uint8_t kCarpAuthLength = 7;

bool is_carp(std::span<const std::uint8_t> payload) {
  return payload.size() == kCarpBytes && payload[0] == kVersion2Advert &&
         payload[3] == kCarpAuthLength;
}

std::size_t address_bytes(const Envelope& envelope) {
  return envelope.source.bytes().size();
}

std::size_t advert_bytes(std::size_t address_count, const Envelope& envelope) {
  const std::size_t bytes = kAdvertHeaderBytes + address_bytes(envelope) * address_count;
  return envelope.version == 2 ? bytes + kAuthenticationBytes : bytes;
}

/// What the checksum field of `advert` should hold (0 when it holds it already). Version 2: over
/// the whole message, authentication data included, RFC 3768 §5.3.8.
std::uint16_t checksum_of(std::span<const std::uint8_t> advert, const Envelope& envelope,
                          ChecksumForm form) {
  core::ChecksumAccumulator sum;
  if (!envelope.source.is_v4()) form = ChecksumForm::with_pseudo_header;  // IPv6 has one form
  if (envelope.version == 3 && form != ChecksumForm::without_pseudo_header) {
    // RFC 8200 §8.1; with IPv4 the same words as of RFC 9293 §3.1. Both add up alike.
    const IpAddress to =
        form == ChecksumForm::with_group ? vrrp_group(core::Family::v4) : envelope.destination;
    const std::size_t length = advert.size();
    sum.add(envelope.source.bytes());
    sum.add(to.bytes());
    sum.add(std::array<std::uint8_t, 4>{0, kIpProtocolVrrp, static_cast<std::uint8_t>(length >> 8),
                                        static_cast<std::uint8_t>(length)});
  }
  sum.add(advert);
  return sum.finish();
}

std::optional<ChecksumForm> form_of(std::span<const std::uint8_t> advert,
                                    const Envelope& envelope) {
  const auto is = [&](ChecksumForm form) { return checksum_of(advert, envelope, form) == 0; };
  if (is(ChecksumForm::with_pseudo_header)) return ChecksumForm::with_pseudo_header;
  if (envelope.version == 2 || !envelope.source.is_v4()) return std::nullopt;
  if (is(ChecksumForm::without_pseudo_header)) return ChecksumForm::without_pseudo_header;
  const bool is_unicast = !envelope.destination.is_multicast();
  if (is_unicast && is(ChecksumForm::with_group)) return ChecksumForm::with_group;
  return std::nullopt;
}

/// The two bytes between count and checksum.
void read_timing(core::ByteReader& reader, Advert& advert) {
  if (advert.version == 2) {
    advert.authentication_type = reader.u8();
    advert.interval = std::chrono::seconds(reader.u8());
  } else {
    advert.interval = (reader.u16() & kIntervalMask) * kCentisecond;
  }
}

void write_timing(core::ByteWriter& writer, const Advert& advert) {
  if (advert.version == 2) {
    writer.u8(advert.authentication_type);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(advert.interval).count();
    writer.u8(static_cast<std::uint8_t>(std::clamp<std::int64_t>(seconds, 1, 255)));
  } else {
    writer.u16(static_cast<std::uint16_t>(
        std::clamp<std::int64_t>(advert.interval / kCentisecond, 1, kIntervalMask)));
  }
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
    case DecodeError::bad_ah:
      return "bad_ah";
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
    case DecodeError::no_interval:
      return "no_interval";
    case DecodeError::bad_checksum:
      return "bad_checksum";
  }
  return "unknown";
}

Decoded<Advert> decode_advert(std::span<const std::uint8_t> payload, const Envelope& envelope) {
  if (payload.size() < kAdvertHeaderBytes) return DecodeError::truncated;
  if (is_carp(payload)) return DecodeError::carp;
  if (payload[0] >> 4 != envelope.version) return DecodeError::bad_version;
  if ((payload[0] & 0x0f) != kTypeAdvertisement) return DecodeError::bad_type;
  const std::size_t address_count = payload[3];
  if (address_count == 0) return DecodeError::no_addresses;
  const std::size_t claimed = advert_bytes(address_count, envelope);
  if (payload.size() < claimed) return DecodeError::bad_length;
  // Over IPv6 the checksum is the transport's: of all that follows the header.
  const bool covers_trailer = !envelope.source.is_v4() && payload.size() == claimed + kTrailerBytes;
  const auto form = form_of(covers_trailer ? payload : payload.first(claimed), envelope);
  if (!form) return DecodeError::bad_checksum;

  core::ByteReader reader(payload.subspan(1));
  Advert advert;
  advert.version = envelope.version;
  advert.checksum = *form;
  advert.vrid = reader.u8();
  advert.priority = reader.u8();
  std::ignore = reader.u8();  // count, read above
  read_timing(reader, advert);
  if (advert.version == 3 && advert.interval == Duration::zero()) return DecodeError::no_interval;
  std::ignore = reader.u16();  // checksum, verified above
  advert.addresses.reserve(address_count);
  for (std::size_t i = 0; i < address_count; ++i) {
    advert.addresses.push_back(*IpAddress::from_bytes(reader.take(address_bytes(envelope))));
  }
  if (advert.version == 2) {
    const auto data = reader.take(kAuthenticationBytes);
    std::copy(data.begin(), data.end(), advert.authentication_data.begin());
  }
  return advert;
}

std::uint16_t expected_checksum(std::span<const std::uint8_t> payload, const Envelope& envelope,
                                ChecksumForm form) {
  const std::size_t length = std::min(payload.size(), advert_bytes(payload[3], envelope));
  std::vector<std::uint8_t> advert(payload.begin(),
                                   payload.begin() + static_cast<std::ptrdiff_t>(length));
  advert[kChecksumOffset] = advert[kChecksumOffset + 1] = 0;
  return checksum_of(advert, envelope, form);
}

std::optional<std::size_t> claimed_bytes(std::span<const std::uint8_t> payload,
                                         const Envelope& envelope) {
  if (payload.size() < kAdvertHeaderBytes) return std::nullopt;
  return advert_bytes(payload[3], envelope);
}

void put_checksum(std::span<std::uint8_t> payload, const Envelope& envelope) {
  payload[kChecksumOffset] = payload[kChecksumOffset + 1] = 0;
  const std::uint16_t sum = checksum_of(payload, envelope, ChecksumForm::with_pseudo_header);
  payload[kChecksumOffset] = static_cast<std::uint8_t>(sum >> 8);
  payload[kChecksumOffset + 1] = static_cast<std::uint8_t>(sum);
}

Advert make_advert(const InstanceSettings& settings, std::uint8_t priority) {
  Advert advert{.version = settings.version,
                .vrid = settings.vrid,
                .priority = priority,
                .interval = settings.advert_interval,
                .authentication_type = static_cast<std::uint8_t>(settings.authentication.type),
                .authentication_data = settings.authentication.on_wire(),
                .addresses = {}};
  advert.addresses.reserve(settings.addresses.size());
  for (const VirtualAddress& address : settings.addresses) {
    advert.addresses.push_back(address.prefix.address);
  }
  return advert;
}

void encode_advert(const Advert& advert, std::vector<std::uint8_t>& out, const Envelope& envelope) {
  HOLDFAST_ASSERT(advert.addresses.size() <= 255,
                  "the configuration moves what does not fit to excluded addresses");
  HOLDFAST_ASSERT(advert.version == envelope.version, "one instance speaks one version");
  const std::size_t start = out.size();
  out.reserve(start + advert_bytes(advert.addresses.size(), envelope));
  core::ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(advert.version << 4 | kTypeAdvertisement));
  writer.u8(advert.vrid);
  writer.u8(advert.priority);
  writer.u8(static_cast<std::uint8_t>(advert.addresses.size()));
  write_timing(writer, advert);
  writer.u16(0);
  for (const IpAddress& address : advert.addresses) {
    HOLDFAST_ASSERT(address.family() == envelope.source.family(),
                    "the configuration keeps other addresses out of adverts");
    writer.put(address.bytes());
  }
  if (advert.version == 2) writer.put(advert.authentication_data);
  writer.patch_u16(
      start + kChecksumOffset,
      checksum_of(std::span<const std::uint8_t>(out).subspan(start), envelope, advert.checksum));
}

}  // namespace holdfast::vrrp
