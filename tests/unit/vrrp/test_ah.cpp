// keepalived's `auth_type AH`: bytes, checks, numbers.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/ah.hpp"
#include "vrrp/core/driver.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/proof_page.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

const IpAddress kUs = ip("192.0.2.7");
const IpAddress kPeer = ip("192.0.2.8");
const Instant t0{1h};

InstanceSettings protected_by(std::string_view password) {
  InstanceSettings settings = everyday();
  settings.authentication = Authentication::header(password);
  return settings;
}

std::string reason(const std::variant<Accepted, Rejected>& outcome) {
  const auto* rejected = std::get_if<Rejected>(&outcome);
  return rejected == nullptr ? "accepted" : std::string(to_string(rejected->reason));
}

/// A packet with its own memory.
struct Packet {
  std::vector<std::uint8_t> bytes;
  [[nodiscard]] Received received() const {
    Received all = *decode_ipv4(bytes);
    all.interface = "eth0";
    return all;
  }
};

/// What `settings` would send from `source`.
Packet packet_of(const InstanceSettings& settings, int priority, std::uint32_t sequence,
                 const IpAddress& source = kPeer, const IpAddress& to = vrrp_group()) {
  Departure departure{.source = source, .hop_limit = 255, .letters = {}};
  Letter& letter = departure.letters.emplace_back(Letter{to, {}});
  encode_advert(make_advert(settings, static_cast<std::uint8_t>(priority)), letter.payload);
  if (settings.has_header()) {
    departure.protocol = kIpProtocolAh;
    put_ah(letter.payload, sequence, {source, to, 17, 255}, settings.authentication.data);
  }
  Packet packet;
  encode_ipv4(departure, letter, 17, packet.bytes);
  return packet;
}

std::string check(const Packet& packet, const InstanceSettings& ours, std::uint32_t last = 0) {
  const ProofMemory memory{.ah_sequence = last, .sent = 0, .peers = {}};
  return reason(check_advert(packet.received(), ours, kUs, {&memory, {}}));
}

/// One director on eth0 that is told things.
struct Director {
  explicit Director(InstanceSettings settings) : driver(Router({std::move(settings)})) {
    driver.handle(InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = kUs}},
                  t0, actions);
  }
  void start() {
    driver.handle(Startup{}, t0, actions);
    answer();
  }
  void hear(const Packet& packet, Instant now) {
    driver.begin(now, Duration::zero(), actions);
    driver.receive(packet.received(), actions);
    driver.finish(actions);
    answer();
  }
  /// All that it sends leaves, or nothing does.
  void answer() {
    for (; answered < actions.size(); ++answered) {
      const auto* sent = std::get_if<SendAdvert>(&actions[answered]);
      if (sent == nullptr) continue;
      const RouterKey key = sent->router->key;
      const std::uint8_t priority = sent->priority;
      if (can_send) {
        driver.answer(AdvertSent{key, priority}, actions);
      } else {
        driver.answer(AdvertRefused{key, priority, "Operation not permitted"}, actions);
      }
    }
  }
  void run_until(Instant end) {
    while (driver.deadline() && *driver.deadline() <= end) {
      const Instant now = *driver.deadline();
      driver.begin(now, Duration::zero(), actions);
      driver.finish(actions);
      answer();
    }
  }
  /// The numbers of all adverts that left since the last call.
  std::vector<std::uint32_t> numbers() {
    std::vector<std::uint32_t> all;
    for (const Action& action : actions) {
      if (const auto* sent = std::get_if<SendAdvert>(&action)) {
        CHECK(sent->departure->protocol == kIpProtocolAh);
        all.push_back(decode_ah(sent->departure->letters.at(0).payload)->header.sequence);
      }
    }
    actions.clear();
    answered = 0;
    return all;
  }
  [[nodiscard]] const Instance& instance() const { return *driver.router().instances().front(); }

  Driver driver;
  Actions actions;
  std::size_t answered = 0;
  bool can_send = true;
};

}  // namespace

