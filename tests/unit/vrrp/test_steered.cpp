// What an operator asks of a virtual router: another priority, and to leave its mastership.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/scenario/lines.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const IpAddress kPeer = ip("192.0.2.2");

InstanceSettings member(int number, const std::string& group) {
  InstanceSettings settings = everyday();
  settings.name = "VI_" + std::to_string(number);
  settings.vrid = static_cast<std::uint8_t>(50 + number);
  settings.sync_group = group;
  return settings;
}

struct Bench {
  Router router;
  Actions out;
  Instant now = t0;

  explicit Bench(std::vector<InstanceSettings> settings) : router(std::move(settings)) {
    step(
        InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}});
    step(Startup{});
    run_for(10s);
  }
  Lines step(const Event& event) {
    out.clear();
    router.step(event, now, out);
    return texts(out);
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    while (router.deadline() && *router.deadline() <= end) {
      now = std::max(now, *router.deadline());
      step(Tick{});
    }
    now = end;
  }
  const Instance& instance(std::size_t at = 0) { return *router.instances()[at]; }
  void steer(Steering steering, std::size_t at = 0) { step(Steered{instance(at).key(), steering}); }
  void hear(int priority, std::size_t at = 0) {
    step(AdvertReceived{.router = instance(at).key(),
                        .advert = advert_of(instance(at).settings(), priority),
                        .source = kPeer});
  }
  /// What adverts carried in the last step.
  std::vector<int> sent() const {
    std::vector<int> priorities;
    for (const Action& each : out)
      if (const auto* advert = std::get_if<SendAdvert>(&each))
        priorities.push_back(advert->priority);
    return priorities;
  }
};

}  // namespace

TEST_CASE("steered: a master that is asked to resign says so and takes its addresses off") {
  Bench bench({everyday()});
  REQUIRE(bench.instance().state_name() == StateName::master);

  bench.steer({.resigns = true});

  CHECK(bench.sent() == std::vector{0});
  CHECK(bench.instance().state_name() == StateName::backup);
  CHECK(bench.instance().why() == "an operator asked it to resign");
  CHECK_FALSE(bench.instance().holds_addresses());
}

TEST_CASE("steered: who has resigned leaves a weaker master alone, until that is taken back") {
  Bench bench({everyday()});
  bench.steer({.resigns = true});
  for (int second = 0; second < 20; ++second) {
    bench.hear(50);
    bench.run_for(1s);
  }
  CHECK(bench.instance().state_name() == StateName::backup);

  bench.steer({});
  for (int second = 0; second < 5; ++second) {
    bench.hear(50);
    bench.run_for(1s);
  }
  CHECK(bench.instance().state_name() == StateName::master);
}

TEST_CASE("steered: who has resigned serves again when nobody else does") {
  Bench bench({everyday()});
  bench.steer({.resigns = true});
  bench.run_for(4s);
  CHECK(bench.instance().state_name() == StateName::master);

  bench.steer({.resigns = true});
  CHECK(bench.instance().state_name() == StateName::master);
}

TEST_CASE("steered: points count with what is tracked, at once on the wire, and say so") {
  Bench bench({everyday()});

  bench.steer({.adds = -50});
  CHECK(bench.sent() == std::vector{50});
  CHECK(bench.instance().effective_priority() == 50);
  CHECK(bench.instance().priority_sum() == "100 - 50 (asked for by an operator) = 50");

  bench.steer({.adds = 200});
  CHECK(bench.instance().effective_priority() == 254);
  bench.steer({});
  CHECK(bench.instance().effective_priority() == 100);
  CHECK(bench.instance().priority_sum() == "");
}

TEST_CASE("steered: an owner stays 255") {
  InstanceSettings owner = everyday();
  owner.priority = 255;
  Bench bench({owner});

  bench.steer({.adds = -50});

  CHECK(bench.instance().effective_priority() == 255);
}

TEST_CASE("steered: a reload and a copy leave it as it is") {
  Bench bench({everyday()});
  bench.steer({.adds = -20, .resigns = true});
  InstanceSettings next = everyday();
  next.priority = 120;

  bench.step(Reload{{next}});

  CHECK(bench.instance().steering() == Steering{.adds = -20, .resigns = true});
  CHECK(bench.instance().effective_priority() == 100);
  CHECK(Router(bench.router.situation()).situation() == bench.router.situation());
}

