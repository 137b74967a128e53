// What an instance says of its peers, and how often.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/instance.hpp"
#include "vrrp/core/router.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const RouterKey kKey = everyday().key();

/// A backup.
struct Bench {
  Instance instance{everyday()};
  Actions out;

  Bench() {
    instance.step(InterfaceReport{InterfaceStatus{
                      .exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
                  t0, out);
    instance.step(Startup{}, t0, out);
  }
  Lines step(const InstanceEvent& event, Instant now) {
    out.clear();
    instance.step(event, now, out);
    return texts(out);
  }
};

}  // namespace

TEST_CASE("reports: a peer's problem is told at once, then once a minute, and always counted") {
  Bench bench;
  const AdvertRejected event{kKey, {Objection::interval_mismatch, ip("192.0.2.2"), "is odd"}};
  CHECK(bench.step(event, t0) == Lines{"problem interval_mismatch: 192.0.2.2 is odd"});
  CHECK(bench.step(event, t0 + 59s).empty());
  CHECK(bench.step(event, t0 + 60s).size() == 1);
  CHECK(bench.instance.counters().rejected[Objection::interval_mismatch] == 3);
}

TEST_CASE("reports: each peer has a line and a count of its own") {
  Bench bench;
  const auto odd = [](const char* peer) {
    return AdvertRejected{kKey, {DecodeError::bad_version, ip(peer), "is odd"}};
  };
  CHECK(bench.step(odd("192.0.2.2"), t0) == Lines{"problem bad_version: 192.0.2.2 is odd"});
  CHECK(bench.step(odd("192.0.2.3"), t0 + 1s) == Lines{"problem bad_version: 192.0.2.3 is odd"});
  CHECK(bench.step(odd("192.0.2.2"), t0 + 2s).empty());

  const PeerRemarks& remarks = *bench.instance.remarks();
  REQUIRE(remarks.size() == 2);
  CHECK(remarks[0] == PeerRemark{.reason = DecodeError::bad_version,
                                 .peer = ip("192.0.2.2"),
                                 .count = 2,
                                 .heard_at = t0 + 2s,
                                 .told_at = t0,
                                 .sentence = "is odd"});
  CHECK(remarks[1].count == 1);
}

TEST_CASE("reports: a forger with ever new addresses has few lines and little memory") {
  Bench bench;
  std::size_t lines = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto peer = IpAddress::v4(
        {10, 0, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)});
    const RejectReason reason =
        i % 2 == 0 ? RejectReason(DecodeError::bad_checksum) : RejectReason(Objection::bad_ttl);
    lines +=
        bench.step(AdvertRejected{kKey, {reason, peer, "is odd"}}, t0 + i * Duration(1ms)).size();
  }
  CHECK(lines == kMostRemarks + 2);
  CHECK(bench.instance.remarks()->size() == kMostRemarks + 2);
  CHECK(bench.instance.counters().rejected[Objection::bad_ttl] == 5000);

  // An hour later they are over, and somebody new has an entry of its own.
  CHECK(bench.step(AdvertRejected{kKey, {Objection::bad_ttl, ip("192.0.2.3"), "is odd"}}, t0 + 1h)
            .size() == 1);
  CHECK(bench.instance.remarks()->back().peer == ip("192.0.2.3"));
  CHECK(bench.instance.remarks()->size() == kMostRemarks + 2);
}

TEST_CASE("reports: an advert in order ends what was said about its sender, and only that") {
  Bench bench;
  const auto last = [&] { return lasts(bench.instance.remarks()->back(), t0 + 2s); };
  bench.step(AdvertRejected{kKey, {Objection::bad_ttl, ip("192.0.2.2"), "is odd"}}, t0);
  bench.step(AdvertReceived{kKey, advert_of(everyday(), 200), ip("192.0.2.3"), false}, t0 + 1s);
  CHECK(last());
  bench.step(AdvertReceived{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), false}, t0 + 1s);
  CHECK_FALSE(last());
  PeerRemark old;
  old.heard_at = t0;
  CHECK_FALSE(lasts(old, t0 + kRemarkLasts));
}

TEST_CASE("reports: beside a foreign speaker a keepalived master may fall silent") {
  Bench bench;
  const auto odd = [](RejectReason reason, const char* peer) {
    return AdvertRejected{kKey, {reason, ip(peer), "is odd"}};
  };
  bench.step(AdvertReceived{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), false}, t0);

  CHECK(bench.step(odd(DecodeError::carp, "192.0.2.3"), t0 + 1s) ==
        Lines{"problem carp: 192.0.2.3 is odd; if 192.0.2.2 is keepalived, it begins its interval "
              "anew at each such packet and may fall silent although it lives"});
  // What the master itself sends, what keepalived takes, and what comes when no master is heard.
  CHECK(bench.step(odd(DecodeError::bad_version, "192.0.2.2"), t0 + 1s)[0].ends_with("is odd"));
  CHECK(bench.step(odd(Objection::bad_destination, "192.0.2.3"), t0 + 1s)[0].ends_with("is odd"));
  CHECK(bench.step(odd(DecodeError::bad_type, "192.0.2.3"), t0 + 90s).size() == 1);
}

