// Version 3, IPv6 and unicast as bytes: what keepalived 2.2.7 sends is what we send and understand,
// and every damage to it is refused for what it is.
#include "core/bytes.hpp"
#include "core/checksum.hpp"
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/dialect.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/io/ipv4_header.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

// Captured from keepalived 2.2.7, without Ethernet headers: IPv4 packets …
constexpr std::string_view kFour =
    "45c0002000010000ff701899c0000201e00000123134640100320599c000026e";
constexpr std::string_view kFourResigns =
    "45c0002000120000ff701888c0000201e00000123134000100326999c000026e";
// … and what follows an IPv6 header.
constexpr std::string_view kSix =
    "3136780200642c52fe80000000000000000000000000005420010db8000000000000000000000054";
constexpr std::string_view kSixResigns =
    "313600020064a452fe80000000000000000000000000005420010db8000000000000000000000054";

const IpAddress kUs = ip("192.0.2.9");
const IpAddress kPeer = ip("192.0.2.1");
const IpAddress kPeer6 = ip("fe80::ff:fe00:1");

InstanceSettings four() {
  InstanceSettings settings = everyday();
  settings.version = 3;
  settings.vrid = 52;
  settings.advert_interval = 500ms;
  settings.addresses = {{.prefix = {ip("192.0.2.110"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  return settings;
}

InstanceSettings six() {
  InstanceSettings settings = everyday();
  settings.family = core::Family::v6;
  settings.version = 3;
  settings.vrid = 54;
  settings.priority = 120;
  settings.addresses = {
      {.prefix = {ip("fe80::54"), 128}, .interface = {}, .label = {}, .broadcast = {}, .scope = {}},
      {.prefix = {ip("2001:db8::54"), 128},
       .interface = {},
       .label = {},
       .broadcast = {},
       .scope = {}}};
  return settings;
}

InstanceSettings between_peers(InstanceSettings settings = four()) {
  settings.unicast =
      Unicast{.peers = {{kPeer, 0, 255}}, .hop_limit = 255, .senders = Senders::anybody};
  return settings;
}

struct Heard {
  InstanceSettings settings;
  IpAddress source = kPeer;
  IpAddress destination = vrrp_group();
  std::uint8_t hop_limit = 255;
};

std::string outcome(const Heard& heard, const std::vector<std::uint8_t>& payload) {
  const IpAddress own = heard.source.is_v4() ? kUs : ip("fe80::9");
  const auto checked = check_advert(
      {"eth0", heard.source.family(), heard.source, heard.destination, heard.hop_limit, payload},
      heard.settings, own);
  if (const auto* rejected = std::get_if<Rejected>(&checked))
    return std::string(to_string(rejected->reason));
  return std::get<Accepted>(checked).address_list_differs ? "accepted, other addresses"
                                                          : "accepted";
}

Heard heard_six() {
  return {six(), kPeer6, vrrp_group(core::Family::v6), 255};
}

std::vector<std::uint8_t> written(const InstanceSettings& settings, int priority,
                                  const IpAddress& source, const IpAddress& destination,
                                  ChecksumForm form = ChecksumForm::with_pseudo_header) {
  Advert advert = make_advert(settings, static_cast<std::uint8_t>(priority));
  advert.checksum = form;
  std::vector<std::uint8_t> bytes;
  encode_advert(advert, bytes, {settings.version, source, destination});
  return bytes;
}

std::vector<std::uint8_t> v4_packet(int priority, std::uint16_t identification) {
  const Departure departure{
      .source = kPeer,
      .hop_limit = 255,
      .letters = {{vrrp_group(), written(four(), priority, kPeer, vrrp_group())}}};
  std::vector<std::uint8_t> bytes;
  encode_ipv4(departure, departure.letters.front(), identification, bytes);
  return bytes;
}

/// Why a version 3 advert with this byte changed must be refused.
std::string expected(std::size_t offset, std::uint8_t value,
                     const std::vector<std::uint8_t>& good) {
  if (offset == 0 && value >> 4 != 3) return "bad_version";
  if (offset == 0 && (value & 0x0f) != 1) return "bad_type";
  if (offset == 3 && value == 0) return "no_addresses";
  if (offset == 3 && value > good[3]) return "bad_length";
  return "bad_checksum";
}

void check_mutations(const Heard& heard, const std::vector<std::uint8_t>& good) {
  REQUIRE(outcome(heard, good) == "accepted");
  for (std::size_t offset = 0; offset < good.size(); ++offset) {
    for (const int change : {0x01, 0x10, 0x80, 0xff}) {
      auto bytes = good;
      bytes[offset] = static_cast<std::uint8_t>(bytes[offset] ^ change);
      CAPTURE(offset);
      CAPTURE(change);
      CHECK(outcome(heard, bytes) == expected(offset, bytes[offset], good));
    }
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::vector<std::uint8_t> cut(good.begin(),
                                        good.begin() + static_cast<std::ptrdiff_t>(length));
    CAPTURE(length);
    CHECK(outcome(heard, cut) == (length < kAdvertHeaderBytes ? "truncated" : "bad_length"));
  }
}

}  // namespace

TEST_CASE(
    "wire: version 3 over IPv4 and IPv6 is byte for byte what keepalived sends [RFC9568-5.1-1]") {
  CHECK(v4_packet(100, 1) == from_hex(kFour));
  CHECK(v4_packet(0, 18) == from_hex(kFourResigns));
  const IpAddress group = vrrp_group(core::Family::v6);
  CHECK(written(six(), 120, kPeer6, group) == from_hex(kSix));
  CHECK(written(six(), 0, kPeer6, group) == from_hex(kSixResigns));
}

TEST_CASE(
    "wire: keepalived's adverts are accepted, and one changed byte is refused for what it is") {
  const auto bytes = from_hex(kFour);
  const auto packet = decode_ipv4(bytes);
  REQUIRE(packet.has_value());
  const std::vector<std::uint8_t> payload(packet->payload.begin(), packet->payload.end());
  check_mutations({four()}, payload);
  check_mutations(heard_six(), from_hex(kSix));
  check_mutations({between_peers(), kPeer, kUs}, written(four(), 90, kPeer, kUs));
}

TEST_CASE(
    "wire: a version 3 advert decodes into its fields; reserved bits are ignored "
    "[RFC9568-5.2.6-1]") {
  Advert sent = make_advert(four(), 90);
  sent.interval = 40'950ms;
  std::vector<std::uint8_t> bytes;
  const Envelope envelope{3, kPeer, vrrp_group()};
  encode_advert(sent, bytes, envelope);
  CHECK(bytes[4] == 0x0f);
  CHECK(bytes[5] == 0xff);
  CHECK(*decode_advert(bytes, envelope) == sent);

  auto reserved = written(four(), 90, kPeer, vrrp_group());
  reserved[4] |= 0xf0;  // and the checksum with it
  const unsigned sum = static_cast<unsigned>(reserved[6] << 8 | reserved[7]) + 0x0fffU;  // - 0xf000
  const unsigned folded = (sum & 0xffff) + (sum >> 16);
  reserved[6] = static_cast<std::uint8_t>(folded >> 8);
  reserved[7] = static_cast<std::uint8_t>(folded);
  const auto decoded = decode_advert(reserved, envelope);
  REQUIRE(decoded.has_value());
  CHECK(decoded->interval == 500ms);
}

TEST_CASE("wire: an interval of 0 is refused [RFC9568 erratum 8301]") {
  auto bytes = written(four(), 90, kPeer, vrrp_group());
  const unsigned sum = static_cast<unsigned>(bytes[6] << 8 | bytes[7]) + bytes[5];
  bytes[5] = 0;
  bytes[6] = static_cast<std::uint8_t>(sum >> 8);
  bytes[7] = static_cast<std::uint8_t>(sum);
  CHECK(outcome({four()}, bytes) == "no_interval");
}

TEST_CASE(
    "wire: all checksums of version 3 over IPv4 are understood, IPv6 has one [RFC9568-5.2.8-1]") {
  const auto form_of = [](ChecksumForm form, const IpAddress& destination) {
    return decode_advert(written(four(), 90, kPeer, destination, form), {3, kPeer, destination});
  };
  for (const ChecksumForm form :
       {ChecksumForm::with_pseudo_header, ChecksumForm::without_pseudo_header}) {
    CHECK(form_of(form, vrrp_group())->checksum == form);
    CHECK(form_of(form, kUs)->checksum == form);
  }
  CHECK(form_of(ChecksumForm::with_group, kUs)->checksum == ChecksumForm::with_group);
  const IpAddress elsewhere = ip("224.0.0.99");
  CHECK(form_of(ChecksumForm::with_group, elsewhere).error() == DecodeError::bad_checksum);

  const auto whole = written(six(), 90, kPeer6, vrrp_group(core::Family::v6));
  for (const ChecksumForm form : {ChecksumForm::without_pseudo_header, ChecksumForm::with_group})
    CHECK(written(six(), 90, kPeer6, vrrp_group(core::Family::v6), form) == whole);
  auto plain = whole;
  plain[6] = plain[7] = 0;
  core::ChecksumAccumulator sum;
  sum.add(plain);
  plain[6] = static_cast<std::uint8_t>(sum.finish() >> 8);
  plain[7] = static_cast<std::uint8_t>(sum.finish());
  CHECK(outcome(heard_six(), plain) == "bad_checksum");
  CHECK(form_of(ChecksumForm::without_pseudo_header, vrrp_group())->checksum ==
        ChecksumForm::without_pseudo_header);
  // The golden packet in the form of RFC 9568: known from the same capture's figures.
  const auto strict =
      written(four(), 100, kPeer, vrrp_group(), ChecksumForm::without_pseudo_header);
  CHECK(strict[6] == 0xa8);
  CHECK(strict[7] == 0x29);
}

TEST_CASE("wire: version 2 and version 3 do not hear each other, and the sentence says so") {
  const auto two = written(everyday(), 90, kPeer, vrrp_group());
  CHECK(outcome({four()}, two) == "bad_version");
  InstanceSettings old = everyday();
  CHECK(outcome({old}, written(four(), 90, kPeer, vrrp_group())) == "bad_version");
  const auto checked =
      check_advert({"eth0", core::Family::v4, kPeer, vrrp_group(), 255, two}, four(), kUs);
  CHECK(std::get<Rejected>(checked).sentence.starts_with("speaks VRRP version 2, we speak 3"));
}

TEST_CASE("wire: another interval is no fault in version 3 [RFC9568-7.1-8]") {
  auto theirs = four();
  theirs.advert_interval = 30ms;
  CHECK(outcome({four()}, written(theirs, 90, kPeer, vrrp_group())) == "accepted");
}

TEST_CASE(
    "wire: the hop limit must be 255 in a group, and anything in a peer's window between peers") {
  const auto six_bytes = written(six(), 90, kPeer6, vrrp_group(core::Family::v6));
  Heard far = heard_six();
  far.hop_limit = 64;
  CHECK(outcome(far, six_bytes) == "bad_ttl");

  const auto bytes = written(four(), 90, kPeer, kUs);
  InstanceSettings peers = between_peers();
  CHECK(outcome({peers, kPeer, kUs, 5}, bytes) == "accepted");
  peers.unicast->peers = {{kPeer, 200, 254}};
  CHECK(outcome({peers, kPeer, kUs, 199}, bytes) == "bad_ttl");
  CHECK(outcome({peers, kPeer, kUs, 200}, bytes) == "accepted");
  CHECK(outcome({peers, kPeer, kUs, 254}, bytes) == "accepted");
  CHECK(outcome({peers, kPeer, kUs, 255}, bytes) == "bad_ttl");
}

TEST_CASE("wire: unicast counts when it is for us, from whoever unless the senders are checked") {
  InstanceSettings peers = between_peers();
  const IpAddress stranger = ip("192.0.2.77");
  const auto from_stranger = written(four(), 90, stranger, kUs);
  CHECK(outcome({peers, stranger, kUs}, from_stranger) == "accepted");
  peers.unicast->senders = Senders::listed;
  CHECK(outcome({peers, stranger, kUs}, from_stranger) == "unknown_peer");
  CHECK(outcome({peers, kPeer, kUs}, written(four(), 90, kPeer, kUs)) == "accepted");
  CHECK(outcome({peers, kPeer, vrrp_group()}, written(four(), 90, kPeer, vrrp_group())) ==
        "bad_destination");
  CHECK(outcome({four(), kPeer, kUs}, written(four(), 90, kPeer, kUs)) == "bad_destination");
}

TEST_CASE("wire: another group is another channel") {
  InstanceSettings settings = four();
  settings.group = ip("224.0.0.99");
  CHECK(settings.key().channel == ip("224.0.0.99"));
  CHECK(outcome({settings, kPeer, ip("224.0.0.99")},
                written(settings, 90, kPeer, ip("224.0.0.99"))) == "accepted");
  CHECK(outcome({settings}, written(settings, 90, kPeer, vrrp_group())) == "bad_destination");
}

TEST_CASE("dialect: a peer is answered in its own form, a group in all that are remembered") {
  using enum ChecksumForm;
  const Instant t0{1h};
  Dialects known;
  CHECK(forms_towards(known, kPeer) == FormsInUse{with_pseudo_header});
  note_dialect(known, kPeer, without_pseudo_header, t0);
  note_dialect(known, kPeer, without_pseudo_header, t0 + 1s);
  CHECK(known == Dialects{{kPeer, without_pseudo_header, 2, t0 + 1s}});
  CHECK(forms_towards(known, vrrp_group()) == FormsInUse{without_pseudo_header});
  note_dialect(known, kUs, with_group, t0 + 2s);
  CHECK(forms_towards(known, kPeer) == FormsInUse{without_pseudo_header});
  CHECK(forms_towards(known, kUs) == FormsInUse{with_group});
  CHECK(forms_towards(known, vrrp_group()) ==
        FormsInUse{with_pseudo_header, without_pseudo_header});
  note_dialect(known, kPeer, with_pseudo_header, t0 + 3s);
  CHECK(known.back() == PeerDialect{kPeer, with_pseudo_header, 1, t0 + 3s});
  CHECK(forms_towards(known, vrrp_group()) == FormsInUse{with_pseudo_header});
  forget_silent(known, t0 + 3s);
  CHECK(known == Dialects{{kPeer, with_pseudo_header, 1, t0 + 3s}});

  for (int i = 0; i < 100; ++i)
    note_dialect(known, IpAddress::v4({10, 0, 0, static_cast<std::uint8_t>(i)}),
                 ChecksumForm::with_group, t0);
  CHECK(known.size() == kMostDialects);
}

TEST_CASE("wire property: version 3 decodes to what was encoded; one flipped bit is refused") {
  core::Rng rng(17);
  for (int round = 0; round < 2000; ++round) {
    const bool is_v4 = rng.chance(50);
    const auto any = [&] {
      std::array<std::uint8_t, 16> bytes{};
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
      return is_v4 ? IpAddress::v4({10, bytes[0], bytes[1], bytes[2]}) : IpAddress::v6(bytes);
    };
    const Envelope envelope{3, any(), any()};
    Advert advert;
    advert.version = 3;
    advert.vrid = static_cast<std::uint8_t>(1 + rng.below(std::uint64_t{255}));
    advert.priority = static_cast<std::uint8_t>(rng.below(std::uint64_t{256}));
    advert.interval = 10ms * (1 + static_cast<int>(rng.below(std::uint64_t{4095})));
    if (is_v4 && rng.chance(50)) advert.checksum = ChecksumForm::without_pseudo_header;
    for (std::uint64_t n = 1 + rng.below(std::uint64_t{20}); n > 0; --n)
      advert.addresses.push_back(any());
    std::vector<std::uint8_t> bytes;
    encode_advert(advert, bytes, envelope);

    const auto back = decode_advert(bytes, envelope);
    REQUIRE(back.has_value());
    CHECK(*back == advert);

    bytes[rng.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << rng.below(std::uint64_t{8}));
    CHECK(decode_advert(bytes, envelope).has_error());
  }
}
