#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/driver.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};

struct Bench {
  Driver driver{Router({everyday()})};
  Actions out;
  Bench() {
    driver.handle(
        InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
        t0, out);
    driver.handle(Startup{}, t0, out);
    out.clear();
  }
  Lines wake(Instant now, const std::vector<std::vector<std::uint8_t>>& packets = {},
             Duration uncounted = 0s) {
    out.clear();
    driver.begin(now, uncounted, out);
    for (const auto& payload : packets)
      driver.receive({"eth0", core::Family::v4, ip("192.0.2.2"), vrrp_group(), 255, payload}, out);
    driver.finish(out);
    Actions answers;
    for (const Action& action : out) {
      if (const auto* advert = std::get_if<SendAdvert>(&action))
        driver.answer(AdvertSent{everyday().key(), advert->priority}, answers);
    }
    return texts(out);
  }
  const Instance& instance() { return *driver.router().instances().front(); }
};

std::vector<std::uint8_t> packet(int priority, std::uint8_t vrid = 51) {
  auto settings = everyday();
  settings.vrid = vrid;
  std::vector<std::uint8_t> bytes;
  encode_advert(make_advert(settings, static_cast<std::uint8_t>(priority)), bytes);
  return bytes;
}

}  // namespace

TEST_CASE(
    "driver: packets of one wake-up are heard before its tick: a late look at a living master is "
    "no takeover") {
  Bench bench;
  CHECK(bench.wake(t0 + 3'700ms, {packet(200)}).empty());
  CHECK(bench.instance().state_name() == StateName::backup);
}

TEST_CASE(
    "driver: a backup that slept through its deadline listens again, with and without packets") {
  Bench bench;
  CHECK(bench.wake(t0 + 10s).empty());
  CHECK(bench.driver.deadline() == t0 + 10s + 3'609'375us);
}

TEST_CASE("driver: a master that slept yields before it speaks") {
  Bench bench;
  bench.wake(t0 + 3'609'375us);
  REQUIRE(bench.instance().state_name() == StateName::master);

  const auto lines = bench.wake(t0 + 20s, {packet(50)});

  CHECK(lines.front() == "withdraw");
  CHECK(std::find(lines.begin(), lines.end(), "send advert priority 100") == lines.end());
}

TEST_CASE("driver: a suspend that the monotonic clock did not count is noticed") {
  Bench bench;
  bench.wake(t0 + 3'609'375us);
  CHECK(bench.wake(t0 + 3'700ms, {}, 60s).front() == "withdraw");
}

TEST_CASE("driver: what belongs to nobody is counted and silent") {
  Bench bench;
  auto broken = packet(200);
  broken.resize(1);
  CHECK(bench.wake(t0 + 1s, {packet(200, 52), broken}).empty());
  const auto strays = bench.driver.router().strays("eth0");
  CHECK(strays[Objection::unknown_vrid] == 1);
  CHECK(strays[DecodeError::truncated] == 1);
}

TEST_CASE("driver: a rejected packet of ours is counted with its reason and changes nothing") {
  Bench bench;
  auto wrong = packet(200);
  wrong[7] ^= 0x40;
  CHECK(bench.wake(t0 + 1s, {wrong}) ==
        Lines{"problem bad_checksum: 192.0.2.2 sends a wrong checksum: damaged on the way"});
  CHECK(bench.driver.deadline() == t0 + 3'609'375us);
}

TEST_CASE(
    "driver: an advert departs with all that its sender needs, and a counting identification") {
  Bench bench;
  bench.wake(t0 + 3'609'375us);
  const auto first = std::get<SendAdvert>(bench.out.front());
  CHECK(first.router->key == everyday().key());
  CHECK(first.router->name == "VI_1");
  CHECK(first.departure->source == ip("192.0.2.1"));
  REQUIRE(first.departure->letters.size() == 1);
  CHECK(first.departure->letters[0].destination == vrrp_group());
  CHECK(first.departure->hop_limit == 255);
  CHECK(*decode_advert(first.departure->letters[0].payload) == make_advert(everyday(), 100));
  CHECK(first.identification == 1);

  bench.wake(t0 + 4'609'375us);
  CHECK(std::get<SendAdvert>(bench.out.front()).identification == 2);
  CHECK(std::get<SendAdvert>(bench.out.front()).departure == first.departure);
}

TEST_CASE(
    "driver: what is heard in several wake-ups is judged at the time of the first: silence since "
    "then proves nothing") {
  Bench bench;
  const Instant down_at = t0 + 3'609'375us;
  bench.out.clear();
  bench.driver.begin(down_at - 1ms, 0s, bench.out);  // and goes on
  bench.driver.begin(down_at + 1ms, 0s, bench.out);

  bench.driver.finish(down_at - 1ms, bench.out);

  CHECK(bench.instance().state_name() == StateName::backup);
  CHECK(bench.driver.deadline() == down_at);
  bench.driver.finish(bench.out);
  CHECK(bench.instance().state_name() == StateName::master);
}