TEST_CASE("reports: who has not spoken hears no echo but a second host with its address") {
  Bench bench;
  const AdvertRejected ours{kKey, {Objection::own_source, ip("192.0.2.1"), "is our echo"}};
  const Lines told = bench.step(ours, t0);
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("problem duplicate_address: 192.0.2.1 sends from our own address"));

  bench.step(Tick{}, t0 + 4s);
  bench.step(AdvertSent{kKey, 100}, t0 + 4s);
  CHECK(bench.step(ours, t0 + 4s) == Lines{"problem own_source: 192.0.2.1 is our echo"});
}

TEST_CASE("reports: an IPv6 list that does not begin with a link-local address is told") {
  InstanceSettings settings = everyday();
  settings.family = core::Family::v6;
  settings.version = 3;
  settings.addresses = {{.prefix = {ip("fe80::100"), 128},
                         .interface = {},
                         .label = {},
                         .broadcast = {},
                         .scope = {}}};
  Instance instance{settings};
  Actions out;
  instance.step(
      InterfaceReport{InterfaceStatus{
          .exists = true, .up = true, .primary_address = {}, .link_local = ip("fe80::1")}},
      t0, out);
  instance.step(Startup{}, t0, out);
  Advert advert = advert_of(settings, 200);
  out.clear();
  instance.step(AdvertReceived{instance.key(), advert, ip("fe80::2"), false}, t0, out);
  CHECK(texts(out).empty());

  advert.addresses = {ip("2001:db8::1"), ip("fe80::100")};
  instance.step(AdvertReceived{instance.key(), advert, ip("fe80::2"), false}, t0, out);
  REQUIRE(texts(out).size() == 1);
  CHECK(texts(out)[0].starts_with(
      "problem first_address: fe80::2 advertises 2001:db8::1 as its first address"));
}

TEST_CASE("reports: another address list is told when it changes") {
  Bench bench;
  AdvertReceived event{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), true};
  event.advert.addresses = {ip("192.0.2.7")};
  CHECK(bench.step(event, t0) ==
        Lines{"problem address_list: 192.0.2.2 advertises other addresses than ours, without "
              "192.0.2.100, with 192.0.2.7: give one of you another virtual_router_id if these "
              "are two virtual routers, or else both the same list, because keepalived before "
              "2.3.3 refuses another"});
  CHECK(bench.step(event, t0 + 1s).empty());
  event.advert.addresses = {ip("192.0.2.8")};
  CHECK(bench.step(event, t0 + 11s).size() == 1);
  CHECK(bench.instance.counters().rejected[Objection::address_list] == 3);
}

TEST_CASE("reports: skip_check_adv_addr looks at the list of a new sender only") {
  InstanceSettings settings = everyday();
  settings.address_list_check = AddressListCheck::new_sender;
  Router router({settings});
  Actions out;
  router.step(
      InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
      t0, out);
  router.step(Startup{}, t0, out);
  const auto lines_of = [&](std::string_view sender, Duration after) {
    AdvertReceived event{kKey, advert_of(settings, 200), ip(sender), true};
    event.advert.addresses = {ip(after < 20s ? "192.0.2.7" : "192.0.2.8")};
    out.clear();
    router.step(event, t0 + after, out);
    return texts(out).size();
  };

  CHECK(lines_of("192.0.2.2", 0s) == 1);
  CHECK(lines_of("192.0.2.2", 30s) == 0);  // another list of the same sender
  CHECK(router.instances().front()->counters().rejected[Objection::address_list] == 1);
  CHECK(lines_of("192.0.2.3", 60s) == 1);
}

TEST_CASE("reports: who changes the address list with every advert is told every ten seconds") {
  Bench bench;
  AdvertReceived event{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), true};
  std::size_t lines = 0;
  for (int i = 0; i < 6000; ++i) {
    event.advert.addresses = {i % 2 == 0 ? ip("192.0.2.7") : ip("192.0.2.8")};
    event.source = i % 3 == 0 ? ip("192.0.2.2") : ip("192.0.2.3");
    event.address_list_differs = i % 5 != 0;
    lines += bench.step(event, t0 + i * Duration(10ms)).size();
  }
  CHECK(lines == 6);
  CHECK(bench.instance.counters().rejected[Objection::address_list] == 4800);
}

TEST_CASE("reports: a change of the address list that stays is told although it came too soon") {
  Bench bench;
  AdvertReceived event{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), true};
  event.advert.addresses = {ip("192.0.2.7")};
  CHECK(bench.step(event, t0).size() == 1);
  event.advert.addresses = std::vector<IpAddress>(12, ip("192.0.2.8"));
  CHECK(bench.step(event, t0 + 3s).empty());
  CHECK(bench.step(event, t0 + 9s).empty());
  const Lines told = bench.step(event, t0 + 10s);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("192.0.2.8 192.0.2.8 and 2 more: give one") != std::string::npos);
  CHECK(bench.step(event, t0 + 100s).empty());
}
