// keepalived's auth_hmac: bytes, checks, moments.
#include "core/checksum.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/core/trailer.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/proof_page.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

const IpAddress kUs = ip("192.0.2.9");
const IpAddress kPeer = ip("192.0.2.7");
const Instant t0{1h};
constexpr Duration kUtc = std::chrono::seconds(1'700'000'000);

std::vector<std::uint8_t> key_of(std::uint8_t first) {
  std::vector<std::uint8_t> bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

InstanceSettings signing(std::uint8_t version = 3) {
  InstanceSettings settings = everyday();
  settings.version = version;
  settings.vrid = 77;
  settings.signing = Signing{.keys = {{9, key_of(0x40)}}, .active_key = 9};
  settings.addresses = {{.prefix = {ip("192.0.2.77"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  return settings;
}

struct Sent {
  InstanceSettings settings = signing();
  Duration at = kUtc;
  int priority = 120;
  IpAddress source = kPeer;
  IpAddress destination = vrrp_group();
  bool is_signed = true;
};

std::vector<std::uint8_t> bytes_of(const Sent& sent) {
  const Envelope envelope{sent.settings.version, sent.source, sent.destination};
  std::vector<std::uint8_t> bytes;
  encode_advert(make_advert(sent.settings, static_cast<std::uint8_t>(sent.priority)), bytes,
                envelope);
  if (sent.is_signed) {
    const Signing& own = *sent.settings.signing;
    append_trailer(bytes, envelope, *own.key(own.active_key), stamp_of(sent.at));
  }
  return bytes;
}

Received packet_of(const Sent& sent, std::span<const std::uint8_t> bytes) {
  return {"eth0", sent.source.family(), sent.source, sent.destination, 255, bytes};
}

std::variant<Accepted, Rejected> outcome_of(const Sent& sent, const InstanceSettings& ours,
                                            const ProofMemory& memory = {}, Duration utc = kUtc) {
  const auto bytes = bytes_of(sent);
  return check_advert(packet_of(sent, bytes), ours, kUs, {&memory, utc});
}

std::string reason(const std::variant<Accepted, Rejected>& outcome) {
  const auto* rejected = std::get_if<Rejected>(&outcome);
  return rejected == nullptr ? "accepted" : std::string(to_string(rejected->reason));
}

std::string sentence(const std::variant<Accepted, Rejected>& outcome) {
  return std::get<Rejected>(outcome).sentence;
}

std::string check(const Sent& sent, const InstanceSettings& ours, const ProofMemory& memory = {},
                  Duration utc = kUtc) {
  return reason(outcome_of(sent, ours, memory, utc));
}

InstanceSettings six() {
  InstanceSettings settings = signing();
  settings.family = core::Family::v6;
  settings.addresses = {
      {.prefix = {ip("fe80::77"), 64}, .interface = {}, .label = {}, .broadcast = {}, .scope = {}}};
  return settings;
}

Sent from_six() {
  return {.settings = six(),
          .at = kUtc + 500ms,
          .priority = 120,
          .source = ip("fe80::7"),
          .destination = ip("ff02::12"),
          .is_signed = true};
}

}  // namespace

TEST_CASE("auth_hmac: bytes of both versions and families") {
  // Made by another program from the description of the format.
  Sent sent{.settings = signing(3), .at = kUtc + 500ms};
  sent.settings.advert_interval = 500ms;
  CHECK(bytes_of(sent) == from_hex("314d78010032f19ac000024d"
                                   "010900006553f1008000000097c275e994baa9c2c2ef0cc7cdfc1c3a"));
  sent.settings = signing(2);
  CHECK(bytes_of(sent) == from_hex("214d78010001a462c000024d0000000000000000"
                                   "010900006553f10080000000c899d78a99d9cae09045fbaa1b5fb630"));
  sent = from_six();
  sent.settings.advert_interval = 500ms;
  CHECK(bytes_of(sent) == from_hex("314d780100328e47fe800000000000000000000000000077"
                                   "010900006553f10080000000e4699796645aea3e9a79dd0d0b52a62d"));
}

TEST_CASE("auth_hmac: every changed byte is refused, and for its own reason") {
  for (const Sent& sent :
       {Sent{.settings = signing(2)}, Sent{.settings = signing(3)}, from_six()}) {
    const auto sound = bytes_of(sent);
    const auto ours = sent.source.is_v4() ? sent.settings : six();
    const IpAddress us = sent.source.is_v4() ? kUs : ip("fe80::9");
    const auto outcome = [&](std::span<const std::uint8_t> bytes) {
      return reason(check_advert(packet_of(sent, bytes), ours, us, {nullptr, kUtc}));
    };
    CHECK(outcome(sound) == "accepted");
    std::set<std::string> of_trailer;
    for (std::size_t i = 0; i < sound.size(); ++i) {
      auto changed = sound;
      changed[i] ^= 0x10;
      CHECK_MESSAGE(outcome(changed) != "accepted", "byte ", i);
      if (i + kTrailerBytes >= sound.size()) of_trailer.insert(outcome(changed));
    }
    if (sent.source.is_v4()) {
      CHECK(of_trailer == std::set<std::string>{"auth_ext_malformed", "auth_ext_unknown_key",
                                                "auth_ext_stale", "auth_ext_invalid_hmac"});
    } else {
      CHECK(of_trailer == std::set<std::string>{"bad_checksum"});
    }
  }
}

TEST_CASE("auth_hmac: over IPv6 a changed trailer with a right checksum is refused, too") {
  const Sent sent = from_six();
  auto bytes = bytes_of(sent);
  bytes.back() ^= 1;
  put_checksum(bytes, {3, sent.source, sent.destination});
  CHECK(reason(check_advert(packet_of(sent, bytes), six(), ip("fe80::9"), {nullptr, kUtc})) ==
        "auth_ext_invalid_hmac");
}

TEST_CASE("auth_hmac: the modes of a change-over") {
  const Sent bare{.settings = signing(), .is_signed = false};
  InstanceSettings ours = signing();
  CHECK(check({}, ours) == "accepted");
  CHECK(check(bare, ours) == "auth_ext_missing");
  CHECK(sentence(outcome_of(bare, ours)).find("permissive") != std::string::npos);
  for (const SigningMode mode : {SigningMode::permissive, SigningMode::receive_only}) {
    ours.signing->mode = mode;
    CHECK(check({}, ours) == "accepted");
    CHECK(check(bare, ours) == "accepted");
    Sent forged;
    forged.settings.signing->keys[0].bytes[0] ^= 1;
    CHECK(check(forged, ours) == "auth_ext_invalid_hmac");
  }
  CHECK(signing().signs());
  ours.signing->mode = SigningMode::permissive;
  CHECK(ours.signs());
  ours.signing->mode = SigningMode::receive_only;
  CHECK_FALSE(ours.signs());
  ours.signing.reset();
  CHECK(check({}, ours) == "accepted");  // who does not know of signatures reads over them
}

TEST_CASE("auth_hmac: keys change one after the other") {
  InstanceSettings ours = signing();
  Sent sent;
  sent.settings.signing = Signing{.keys = {{10, key_of(0x60)}}, .active_key = 10};
  CHECK(check(sent, ours) == "auth_ext_unknown_key");
  CHECK(sentence(outcome_of(sent, ours)).find("key 10") != std::string::npos);
  ours.signing->keys.push_back({10, key_of(0x60)});
  CHECK(check(sent, ours) == "accepted");
  CHECK(check({}, ours) == "accepted");
}

TEST_CASE("auth_hmac: the window is judged by both clocks, in both directions") {
  const InstanceSettings ours = signing();
  for (const int seconds : {-5, -1, 0, 5})
    CHECK(check({.at = kUtc + seconds * 1s}, ours) == "accepted");
  for (const int seconds : {-6, 6, -100'000, 100'000}) {
    CHECK(check({.at = kUtc + seconds * 1s}, ours) == "auth_ext_stale");
    const std::string why = sentence(outcome_of({.at = kUtc + seconds * 1s}, ours));
    CHECK(why.find(seconds < 0 ? "behind" : "ahead of") != std::string::npos);
    CHECK(why.find("NTP") != std::string::npos);
  }
  InstanceSettings patient = ours;
  patient.signing->window = 300s;
  CHECK(check({.at = kUtc - 300s}, patient) == "accepted");
  InstanceSettings monotonic = ours;
  monotonic.signing->anti_replay = AntiReplay::monotonic;
  CHECK(check({.at = kUtc - 100'000s}, monotonic) == "accepted");
}

TEST_CASE("auth_hmac: an advert counts once, for its sender") {
  InstanceSettings ours = signing();
  ProofMemory memory;
  note_proof(memory, kPeer, {.ah_sequence = 0, .stamp = stamp_of(kUtc), .key = 9});
  CHECK(check({.at = kUtc}, ours, memory) == "auth_ext_replay");
  CHECK(check({.at = kUtc - 1s}, ours, memory) == "auth_ext_replay");
  CHECK(check({.at = kUtc + 16us}, ours, memory) == "accepted");
  CHECK(check({.at = kUtc - 1s, .source = ip("192.0.2.8")}, ours, memory) == "accepted");
  // A sender whose clock went back beyond the window comes through once that is over.
  CHECK(check({.at = kUtc - 10s}, ours, memory, kUtc - 10s) == "accepted");
  ours.signing->anti_replay = AntiReplay::monotonic;
  CHECK(check({.at = kUtc - 10s}, ours, memory, kUtc - 10s) == "auth_ext_replay");
}

TEST_CASE("auth_hmac: what is remembered is bounded, the latest stay") {
  ProofMemory memory;
  for (std::uint8_t i = 1; i <= 10; ++i)
    note_proof(memory, IpAddress::v4({192, 0, 2, i}), {.ah_sequence = 0, .stamp = i, .key = 1});
  CHECK(memory.peers.size() == kMostSignedPeers);
  CHECK(signed_peer(memory, ip("192.0.2.10")) != nullptr);
  CHECK(signed_peer(memory, ip("192.0.2.6")) == nullptr);
  note_proof(memory, ip("192.0.2.7"), {.ah_sequence = 0, .stamp = 11, .key = 1});
  CHECK(memory.peers.size() == kMostSignedPeers);
  CHECK(memory.peers.back().stamp == 11);

  runtime::VrrpRecord record;
  put_proofs(memory, record);
  const auto kept = proofs_of(record);
  REQUIRE(kept);
  CHECK(kept->peers == std::vector(memory.peers.end() - 2, memory.peers.end()));
  memory = {.ah_sequence = 3, .sent = 4, .peers = {{ip("fe80::7"), 5, 6}}};
  put_proofs(memory, record = {});
  CHECK(proofs_of(record) == memory);
  CHECK_FALSE(proofs_of(runtime::VrrpRecord{}));
}

TEST_CASE("auth_hmac: moments of one sender only grow, but follow a clock that was set back") {
  Signing settings;
  CHECK(next_stamp(settings, 0, kUtc) == stamp_of(kUtc));
  CHECK(next_stamp(settings, stamp_of(kUtc), kUtc) == stamp_of(kUtc) + 1);
  CHECK(next_stamp(settings, stamp_of(kUtc), kUtc + 1s) == stamp_of(kUtc + 1s));
  CHECK(next_stamp(settings, stamp_of(kUtc), kUtc - 5s) == stamp_of(kUtc) + 1);
  CHECK(next_stamp(settings, stamp_of(kUtc), kUtc - 6s) == stamp_of(kUtc - 6s));
  settings.anti_replay = AntiReplay::monotonic;
  CHECK(next_stamp(settings, stamp_of(kUtc), kUtc - 6s) == stamp_of(kUtc) + 1);
  CHECK(is_after(Stamp{1}, ~Stamp{0}));  // in 2106
  CHECK(stamp_of(kUtc + 500ms) == (Stamp{1'700'000'000} << 32 | Stamp{0x8000} << 16));
}

TEST_CASE("auth_hmac: the two older forms of keepalived are named") {
  const InstanceSettings ours = signing();
  const auto old = [&](Stamp stamp) {
    const Sent sent{.is_signed = false};
    const Envelope envelope{3, sent.source, sent.destination};
    std::vector<std::uint8_t> bytes = bytes_of(sent);
    const SignedAdvert plain{
        bytes, {.scheme = 1, .key = 9, .reserved = 0, .stamp = stamp, .signature = {}}};
    const Signature signature =
        signature_of(plain, envelope, key_of(0x40), SignedChecksum::as_sent);
    append_trailer(bytes, envelope, {9, key_of(0x40)}, stamp);
    std::copy(signature.begin(), signature.end(), bytes.end() - 16);
    return check_advert(packet_of(sent, bytes), ours, kUs, {nullptr, kUtc});
  };
  const auto newer = old(stamp_of(kUtc + 500ms));
  CHECK(reason(newer) == "auth_ext_invalid_hmac");
  CHECK(sentence(newer).find("keepalived 2.4.1") != std::string::npos);
  const auto oldest = old(stamp_of(kUtc) + 3);  // seconds and a counter
  CHECK(sentence(oldest).find("keepalived 2.4.0") != std::string::npos);
}

TEST_CASE("auth_hmac: a backup hears, takes over and signs by the clock that it was told") {
  InstanceSettings settings = signing(2);
  Driver driver(Router({settings}));
  Actions actions;
  const Duration ahead = kUtc - t0.time_since_epoch();
  driver.handle(ClockTold{ahead}, t0, actions);
  driver.handle(InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = kUs}}, t0,
                actions);
  driver.handle(Startup{}, t0, actions);
  const auto hear = [&](Instant now) {
    const Sent sent{.settings = settings, .at = now.time_since_epoch() + ahead};
    const auto bytes = bytes_of(sent);
    driver.begin(now, Duration::zero(), actions);
    driver.receive(packet_of(sent, bytes), actions);
    driver.finish(actions);
  };
  hear(t0 + 1s);
  hear(t0 + 2s);
  const Instance& instance = *driver.router().instances().front();
  CHECK(instance.counters().adverts_received == 2);
  hear(t0 + 2s);
  CHECK(instance.counters().adverts_received == 2);
  CHECK(instance.counters().rejected[Objection::hmac_replay] == 1);

  actions.clear();
  const Instant due = *driver.deadline();
  driver.begin(due, Duration::zero(), actions);
  driver.finish(actions);
  REQUIRE(instance.state_name() == StateName::master);
  const auto& advert = std::get<SendAdvert>(actions.front());
  CHECK(advert.departure->protocol == kIpProtocolVrrp);
  const auto& payload = advert.departure->letters.at(0).payload;
  const auto split = split_trailer(payload, {2, kUs, vrrp_group()});
  REQUIRE(split);
  CHECK(split->trailer.stamp == stamp_of(due.time_since_epoch() + ahead));
  CHECK(split->trailer.signature == signature_of(*split, {2, kUs, vrrp_group()}, key_of(0x40)));
  CHECK(advert.departure->plain_letters().at(0).payload.size() == payload.size() - kTrailerBytes);
}

TEST_CASE("auth_hmac: frames that were captured from keepalived pass") {
  const auto file = std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "corpus" /
                    "golden" / "adverts-2.4.3.txt";
  std::ifstream lines(file);
  if (!lines) {
    MESSAGE("skipped: there is no ", file.string());
    return;
  }
  InstanceSettings ours = signing();
  ours.vrid = 51;
  ours.signing = Signing{.keys = {{1, key_of(0)}}, .active_key = 1};
  ours.signing->anti_replay = AntiReplay::monotonic;
  std::string line;
  std::string section;
  std::size_t passed = 0;
  ProofMemory memory;
  while (std::getline(lines, line)) {
    if (line.starts_with("== ")) section = line.substr(3);
    if ((section != "v2-hmac" && section != "v3-hmac") || !line.starts_with("ADVERT")) continue;
    ours.version = section == "v2-hmac" ? 2 : 3;
    const auto bytes = from_hex(line.substr(line.find_first_not_of(' ', 7) + 28));
    Received packet = *decode_ipv4(bytes);
    packet.interface = "eth0";
    const auto outcome = check_advert(packet, ours, kUs, {&memory, {}});
    REQUIRE(reason(outcome) == "accepted");
    note_proof(memory, packet.source, std::get<Accepted>(outcome).proof);
    CHECK(reason(check_advert(packet, ours, kUs, {&memory, {}})) == "auth_ext_replay");
    ++passed;
  }
  CHECK(passed == 4);
}
