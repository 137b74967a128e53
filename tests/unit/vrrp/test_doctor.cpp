// What the doctor reads of frames, whom it recognises, and what it says is wrong.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/trailer.hpp"
#include "vrrp/doctor/diagnosis.hpp"
#include "vrrp/doctor/foreign.hpp"
#include "vrrp/io/ipv4_header.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::doctor;
using namespace holdfast::vrrp::test;
using Bytes = std::vector<std::uint8_t>;

namespace {

const Instant t0{1h};
const core::MacAddress kMac{{2, 0, 0, 0, 0, 2}};
const core::MacAddress kVirtualMac{{0, 0, 0x5e, 0, 1, 51}};
constexpr std::size_t kFragmentOffset = 6;  // DF is its second bit

struct Router {
  InstanceSettings settings = everyday();
  int priority = 100;
  const char* source = "192.0.2.2";
  const char* destination = "224.0.0.18";
  std::uint8_t ttl = 255;
  core::MacAddress mac = kMac;
  bool is_ours = false;
  bool dont_fragment = false;
  ChecksumForm form = ChecksumForm::with_pseudo_header;
};

Bytes ip_packet(const Bytes& payload, const char* source, const char* destination,
                std::uint8_t protocol = kIpProtocolVrrp, std::uint8_t ttl = 255,
                std::uint16_t identification = 1) {
  Bytes packet;
  encode_ipv4({.source = ip(source), .hop_limit = ttl, .letters = {}}, {ip(destination), payload},
              identification, packet);
  packet[9] = protocol;
  return packet;
}

Bytes packet_of(const Router& router, std::uint16_t identification) {
  Advert advert = make_advert(router.settings, static_cast<std::uint8_t>(router.priority));
  advert.checksum = router.form;
  Bytes payload;
  encode_advert(advert, payload,
                {router.settings.version, ip(router.source), ip(router.destination)});
  const bool has_ah = router.settings.has_header();
  if (router.settings.signs()) payload.resize(payload.size() + kTrailerBytes, 1);
  if (has_ah)
    put_ah(payload, identification,
           {ip(router.source), ip(router.destination), identification, router.ttl},
           router.settings.authentication.data);
  Bytes packet = ip_packet(payload, router.source, router.destination,
                           has_ah ? kIpProtocolAh : kIpProtocolVrrp, router.ttl, identification);
  if (router.dont_fragment) packet[kFragmentOffset] |= 0x40;
  return packet;
}

/// Everybody speaks five times, every second.
std::vector<Speaker> heard(const std::vector<Router>& routers) {
  Speakers speakers;
  for (std::uint16_t i = 0; i < 5; ++i) {
    for (const Router& each : routers) {
      const Bytes packet = packet_of(each, static_cast<std::uint16_t>(i + 1));
      auto seen = read_frame({"eth0", each.mac, each.is_ours, packet});
      REQUIRE(seen.has_value());
      speakers.note(std::move(*seen), t0 + i * Duration(1s));
    }
  }
  return speakers.all();
}

std::vector<Finding> between(const std::vector<Router>& routers,
                             const std::vector<Expectation>& expected = {}) {
  return diagnose(heard(routers), expected, {"eth0"});
}

const Finding* find(const std::vector<Finding>& findings, std::string_view reason) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& each) { return each.reason == reason; });
  return found == findings.end() ? nullptr : &*found;
}

Expectation expected(const InstanceSettings& settings, bool knows_secret) {
  return {settings, knows_secret, {}};
}

Bytes carp(std::uint8_t vhid) {
  Bytes payload(36, 0);
  payload[0] = 0x21;
  payload[1] = vhid;
  payload[3] = 7;
  payload[5] = 1;
  return payload;
}

Bytes hsrp_packet() {  // version 1, group 5, priority 110, hello 3 s, 192.0.2.100
  Bytes udp = from_hex(
      "07c107c1001c000000001003"
      "0a6e050063697363"
      "6f000000c0000264");
  return ip_packet(udp, "192.0.2.9", "224.0.0.2", kIpProtocolUdp, 1);
}

InstanceSettings with_address(const char* address) {
  InstanceSettings settings = everyday();
  VirtualAddress one = settings.addresses.front();
  one.prefix.address = ip(address);
  settings.addresses = {one};
  return settings;
}

Bytes packet_v6(const Bytes& payload, const char* source, std::uint8_t hop_limit = 255) {
  Bytes packet{0x60,     0, 0, 0, 0, static_cast<std::uint8_t>(payload.size()), kIpProtocolVrrp,
               hop_limit};
  for (const IpAddress& each : {ip(source), ip("ff02::12")})
    packet.insert(packet.end(), each.bytes().begin(), each.bytes().end());
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

InstanceSettings version_3() {
  InstanceSettings settings = everyday();
  settings.version = 3;
  return settings;
}

}  // namespace