TEST_CASE("steered: a sync group resigns together, each with a priority 0 of its own") {
  Bench bench({member(1, "G"), member(2, "G"), member(3, "")});
  for (std::size_t at = 0; at < 3; ++at)
    REQUIRE(bench.instance(at).state_name() == StateName::master);

  bench.steer({.resigns = true}, 1);

  CHECK(bench.sent() == std::vector{0, 0});
  CHECK(bench.instance(0).state_name() == StateName::backup);
  CHECK(bench.instance(1).state_name() == StateName::backup);
  CHECK(bench.instance(2).state_name() == StateName::master);
  CHECK(bench.instance(0).steering().resigns);

  bench.steer({}, 0);
  CHECK_FALSE(bench.instance(1).steering().resigns);
}

TEST_CASE("steered: a successor of the process that resigned does not resign again") {
  Bench bench({member(1, "G"), member(2, "G")});

  bench.step(Steered{bench.instance().key(), {.resigns = true}, true});

  CHECK(bench.sent().empty());
  CHECK(bench.instance(0).state_name() == StateName::master);
  CHECK(bench.instance(1).state_name() == StateName::master);
  CHECK(bench.instance(1).steering().resigns);
}

TEST_CASE("steered: points of before are in the priority of the page, until all terms are known") {
  InstanceSettings settings = everyday();
  const TrackerId script{TrackerKind::script, "chk"};
  settings.trackers = {{.id = script, .weight = -30}};
  Router router({settings});
  Actions out;
  const RouterKey key = settings.key();
  router.step(ResumeFromPage{.router = key,
                             .became_master_at = t0 - 60s,
                             .last_advert_at = t0 - 400ms,
                             .priority = 60},
              t0, out);
  router.step(
      InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
      t0, out);
  router.step(Startup{}, t0, out);
  router.step(Steered{key, {.adds = -10}, true}, t0, out);
  const auto priority = [&] { return int{router.instances()[0]->effective_priority()}; };
  REQUIRE(router.instances()[0]->state_name() == StateName::master);
  CHECK(priority() == 60);

  router.step(Steered{key, {.adds = -15}}, t0, out);  // an order of today
  CHECK(priority() == 55);

  router.step(TrackerReported{script, Verdict::bad}, t0, out);
  CHECK(priority() == 55);  // 100 - 30 - 15
  router.step(TrackerReported{script, Verdict::good}, t0, out);
  CHECK(priority() == 85);
}

TEST_CASE("steered: points on a priority of before come back whole, and an owner stays one") {
  InstanceSettings settings = everyday();
  settings.trackers = {{.id = {TrackerKind::script, "chk"}, .weight = -30}};
  const RouterKey key = settings.key();
  const auto resumed = [&](std::uint8_t own, std::uint8_t before) {
    settings.priority = own;
    Router router({settings});
    Actions out;
    router.step(ResumeFromPage{.router = key,
                               .became_master_at = t0 - 60s,
                               .last_advert_at = t0 - 400ms,
                               .priority = before},
                t0, out);
    router.step(
        InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
        t0, out);
    router.step(Startup{}, t0, out);
    return router;
  };
  Actions out;
  Router weak = resumed(40, 10);
  const auto priority_of = [](const Router& router) {
    return int{router.instances()[0]->effective_priority()};
  };
  weak.step(Steered{key, {.adds = -20}}, t0, out);
  CHECK(priority_of(weak) == 1);
  CHECK(Router(weak.situation()).situation() == weak.situation());
  weak.step(Steered{key, {}}, t0, out);
  CHECK(priority_of(weak) == 10);

  Router owner = resumed(255, 255);
  owner.step(Steered{key, {.resigns = true}}, t0, out);
  CHECK(priority_of(owner) == 255);
}

TEST_CASE("steered: a recording has it") {
  const Event event = Steered{everyday().key(), {.adds = -20, .resigns = true}};
  const std::string line = scenario::event_text(event);
  CHECK(line.starts_with("steered "));
  CHECK(line.find("steering.adds=-20") != std::string::npos);
  CHECK(line.find("steering.resigns=yes") != std::string::npos);
}
