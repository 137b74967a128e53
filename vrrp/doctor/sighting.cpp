#include "vrrp/doctor/sighting.hpp"

#include "core/bytes.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/doctor/foreign.hpp"
#include "vrrp/doctor/ip_packet.hpp"

#include <tuple>

namespace holdfast::vrrp::doctor {
namespace {

constexpr std::size_t kUdpHeaderBytes = 8;
constexpr std::uint8_t kTrailerHmac = 1;

void read_vrrp(Sighting& seen) {
  const auto& bytes = seen.payload;
  seen.protocol = Protocol::vrrp;
  seen.version = bytes[0] >> 4;
  seen.number = bytes[1];
  seen.priority = bytes[2];
  auto decoded = decode_advert(bytes, {seen.version, seen.source, seen.destination});
  if (decoded.has_error()) {
    seen.fault = decoded.error();
    return;
  }
  seen.advert = std::move(*decoded);
  seen.interval = seen.advert.interval;
  seen.addresses = seen.advert.addresses;
  const std::size_t size = kAdvertHeaderBytes + seen.addresses.size() * seen.source.bytes().size() +
                           (seen.version == 2 ? kAuthenticationBytes : 0);
  seen.has_trailer = bytes.size() == size + kTrailerBytes && bytes[size] == kTrailerHmac;
}

/// What only versions 2 and 3 of VRRP have may be read as theirs.
bool is_vrrp(std::span<const std::uint8_t> payload) {
  return payload.size() >= kAdvertHeaderBytes && (payload[0] >> 4 == 2 || payload[0] >> 4 == 3);
}

bool read_112(std::span<const std::uint8_t> payload, Sighting& seen) {
  if (const auto carp = read_carp(payload)) {
    seen.protocol = Protocol::carp;
    seen.version = 2;
    seen.number = carp->vhid;
    seen.priority = carp->advskew;
    seen.interval = carp->interval;
    return true;
  }
  if (!is_vrrp(payload)) return false;
  seen.payload.assign(payload.begin(), payload.end());
  read_vrrp(seen);
  return true;
}

/// RFC 4302 §2: next header, length in words less two.
bool read_ah(std::span<const std::uint8_t> payload, Sighting& seen) {
  if (payload.size() < 2 || payload[0] != kIpProtocolVrrp) return false;
  const std::size_t header_bytes = (static_cast<std::size_t>(payload[1]) + 2) * 4;
  if (header_bytes >= payload.size()) return false;
  seen.has_ah = true;
  return read_112(payload.subspan(header_bytes), seen);
}

bool read_udp(std::span<const std::uint8_t> payload, Sighting& seen) {
  core::ByteReader reader(payload);
  std::ignore = reader.u16();
  const std::uint16_t port = reader.u16();
  const bool is_v4 = seen.family == core::Family::v4;
  if (payload.size() < kUdpHeaderBytes || port != (is_v4 ? kHsrpPort : kHsrpV6Port)) return false;
  const auto hello = read_hsrp(payload.subspan(kUdpHeaderBytes));
  if (!hello) return false;
  seen.protocol = Protocol::hsrp;
  seen.version = hello->version;
  seen.number = hello->group;
  seen.priority = hello->priority;
  seen.interval = hello->hello;
  if (!hello->address.is_unspecified()) seen.addresses = {hello->address};
  return true;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::vrrp:
      return "VRRP";
    case Protocol::carp:
      return "CARP";
    case Protocol::hsrp:
      return "HSRP";
  }
  return "unknown";
}

std::optional<Sighting> read_frame(const Frame& frame) {
  const auto packet = read_ip(frame.packet);
  if (!packet) return std::nullopt;
  Sighting seen;
  seen.interface = frame.interface;
  seen.mac = frame.mac;
  seen.is_ours = frame.is_ours;
  seen.family = packet->family;
  seen.source = packet->source;
  seen.destination = packet->destination;
  seen.hop_limit = packet->hop_limit;
  seen.dont_fragment = packet->dont_fragment;
  seen.identification = packet->identification;
  const bool is_read = packet->protocol == kIpProtocolVrrp  ? read_112(packet->payload, seen)
                       : packet->protocol == kIpProtocolAh  ? read_ah(packet->payload, seen)
                       : packet->protocol == kIpProtocolUdp ? read_udp(packet->payload, seen)
                                                            : false;
  if (!is_read) return std::nullopt;
  return seen;
}

}  // namespace holdfast::vrrp::doctor
