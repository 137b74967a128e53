#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/codec.hpp"
#include "vrrp/core/garp.hpp"
#include "vrrp/io/ipv4_header.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

// Captured from keepalived 2.2.7: IPv4 packets, without the Ethernet header.
constexpr std::string_view kPassword =
    "45c0002c00010000ff70188dc0000201e00000122133960201015580c0000264c00002657365637265743132";
constexpr std::string_view kResign =
    "45c0002c00080000ff701886c0000201e0000012213300020101eb80c0000264c00002657365637265743132";
// A VRRPv3 advert, from the same capture.
constexpr std::string_view kVersion3 =
    "45c0002000010000ff701899c0000201e00000123134640100320599c000026e";

InstanceSettings golden_settings() {
  InstanceSettings settings = everyday();
  settings.priority = 150;
  settings.authentication = Authentication::password("secret12");
  settings.addresses = {{.prefix = {ip("192.0.2.100"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}},
                        {.prefix = {ip("192.0.2.101"), 24},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  return settings;
}

std::vector<std::uint8_t> payload_of(int priority) {
  std::vector<std::uint8_t> bytes;
  encode_advert(make_advert(golden_settings(), static_cast<std::uint8_t>(priority)), bytes);
  return bytes;
}

std::vector<std::uint8_t> packet_of(int priority, std::uint16_t identification) {
  const Departure departure{.source = ip("192.0.2.1"),
                            .hop_limit = 255,
                            .letters = {{vrrp_group(), payload_of(priority)}}};
  std::vector<std::uint8_t> bytes;
  encode_ipv4(departure, departure.letters.front(), identification, bytes);
  return bytes;
}

void fix_checksum(std::vector<std::uint8_t>& payload) {
  payload[6] = payload[7] = 0;
  const std::uint16_t sum = core::internet_checksum(payload);
  payload[6] = static_cast<std::uint8_t>(sum >> 8);
  payload[7] = static_cast<std::uint8_t>(sum & 0xff);
}

}  // namespace

TEST_CASE("codec: our packets are byte for byte what keepalived sends [RFC3768-5.1-1]") {
  CHECK(packet_of(150, 1) == from_hex(kPassword));
  CHECK(packet_of(0, 8) == from_hex(kResign));
}

TEST_CASE("codec: a captured packet decodes into its fields [RFC3768-5.3-1]") {
  const auto bytes = from_hex(kPassword);

  const auto packet = decode_ipv4(bytes);
  REQUIRE(packet.has_value());
  const auto advert = decode_advert(packet->payload);

  REQUIRE(advert.has_value());
  CHECK(packet->source == ip("192.0.2.1"));
  CHECK(packet->destination == vrrp_group());
  CHECK(packet->hop_limit == 255);
  CHECK(*advert == make_advert(golden_settings(), 150));
}

TEST_CASE("codec: the gratuitous ARP is byte for byte keepalived's [RFC3768-8.2-1]") {
  const core::MacAddress sender{{0x00, 0x00, 0x5e, 0x00, 0x01, 0x35}};

  const auto frame = gratuitous_arp(sender, ip("192.0.2.120"));

  CHECK(
      std::vector<std::uint8_t>(frame.begin(), frame.end()) ==
      from_hex(
          "ffffffffffff00005e0001350806000108000604000100005e000135c0000278ffffffffffffc0000278"));
}

TEST_CASE("codec: trailing Ethernet padding is tolerated, inside and outside of the IP length") {
  auto padded = from_hex(kPassword);
  padded.resize(64);
  const auto packet = decode_ipv4(padded);
  REQUIRE(packet.has_value());
  CHECK(packet->payload.size() == 24);
  CHECK(decode_advert(packet->payload).has_value());

  auto payload = payload_of(150);
  payload.resize(payload.size() + 6, 0xee);
  CHECK(decode_advert(payload).has_value());
}

TEST_CASE("codec: IP options are skipped by the header length") {
  auto bytes = from_hex(kPassword);
  bytes.insert(bytes.begin() + 20, {0x01, 0x01, 0x01, 0x00});
  bytes[0] = 0x46;
  bytes[3] = static_cast<std::uint8_t>(bytes.size());

  const auto packet = decode_ipv4(bytes);

  REQUIRE(packet.has_value());
  CHECK(decode_advert(packet->payload).has_value());
}

TEST_CASE("codec: every cause of a malformed IP packet has its error") {
  const auto error_of = [](std::vector<std::uint8_t> bytes) { return decode_ipv4(bytes).error(); };
  const auto golden = from_hex(kPassword);
  const auto with = [&golden](std::size_t offset, int value) {
    auto changed = golden;
    changed[offset] = static_cast<std::uint8_t>(value);
    return changed;
  };

  CHECK(error_of({}) == DecodeError::truncated);
  CHECK(error_of(std::vector<std::uint8_t>(golden.begin(), golden.begin() + 19)) ==
        DecodeError::truncated);
  CHECK(error_of(with(3, 0xff)) == DecodeError::truncated);  // claims more than there is
  CHECK(error_of(with(3, 19)) == DecodeError::truncated);    // less than its own header
  CHECK(error_of(with(0, 0x65)) == DecodeError::not_ipv4);
  CHECK(error_of(with(0, 0x44)) == DecodeError::not_ipv4);
  CHECK(error_of(with(6, 0x20)) == DecodeError::fragmented);
  CHECK(error_of(with(7, 0x01)) == DecodeError::fragmented);
  CHECK(error_of(with(9, 6)) == DecodeError::not_vrrp);
  CHECK(decode_ipv4(with(6, 0x40)).has_value());  // don't fragment is fine
}

TEST_CASE("codec: every cause of a malformed advert has its error [RFC3768-7.1-2]") {
  const auto error_of = [](const std::vector<std::uint8_t>& bytes) {
    return decode_advert(bytes).error();
  };
  auto bytes = payload_of(150);

  SUBCASE("truncated") {
    bytes.resize(7);
    CHECK(error_of(bytes) == DecodeError::truncated);
  }
  SUBCASE("version 3") {
    const auto packet = from_hex(kVersion3);
    CHECK(decode_advert(decode_ipv4(packet)->payload).error() == DecodeError::bad_version);
  }
  SUBCASE("type") {
    bytes[0] = 0x22;
    fix_checksum(bytes);
    CHECK(error_of(bytes) == DecodeError::bad_type);
  }
  SUBCASE("no addresses") {
    bytes[3] = 0;
    fix_checksum(bytes);
    CHECK(error_of(bytes) == DecodeError::no_addresses);
  }
  SUBCASE("more addresses than bytes") {
    bytes[3] = 3;
    fix_checksum(bytes);
    CHECK(error_of(bytes) == DecodeError::bad_length);
  }
  SUBCASE("no authentication data") {
    bytes.resize(16);
    fix_checksum(bytes);
    CHECK(error_of(bytes) == DecodeError::bad_length);
  }
  SUBCASE("checksum, also over the authentication data") {
    bytes.back() ^= 1;
    CHECK(error_of(bytes) == DecodeError::bad_checksum);
  }
  SUBCASE("CARP, which looks like seven addresses in 36 bytes") {
    std::vector<std::uint8_t> carp(36, 0x5a);
    carp[0] = 0x21;
    carp[3] = 7;
    CHECK(error_of(carp) == DecodeError::carp);
  }
}

TEST_CASE(
    "codec property: what is encoded decodes to the same; one flipped bit is never accepted as the "
    "same advert") {
  core::Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    Advert advert;
    advert.vrid = static_cast<std::uint8_t>(1 + rng.below(std::uint64_t{255}));
    advert.priority = static_cast<std::uint8_t>(rng.below(std::uint64_t{256}));
    advert.interval = std::chrono::seconds(1 + rng.below(std::uint64_t{255}));
    advert.authentication_type = static_cast<std::uint8_t>(rng.below(std::uint64_t{2}));
    for (auto& byte : advert.authentication_data) byte = static_cast<std::uint8_t>(rng.next());
    for (std::uint64_t n = 1 + rng.below(std::uint64_t{20}); n > 0; --n) {
      const auto bits = rng.next();
      advert.addresses.push_back(IpAddress::v4(
          {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
           static_cast<std::uint8_t>(bits >> 16), static_cast<std::uint8_t>(bits >> 24)}));
    }
    std::vector<std::uint8_t> bytes;
    encode_advert(advert, bytes);

    const auto back = decode_advert(bytes);
    REQUIRE(back.has_value());
    CHECK(*back == advert);

    bytes[rng.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << rng.below(std::uint64_t{8}));
    CHECK(decode_advert(bytes).has_error());
  }
}

TEST_CASE("codec property: random bytes never read out of bounds") {
  core::Rng rng(11);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::uint8_t> bytes(rng.below(std::uint64_t{80}));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
    if (!bytes.empty() && rng.chance(70)) bytes[0] = 0x45;
    if (bytes.size() > 9 && rng.chance(70)) bytes[9] = 112;
    if (const auto packet = decode_ipv4(bytes)) std::ignore = decode_advert(packet->payload);
    std::ignore = decode_advert(bytes);
  }
}
