// What an instance says of its peers, and how often.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/instance.hpp"

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

TEST_CASE("reports: another address list is told when it changes") {
  Bench bench;
  AdvertReceived event{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), true};
  event.advert.addresses = {ip("192.0.2.7")};
  CHECK(bench.step(event, t0) ==
        Lines{"problem address_list: 192.0.2.2 advertises other addresses than ours: 192.0.2.7"});
  CHECK(bench.step(event, t0 + 1s).empty());
  event.advert.addresses = {ip("192.0.2.8")};
  CHECK(bench.step(event, t0 + 11s).size() == 1);
  CHECK(bench.instance.counters().rejected[Objection::address_list] == 3);
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
  CHECK(told[0].ends_with("192.0.2.8 192.0.2.8 and 2 more"));
  CHECK(bench.step(event, t0 + 100s).empty());
}