TEST_CASE(
    "AH: bytes to the group, and to a peer where the TTL does not count [RFC2402-3.3.3.1.1]") {
  InstanceSettings settings = everyday();
  settings.vrid = 77;
  settings.authentication = Authentication::header("horse");
  settings.addresses = {{.prefix = {ip("192.0.2.77"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  std::vector<std::uint8_t> plain;
  encode_advert(make_advert(settings, 120), plain);

  // Made by another program from the description of the format.
  auto bytes = plain;
  put_ah(bytes, 9, {kUs, vrrp_group(), 5, 255}, settings.authentication.data);
  CHECK(bytes == from_hex("70040000c000020700000009799bda458bdb035c797e34e2"
                          "214d78010201a262c000024d0000000000000000"));
  for (const std::uint8_t ttl : {std::uint8_t{255}, std::uint8_t{64}}) {
    bytes = plain;
    put_ah(bytes, 9, {kUs, kPeer, 5, ttl}, settings.authentication.data);
    CHECK(bytes == from_hex("70040000c000020700000009248d3274e3b32f5d1a1482a1"
                            "214d78010201a262c000024d0000000000000000"));
  }
}

TEST_CASE("AH: a frame of keepalived 2.2.7 is accepted, and ours is the same") {
  const Packet theirs{
      from_hex("45c0004000010000ff3318b6c0000201e000001270040000c000020100000001f72df28b26f90d2a"
               "61bb5d4a213763010201b743c00002820000000000000000")};
  InstanceSettings settings = protected_by("secret12");
  settings.vrid = 55;
  settings.addresses = {{.prefix = {ip("192.0.2.130"), 32},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  CHECK(check(theirs, settings) == "accepted");

  Director director(settings);
  director.driver.handle(
      InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
      t0, director.actions);
  director.start();
  director.run_until(t0 + 3700ms);
  const auto sent =
      std::find_if(director.actions.begin(), director.actions.end(),
                   [](const Action& action) { return std::holds_alternative<SendAdvert>(action); });
  REQUIRE(sent != director.actions.end());
  const auto& advert = std::get<SendAdvert>(*sent);
  auto ours = advert.departure->letters.at(0).payload;
  CHECK(std::vector(ours.begin(), ours.begin() + 12) ==
        std::vector(theirs.bytes.begin() + 20, theirs.bytes.begin() + 32));
  CHECK(advert.identification == 1);
}

TEST_CASE("AH: every changed byte is refused, and for its own reason") {
  const InstanceSettings settings = protected_by("horse");
  const Packet sound = packet_of(settings, 120, 9);
  CHECK(check(sound, settings) == "accepted");

  std::set<std::string> reasons;
  for (std::size_t i = 0; i < sound.bytes.size(); ++i) {
    const bool may_change = i == 1 || i == 6 || i == 7 || i == 10 || i == 11;  // on its way
    if (i == 0 || i == 2 || i == 3 || i == 9 || may_change)
      continue;  // see the cases of the header
    Packet changed = sound;
    changed.bytes[i] ^= 1;
    const std::string why = check(changed, settings);
    CHECK_MESSAGE(why != "accepted", "byte ", i);
    if (i >= 24 && i < 44) CHECK(why == "ah_invalid");
    reasons.insert(why);
  }
  const std::set<std::string> expected{"ah_invalid", "bad_ah",   "bad_checksum", "bad_destination",
                                       "bad_ttl",    "bad_type", "no_addresses"};
  CHECK(reasons == expected);
}

TEST_CASE("AH: another password, none at all, and one that we do not ask for are told apart") {
  const InstanceSettings ours = protected_by("horse");
  CHECK(check(packet_of(protected_by("house"), 120, 9), ours) == "ah_invalid");
  CHECK(check(packet_of(everyday(), 120, 0), ours) == "authentication_type");
  CHECK(check(packet_of(ours, 120, 9), everyday()) == "authentication_type");

  const Packet bare = packet_of(everyday(), 120, 0);
  const auto outcome = check_advert(bare.received(), ours, kUs);
  CHECK(std::get<Rejected>(outcome).sentence.find("auth_type AH") != std::string::npos);
}

TEST_CASE("AH: IP options, another algorithm and what is no VRRP are no headers of ours") {
  const Packet sound = packet_of(protected_by("horse"), 120, 9);
  Packet options = sound;
  options.bytes[0] = 0x46;
  CHECK(decode_ipv4(options.bytes).error() == DecodeError::bad_ah);
  for (const std::size_t offset : {20, 21, 22, 23}) {  // next header, length, reserved
    Packet other = sound;
    other.bytes[offset] ^= 1;
    CHECK(check(other, protected_by("horse")) == "bad_ah");
  }
  Packet cut = sound;
  cut.bytes.resize(20 + kAhBytes - 1);
  cut.bytes[3] = static_cast<std::uint8_t>(cut.bytes.size());
  CHECK(check(cut, protected_by("horse")) == "bad_ah");
}

TEST_CASE("AH: a number counts once, and begins anew only after the last one [RFC2402-3.4.3]") {
  const InstanceSettings settings = protected_by("horse");
  const auto number = [&](std::uint32_t sequence, std::uint32_t last) {
    return check(packet_of(settings, 120, sequence), settings, last);
  };
  CHECK(number(1, 0) == "accepted");
  CHECK(number(0xffffffff, 0) == "accepted");  // nothing was heard yet
  CHECK(number(0, 0) == "ah_replay");
  CHECK(number(12, 11) == "accepted");
  CHECK(number(11, 11) == "ah_replay");
  CHECK(number(3, 11) == "ah_replay");
  CHECK(number(0xffffffff, 0xfffffffe) == "accepted");
  CHECK(number(1, 0xffffffff) == "accepted");
  CHECK(number(0xffffffff, 1) == "ah_replay");
  CHECK(number_after(0xffffffff) == 1);
}

TEST_CASE("AH: a new master counts on from what it heard") {
  const InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  for (std::uint32_t sequence = 1; sequence <= 5; ++sequence)
    director.hear(packet_of(settings, 120, sequence), t0 + sequence * 1s);
  CHECK(director.numbers().empty());
  director.run_until(t0 + 10s);
  REQUIRE(director.instance().state_name() == StateName::master);
  CHECK(director.numbers() == std::vector<std::uint32_t>{6, 7});
}

TEST_CASE("AH: a master that hears a weaker one with higher numbers goes on above them") {
  InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  director.run_until(t0 + 4s);
  REQUIRE(director.instance().state_name() == StateName::master);
  CHECK(director.numbers() == std::vector<std::uint32_t>{1});

  director.hear(packet_of(settings, 50, 12), t0 + 4s);

  CHECK(director.numbers() == std::vector<std::uint32_t>{13});  // at once, so that it yields
}

TEST_CASE("AH: numbers of adverts that never left do not count") {
  const InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  director.hear(packet_of(settings, 120, 5), t0 + 1s);
  director.can_send = false;
  director.run_until(t0 + 20s);
  REQUIRE(director.instance().state_name() == StateName::master);
  const auto numbers = director.numbers();
  CHECK(numbers.size() > 10);
  CHECK(std::set<std::uint32_t>(numbers.begin(), numbers.end()) == std::set<std::uint32_t>{6});

  director.hear(packet_of(settings, 50, 6), t0 + 20s);  // somebody else serves meanwhile

  CHECK(director.instance().counters().rejected[Objection::ah_replay] == 0);
  CHECK(director.instance().state_name() == StateName::fault);
}

TEST_CASE("AH: an old advert again neither keeps a backup quiet nor wakes it") {
  const InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  const Packet once = packet_of(settings, 120, 5);
  director.hear(once, t0 + 1s);
  const auto deadline = director.driver.deadline();

  for (int i = 0; i < 3; ++i) director.hear(once, t0 + 2s + i * 100ms);

  CHECK(director.driver.deadline() == deadline);
  CHECK(director.instance().counters().rejected[Objection::ah_replay] == 3);
}

TEST_CASE("AH: who forges a header moves no number") {
  const InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  director.hear(packet_of(protected_by("house"), 120, 1'000'000), t0 + 1s);
  director.hear(packet_of(settings, 120, 5), t0 + 2s);
  CHECK(director.instance().counters().rejected[Objection::ah_invalid] == 1);
  REQUIRE(director.instance().proofs());
  CHECK(director.instance().proofs()->ah_sequence == 5);
}

TEST_CASE("AH: an owner that comes back listens first and goes on above the last number") {
  InstanceSettings settings = protected_by("horse");
  settings.priority = 255;
  Director director(settings);
  director.start();
  CHECK(director.instance().state_name() == StateName::backup);
  director.hear(packet_of(settings, 100, 41), t0 + 1s);
  director.run_until(t0 + 3500ms);
  CHECK(director.instance().state_name() == StateName::master);
  CHECK(director.numbers() == std::vector<std::uint32_t>{42});
}

TEST_CASE("AH: an owner whose process died goes on at once, from the page") {
  InstanceSettings settings = protected_by("horse");
  settings.priority = 255;
  runtime::VrrpRecord record;
  put_proofs({.ah_sequence = 41, .sent = 0, .peers = {}}, record);
  Director director(settings);
  director.driver.handle(RecallProofs{settings.key(), *proofs_of(record)}, t0, director.actions);
  director.start();
  CHECK(director.instance().state_name() == StateName::master);
  CHECK(director.numbers() == std::vector<std::uint32_t>{42});
}

TEST_CASE("AH: what is remembered is handed on, and a reload without AH forgets it") {
  InstanceSettings settings = protected_by("horse");
  Director director(settings);
  director.start();
  director.hear(packet_of(settings, 120, 5), t0 + 1s);
  const auto remembered =
      std::find_if(director.actions.rbegin(), director.actions.rend(),
                   [](const Action& action) { return std::holds_alternative<Remember>(action); });
  REQUIRE(remembered != director.actions.rend());
  REQUIRE(std::get<Remember>(*remembered).proofs);
  CHECK(std::get<Remember>(*remembered).proofs->ah_sequence == 5);

  settings.priority = 90;
  director.driver.handle(Reload{{settings}}, t0 + 2s, director.actions);
  REQUIRE(director.instance().proofs());
  settings.authentication = {};
  director.driver.handle(Reload{{settings}}, t0 + 3s, director.actions);
  CHECK_FALSE(director.instance().proofs());
}

TEST_CASE("AH: frames that were captured from keepalived pass") {
  const auto file = std::filesystem::path(HOLDFAST_SOURCE_DIR) / ".." / "shared" / "corpus" /
                    "golden" / "adverts-2.4.3.txt";
  std::ifstream lines(file);
  if (!lines) {
    MESSAGE("skipped: there is no ", file.string());
    return;
  }
  InstanceSettings settings = protected_by("s3cret");
  std::string line;
  std::string section;
  std::uint32_t last = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with("== ")) section = line.substr(3);
    if (section != "v2-ah" || !line.starts_with("ADVERT")) continue;
    const Packet packet{from_hex(line.substr(line.find_first_not_of(' ', 7) + 28))};
    const ProofMemory memory{.ah_sequence = last, .sent = 0, .peers = {}};
    const auto outcome = check_advert(packet.received(), settings, kUs, {&memory, {}});
    REQUIRE(reason(outcome) == "accepted");
    last = std::get<Accepted>(outcome).proof.ah_sequence;
  }
  CHECK(last == 2);
}