TEST_CASE("doctor: what an advert says is read whole") {
  const Router router{.priority = 150};
  const auto seen = read_frame({"eth0", kMac, true, packet_of(router, 7)});
  REQUIRE(seen.has_value());
  CHECK(seen->protocol == Protocol::vrrp);
  CHECK(seen->version == 2);
  CHECK(seen->number == 51);
  CHECK(seen->priority == 150);
  CHECK(seen->interval == 1s);
  CHECK(seen->source == ip("192.0.2.2"));
  CHECK(seen->destination == vrrp_group());
  CHECK(seen->hop_limit == 255);
  CHECK(seen->identification == 7);
  CHECK_FALSE(seen->dont_fragment);
  CHECK(seen->is_ours);
  CHECK(seen->addresses == std::vector{ip("192.0.2.100")});
  CHECK_FALSE(seen->fault.has_value());
  CHECK_FALSE(seen->has_trailer);
}

TEST_CASE("doctor: behind an authentication header, and before an HMAC trailer") {
  Bytes advert;
  encode_advert(make_advert(everyday(), 99), advert);
  Bytes header{kIpProtocolVrrp, 4, 0, 0, 192, 0, 2, 2, 0, 0, 0, 1};
  header.resize(24);
  Bytes behind = header;
  behind.insert(behind.end(), advert.begin(), advert.end());
  const auto ah = read_frame(
      {"eth0", kMac, false, ip_packet(behind, "192.0.2.2", "224.0.0.18", kIpProtocolAh)});
  REQUIRE(ah.has_value());
  CHECK(ah->has_ah);
  CHECK(ah->priority == 99);
  CHECK_FALSE(
      read_frame({"eth0", kMac, false, ip_packet(header, "192.0.2.2", "224.0.0.18", kIpProtocolAh)})
          .has_value());

  Bytes with_trailer;
  encode_advert(make_advert(version_3(), 99), with_trailer, {3, ip("192.0.2.2"), ip("224.0.0.18")});
  with_trailer.push_back(1);
  with_trailer.resize(with_trailer.size() + 27);
  const auto hmac =
      read_frame({"eth0", kMac, false, ip_packet(with_trailer, "192.0.2.2", "224.0.0.18")});
  REQUIRE(hmac.has_value());
  CHECK(hmac->has_trailer);
}

TEST_CASE("doctor: CARP and HSRP are read, and no packet of others") {
  const auto seen =
      read_frame({"eth0", kMac, false, ip_packet(carp(51), "192.0.2.9", "224.0.0.18")});
  REQUIRE(seen.has_value());
  CHECK(seen->protocol == Protocol::carp);
  CHECK(seen->number == 51);
  CHECK(seen->interval == 1s);

  const auto hsrp = read_frame({"eth0", kMac, false, hsrp_packet()});
  REQUIRE(hsrp.has_value());
  CHECK(hsrp->protocol == Protocol::hsrp);
  CHECK(hsrp->version == 1);
  CHECK(hsrp->number == 5);
  CHECK(hsrp->priority == 110);
  CHECK(hsrp->interval == 3s);
  CHECK(hsrp->addresses == std::vector{ip("192.0.2.100")});

  Bytes version_2 = from_hex(
      "0128020006040033"
      "020000000001"
      "0000006e"
      "00000bb8"
      "00002710"
      "c0000264000000000000000000000000");
  const auto newer = read_hsrp(version_2);
  REQUIRE(newer.has_value());
  CHECK(newer->group == 51);
  CHECK(newer->priority == 110);
  CHECK(newer->hello == 3s);
  CHECK(newer->address == ip("192.0.2.100"));

  Bytes other_port = hsrp_packet();
  other_port[23] = 0;
  CHECK_FALSE(read_frame({"eth0", kMac, false, other_port}).has_value());
  CHECK_FALSE(read_frame({"eth0", kMac, false, from_hex("45")}).has_value());
}

TEST_CASE("doctor: a packet cut anywhere is read or not, never beyond its end") {
  for (const Bytes& whole :
       {packet_of({}, 1), hsrp_packet(), ip_packet(carp(1), "192.0.2.9", "224.0.0.18")}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK_FALSE(read_frame({"eth0", kMac, false, part}).has_value());
    }
  }
}

