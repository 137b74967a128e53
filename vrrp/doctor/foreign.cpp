#include "vrrp/doctor/foreign.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <tuple>

namespace holdfast::vrrp::doctor {
namespace {

constexpr std::size_t kCarpBytes = 36;
constexpr std::uint8_t kCarpAdvert = 0x21;  // version 2, type 1: as VRRPv2
constexpr std::uint8_t kCarpAuthLength = 7;

constexpr std::size_t kHsrpBytes = 20;   // RFC 2281 §5
constexpr std::uint8_t kGroupState = 1;  // of version 2: the TLV that says who is who
constexpr std::uint8_t kGroupStateBytes = 40;
constexpr std::size_t kAuthenticationBytes = 8;

core::Duration milliseconds(std::uint32_t count) {
  return std::chrono::milliseconds(count);
}

std::optional<HsrpHello> read_version_1(std::span<const std::uint8_t> datagram) {
  core::ByteReader reader(datagram);
  if (reader.u8() != 0) return std::nullopt;  // version
  std::ignore = reader.u16();                 // operation, state
  HsrpHello hello;
  hello.hello = std::chrono::seconds(reader.u8());
  std::ignore = reader.u8();  // hold time
  hello.priority = reader.u8();
  hello.group = reader.u8();
  std::ignore = reader.u8();  // reserved
  std::ignore = reader.take(kAuthenticationBytes);
  const auto address = core::IpAddress::from_bytes(reader.take(4));
  if (!reader.ok() || !address) return std::nullopt;
  hello.address = *address;
  return hello;
}

std::optional<HsrpHello> read_version_2(std::span<const std::uint8_t> datagram) {
  core::ByteReader reader(datagram.subspan(2));
  if (reader.u8() != 2) return std::nullopt;
  std::ignore = reader.u16();  // operation, state
  const std::uint8_t ip_version = reader.u8();
  HsrpHello hello;
  hello.version = 2;
  hello.group = reader.u16();
  std::ignore = reader.take(6);  // identifier, its MAC address
  hello.priority = static_cast<std::uint8_t>(std::min<std::uint32_t>(reader.u32(), 255));
  hello.hello = milliseconds(reader.u32());
  std::ignore = reader.u32();  // hold time
  const auto bytes = reader.take(16);
  if (!reader.ok()) return std::nullopt;
  const auto address = core::IpAddress::from_bytes(ip_version == 4 ? bytes.first(4) : bytes);
  if (!address) return std::nullopt;
  hello.address = *address;
  return hello;
}

}  // namespace

std::optional<CarpAdvert> read_carp(std::span<const std::uint8_t> payload) {
  if (payload.size() != kCarpBytes || payload[0] != kCarpAdvert || payload[3] != kCarpAuthLength)
    return std::nullopt;
  const std::uint8_t advbase = payload[5];
  const std::uint8_t advskew = payload[2];
  return CarpAdvert{
      payload[1], advskew,
      std::chrono::seconds(advbase) + core::Duration(std::chrono::seconds(advskew)) / 256};
}

std::optional<HsrpHello> read_hsrp(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < kHsrpBytes) return std::nullopt;
  if (datagram[0] == kGroupState && datagram[1] >= kGroupStateBytes)
    return read_version_2(datagram);
  return read_version_1(datagram);
}

}  // namespace holdfast::vrrp::doctor