TEST_CASE("doctor: a flood of speakers is counted, not kept") {
  Speakers speakers;
  for (int i = 0; i < 1000; ++i) {
    const std::string source = fmt::format("192.0.{}.{}", i / 250, i % 250 + 1);
    const Router router{.source = source.c_str()};
    speakers.note(*read_frame({"eth0", kMac, false, packet_of(router, 1)}), t0);
  }
  CHECK(speakers.all().size() == Speakers::kMost);
  CHECK(speakers.unlisted() == 1000 - Speakers::kMost);
}

TEST_CASE("doctor: implementations are recognised by what only they do") {
  const auto guess = [](const Router& router) { return guess_of(heard({router}).front()); };
  CHECK(guess({}) == "keepalived or Holdfast (DF clear, counts its packets)");
  CHECK(guess({.mac = kVirtualMac, .dont_fragment = true}) == "FRR (virtual MAC address, DF set)");
  CHECK(guess({.dont_fragment = true}).empty());
  Speakers one;
  one.note(*read_frame({"eth0", kMac, false, ip_packet(carp(1), "192.0.2.9", "224.0.0.18")}), t0);
  CHECK(guess_of(one.all().front()) == "ucarp, pfSense, OPNsense or a BSD (CARP)");
}

TEST_CASE("doctor: a healthy pair has nothing wrong") {
  CHECK(between({{.is_ours = true}}).empty());
  CHECK(between({{.is_ours = true}}, {expected(everyday(), true)}).empty());
  CHECK(between({{}}, {expected(everyday(), true)}).empty());
}

TEST_CASE("doctor: each difference has its sentence and its cure in both languages") {
  const Router ours{.priority = 150, .source = "192.0.2.1", .is_ours = true};
  const auto said = [&](const Router& other) { return between({ours, other}); };

  const auto versions = said({.settings = version_3()});
  const Finding* version = find(versions, "bad_version");
  REQUIRE(version != nullptr);
  CHECK(version->sentence ==
        "in the eyes of 192.0.2.1, 192.0.2.2 speaks VRRP version 3, we speak 2: both of you will "
        "be master until one changes 'version' (keepalived also: vrrp_version)");
  CHECK(version->cure == Cure{"version 2", "vrrp 51 version 2"});
  CHECK(version->subject == "VRID 51, IPv4");
  REQUIRE(find(versions, "two_masters") != nullptr);
  CHECK(find(versions, "two_masters")->sentence.starts_with("2 masters at once: 192.0.2.1 192.0."));

  Router other;
  other.settings.advert_interval = 2s;
  CHECK(find(said(other), "interval_mismatch")->cure ==
        Cure{"advert_int 1", "vrrp 51 advertisement-interval 1000"});
  other = {};
  other.settings.authentication = Authentication::password("secret");
  CHECK(find(said(other), "authentication_type")->cure.keepalived ==
        "remove its authentication block");
  other = {.settings = with_address("192.0.2.101")};
  CHECK(find(said(other), "address_list")->cure ==
        Cure{"virtual_ipaddress { 192.0.2.100 }", "vrrp 51 ip 192.0.2.100"});
  other = {.ttl = 254};
  CHECK(find(said(other), "bad_ttl") != nullptr);
  other = {.destination = "192.0.2.1"};
  CHECK(find(said(other), "bad_destination")->cure.keepalived ==
        "vrrp_mcast_group4 224.0.0.18, and no unicast_peer");
  other = {.settings = with_address("192.0.2.101"), .source = "192.0.2.1"};
  CHECK(find(said(other), "duplicate_address") != nullptr);
}

TEST_CASE("doctor: two masters without any difference are deaf for each other") {
  const auto findings = between({{.priority = 150, .source = "192.0.2.1"}, {.priority = 100}});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].reason == "two_masters");
  CHECK(findings[0].sentence.find("each is deaf for the other") != std::string::npos);
}

TEST_CASE("doctor: who resigns, or speaks once in passing, is no second master") {
  Speakers speakers;
  const Router old{.priority = 150, .source = "192.0.2.1"};
  for (int i = 0; i < 5; ++i) {
    const bool is_old = i < 3;
    const Bytes packet = packet_of(is_old ? old : Router{}, 1);
    speakers.note(*read_frame({"eth0", kMac, false, packet}), t0 + i * Duration(1s));
  }
  CHECK(diagnose(speakers.all(), {}, {"eth0"}).empty());
}

TEST_CASE("doctor: the two forms of the checksum do not go together") {
  const Router with{.settings = version_3(), .priority = 150, .source = "192.0.2.1"};
  const Router without{.settings = version_3(), .form = ChecksumForm::without_pseudo_header};
  const auto findings = between({with, without});
  const Finding* forms = find(findings, "checksum_forms");
  REQUIRE(forms != nullptr);
  CHECK(forms->speaker == "192.0.2.2");
  CHECK(forms->cure == Cure{"no v3_checksum_as_v2", "vrrp 51 checksum-with-ipv4-pseudoheader"});
}

TEST_CASE("doctor: over IPv6 a list without a link-local address in front, and a virtual source") {
  InstanceSettings settings = version_3();
  settings.family = core::Family::v6;
  std::vector<VirtualAddress> addresses(2);
  addresses[0].prefix = {ip("2001:db8::100"), 128};
  addresses[1].prefix = {ip("fe80::100"), 128};
  settings.addresses = addresses;
  const auto said = [&](const char* source, std::uint8_t hop_limit) {
    Bytes payload;
    encode_advert(make_advert(settings, 100), payload, {3, ip(source), ip("ff02::12")});
    Speakers speakers;
    auto seen = read_frame({"eth0", kMac, false, packet_v6(payload, source, hop_limit)});
    REQUIRE(seen.has_value());
    CHECK(seen->family == core::Family::v6);
    CHECK(seen->hop_limit == hop_limit);
    speakers.note(std::move(*seen), t0);
    return diagnose(speakers.all(), {expected(settings, true)}, {"eth0"});
  };

  const auto findings = said("fe80::2", 255);
  const Finding* first = find(findings, "first_address");
  REQUIRE(first != nullptr);
  CHECK(first->sentence.starts_with("fe80::2 advertises 2001:db8::100 as its first address"));
  CHECK(first->subject == "VI_1 (VRID 51, IPv6)");
  CHECK(find(said("fe80::2", 64), "bad_ttl")->sentence.find("hop limit 64") != std::string::npos);
  CHECK(find(said("fe80::100", 255), "virtual_source") != nullptr);
  CHECK(find(said("fe80::2", 255), "virtual_source") == nullptr);
}

TEST_CASE("doctor: CARP with our number wants another one, which is free") {
  Speakers speakers;
  for (int i = 0; i < 3; ++i) {
    speakers.note(*read_frame({"eth0", kMac, false, packet_of({}, 1)}), t0 + i * Duration(1s));
    speakers.note(
        *read_frame({"eth0", kMac, false, ip_packet(carp(51), "192.0.2.9", "224.0.0.18")}),
        t0 + i * Duration(1s));
  }
  InstanceSettings other = everyday();
  other.vrid = 255;  // taken
  const auto findings =
      diagnose(speakers.all(), {expected(everyday(), true), expected(other, true)}, {});
  const Finding* found = find(findings, "carp");
  REQUIRE(found != nullptr);
  CHECK(found->subject == "VI_1 (VRID 51, IPv4)");
  CHECK(found->sentence.find("192.0.2.9 speaks CARP with vhid 51") == 0);
  CHECK(
      found->sentence.ends_with("if 192.0.2.2 is keepalived, it begins its interval anew at "
                                "each such packet and may fall silent although it lives"));
  CHECK(found->cure.keepalived == "virtual_router_id 254 (or ucarp --vhid=254)");
}

TEST_CASE("doctor: HSRP does no harm, unless it has our address") {
  Speakers speakers;
  speakers.note(*read_frame({"eth0", kMac, false, hsrp_packet()}), t0);
  CHECK_FALSE(diagnose(speakers.all(), {}, {}).at(0).is_problem);
  CHECK_FALSE(
      diagnose(speakers.all(), {expected(with_address("192.0.2.7"), true)}, {}).at(0).is_problem);
  const auto findings = diagnose(speakers.all(), {expected(everyday(), true)}, {});
  CHECK(findings.at(0).is_problem);
  CHECK(findings.at(0).sentence.starts_with("192.0.2.9 speaks HSRP for 192.0.2.100"));
}

TEST_CASE("doctor: against a configuration, and without its passwords") {
  InstanceSettings locked = everyday();
  locked.authentication = Authentication::password("secret12");
  InstanceSettings wrong = everyday();
  wrong.authentication = Authentication::password("secret13");

  CHECK(find(between({{.settings = wrong}}, {expected(locked, true)}), "authentication_data") !=
        nullptr);
  CHECK(between({{.settings = wrong}}, {expected(locked, false)}).empty());

  const auto silent = diagnose({}, {expected(everyday(), true)}, {"eth0"});
  REQUIRE(silent.size() == 1);
  CHECK_FALSE(silent[0].is_problem);
  CHECK(silent[0].reason == "nobody");
  CHECK(diagnose({}, {expected(everyday(), true)}, {"eth1"}).empty());
}

TEST_CASE("doctor: two instances with one number are told apart by their way") {
  InstanceSettings unicast = everyday();
  unicast.unicast = Unicast{.peers = {{ip("192.0.2.2")}}};
  unicast.name = "VI_2";
  const std::vector<Expectation> both{expected(everyday(), true), expected(unicast, true)};
  CHECK(between({{.priority = 90}}, both).empty());
  CHECK(between({{.priority = 90, .destination = "192.0.2.1"}}, both).empty());
  CHECK(find(between({{.priority = 90}}, {expected(unicast, true)}), "bad_destination") != nullptr);
}

TEST_CASE("doctor: an instance without an interface belongs wherever it is spoken to") {
  InstanceSettings routed = everyday();
  routed.interface.clear();
  routed.unicast = Unicast{.peers = {{ip("192.0.2.2")}}};
  InstanceSettings other = everyday();
  other.authentication = Authentication::password("x");
  const Router peer{.settings = other, .priority = 90, .destination = "192.0.2.1"};
  const auto findings = between({peer}, {expected(routed, true)});
  REQUIRE(find(findings, "authentication_type") != nullptr);
  CHECK(find(findings, "authentication_type")->interface == "eth0");
  // The group's speakers are not its own, and nobody else's silence is.
  const auto silent = between({{.priority = 90}}, {expected(routed, true)});
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].reason == "nobody");
  CHECK(silent[0].interface.empty());
}

TEST_CASE("doctor: a peer that is kept silent is known from the running director") {
  Expectation instance = expected(everyday(), false);
  instance.remembered = {{.reason = DecodeError::bad_version,
                          .peer = ip("192.0.2.2"),
                          .adverts = 4,
                          .ago = 42s,
                          .sentence = "speaks VRRP version 3"}};
  const auto findings = diagnose({}, {instance}, {"eth0"});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].sentence ==
        "192.0.2.2 speaks VRRP version 3; the director has heard 4 of its adverts, the last one "
        "42 s ago, and now it is silent: it was mended and is a backup, or it is a keepalived, "
        "which begins its interval anew at each of ours that it drops");
  CHECK(findings[0].cure == Cure{"version 2", "vrrp 51 version 2"});
  CHECK(between({{.settings = version_3()}}, {instance}).size() == 1);  // it is heard: once

  CHECK(diagnose({}, {instance}, {"eth1"}).empty());

  instance.remembered[0].ago = 11min;
  CHECK(diagnose({}, {instance}, {"eth0"}).at(0).reason == "nobody");
}

TEST_CASE("doctor: proofs of origin are missed, not judged") {
  InstanceSettings ah = everyday(), other_key = everyday(), hmac = version_3();
  ah.authentication = Authentication::header("secret");
  other_key.authentication = Authentication::header("another");
  hmac.signing = Signing{};
  const Router plain{}, plain_3{.settings = version_3()};

  CHECK(between({{.settings = ah}}, {expected(other_key, false)}).empty());
  CHECK(between({{.settings = hmac}}, {expected(hmac, false)}).empty());
  const auto without = between({plain}, {expected(ah, false)});
  REQUIRE(find(without, "authentication_type") != nullptr);
  CHECK(find(without, "authentication_type")->sentence ==
        "192.0.2.2 sends without the proof of origin that is asked for");
  CHECK(find(without, "authentication_type")->cure.keepalived ==
        "authentication { auth_type AH auth_pass … }");
  CHECK(find(between({{.settings = ah}}, {expected(everyday(), false)}), "authentication_type") !=
        nullptr);
  CHECK(find(between({plain_3}, {expected(hmac, false)}), "auth_ext_missing") != nullptr);
}

TEST_CASE("doctor: over IPv6 the checksum of a signed advert covers the signature") {
  InstanceSettings settings = version_3();
  settings.family = core::Family::v6;
  settings.addresses = std::vector<VirtualAddress>(1, with_address("fe80::100").addresses.front());
  settings.signing = Signing{.keys = {{1, std::vector<std::uint8_t>(32, 7)}}};
  Bytes payload;
  const Envelope envelope{3, ip("fe80::2"), ip("ff02::12")};
  encode_advert(make_advert(settings, 100), payload, envelope);
  append_trailer(payload, envelope, settings.signing->keys[0], 5);
  Speakers speakers;
  speakers.note(*read_frame({"eth0", kMac, false, packet_v6(payload, "fe80::2")}), t0);

  CHECK(diagnose(speakers.all(), {expected(settings, true)}, {"eth0"}).empty());
}
