// What is tracked: the sum, faults with a source each, and how an instance and the router follow.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/core/timing.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const TrackerId kChk{TrackerKind::script, "chk"};
const TrackerId kEth1{TrackerKind::interface, "eth1"};
const TrackerId kEth2{TrackerKind::interface, "eth2"};

Tracker tracker(const TrackerId& id, int weight, Reverse reverse = Reverse::no) {
  return {.id = id, .weight = static_cast<std::int16_t>(weight), .reverse = reverse};
}

InstanceSettings tracking(std::vector<Tracker> trackers) {
  InstanceSettings settings = everyday();
  settings.trackers = std::move(trackers);
  return settings;
}

InterfaceStatus link(bool up) {
  return {.exists = true, .up = up, .primary_address = {}};
}

/// One instance on eth0; eth1 and eth2 are up.
struct Bench {
  Router router;
  Instant now = t0;
  Actions out;

  explicit Bench(const InstanceSettings& settings, bool start = true) : router({settings}) {
    step(
        InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}});
    step(InterfaceChanged{"eth1", link(true)});
    step(InterfaceChanged{"eth2", link(true)});
    if (start) step(Startup{});
  }
  Lines step(const Event& event) {
    out.clear();
    router.step(event, now, out);
    return texts(out);
  }
  Lines say(const TrackerId& id, Verdict verdict) { return step(TrackerReported{id, verdict}); }
  Lines wait_for_deadline() {
    now = *router.deadline();
    return step(Tick{});
  }
  Lines hear(int priority) {
    return step(AdvertReceived{instance().key(), advert_of(instance().settings(), priority),
                               ip("192.0.2.2"), false});
  }
  [[nodiscard]] const Instance& instance() const { return *router.instances().front(); }
  [[nodiscard]] StateName state() const { return instance().state_name(); }
};

}  // namespace

TEST_CASE("tracking: positive weights are added while good, negative ones taken off while bad") {
  const std::vector<Tracker> both{tracker(kChk, 20), tracker(kEth1, -30)};

  CHECK(effective_priority(100, both, {}) == 100);
  CHECK(sum_text(100, both, {}).empty());
  CHECK(effective_priority(100, both, {{kChk, Verdict::good}, {kEth1, Verdict::good}}) == 120);
  CHECK(effective_priority(100, both, {{kChk, Verdict::bad}, {kEth1, Verdict::good}}) == 100);
  const Verdicts mixed{{kChk, Verdict::good}, {kEth1, Verdict::bad}};
  CHECK(effective_priority(100, both, mixed) == 90);
  CHECK(sum_text(100, both, mixed) ==
        "100 + 20 (chk succeeds) - 30 (eth1 is down or has no carrier) = 90");
}

TEST_CASE("tracking: reverse turns the sign of a weight, and without one what the fault is") {
  const Tracker plus = tracker(kChk, 20, Reverse::yes);
  const Tracker minus = tracker(kChk, -20, Reverse::yes);
  const Tracker none = tracker(kChk, 0, Reverse::yes);

  CHECK(contribution(plus, {{kChk, Verdict::good}}) == -20);
  CHECK(contribution(plus, {{kChk, Verdict::bad}}) == 0);
  CHECK(contribution(minus, {{kChk, Verdict::bad}}) == 20);
  CHECK(contribution(minus, {{kChk, Verdict::good}}) == 0);
  CHECK(fault_of(none, {{kChk, Verdict::bad}}).empty());
  CHECK(fault_of(none, {{kChk, Verdict::good}}) ==
        "chk succeeds, and 'reverse' makes that the fault");
}

TEST_CASE("tracking: a file adds its number times its weight, and -254 or less is a fault") {
  const TrackerId load{TrackerKind::file, "load"};
  const auto adds = [&](int weight, int number, Reverse reverse = Reverse::no) {
    return contribution(tracker(load, weight, reverse), {{load, {number}}});
  };
  CHECK(adds(1, 30) == 30);
  CHECK(adds(-2, 30) == -60);
  CHECK(adds(2, 30, Reverse::yes) == -60);
  CHECK(adds(1, 1000) == 254);
  CHECK(adds(254, 2147483647) == 254);
  CHECK(adds(254, -2147483647) == -254);
  CHECK(adds(5, 0) == 0);
  CHECK(adds(0, 30) == 0);
  CHECK(sum_text(100, {tracker(load, 1)}, {{load, {-30}}}) == "100 - 30 (load holds -30) = 70");

  const auto fault = [&](int weight, int number, Reverse reverse = Reverse::no) {
    return fault_of(tracker(load, weight, reverse), {{load, {number}}});
  };
  CHECK(fault(1, -253).empty());
  CHECK(fault(1, -254) == "load holds -254, which times its weight 1 is -254 or less");
  CHECK(fault(-100, 3) == "load holds 3, which times its weight -100 is -254 or less");
  CHECK(fault(100, 3, Reverse::yes) == "load holds 3, which times its weight -100 is -254 or less");
  CHECK(fault(0, 0).empty());
  CHECK(fault(0, -3) == "load holds -3");
  CHECK(fault(0, 1) == "load holds 1");
  CHECK(fault(0, 1, Reverse::yes).empty());
  CHECK(fault(0, 0, Reverse::yes) == "load holds 0, and 'reverse' makes that the fault");
}

TEST_CASE("tracking: processes are there or not, like interfaces") {
  const TrackerId web{TrackerKind::process, "web"};
  CHECK(contribution(tracker(web, 20), {{web, Verdict::good}}) == 20);
  CHECK(contribution(tracker(web, -20), {{web, Verdict::bad}}) == -20);
  CHECK(fault_of(tracker(web, 0), {{web, Verdict::bad}}) == "web does not run as it should");
  CHECK(fault_of(tracker(web, 0, Reverse::yes), {{web, Verdict::good}}) ==
        "web runs, and 'reverse' makes that the fault");
}

TEST_CASE(
    "tracking: what is static and missing is a fault, with its name, until it is there again") {
  const TrackerId route{TrackerKind::static_item, "route 10.70.0.0/16 via 10.9.0.9"};
  const TrackerId rule{TrackerKind::static_item, "rule 700 table 77"};
  Bench bench(tracking({tracker(route, 0), tracker(rule, 0)}));
  bench.say(route, Verdict::good);
  CHECK(bench.router.instances().front()->state_name() == StateName::init);  // of the rule unknown
  bench.say(rule, Verdict::good);
  bench.wait_for_deadline();
  const Instance& instance = *bench.router.instances().front();
  REQUIRE(instance.state_name() == StateName::master);

  CHECK(bench.say(route, Verdict::bad).front() == "send advert priority 0");
  CHECK(instance.state_name() == StateName::fault);
  CHECK(instance.why() == "the static route 10.70.0.0/16 via 10.9.0.9 is missing");
  bench.say(rule, Verdict::bad);
  bench.say(route, Verdict::good);
  CHECK(instance.state_name() == StateName::fault);
  CHECK(*instance.own_fault() == "the static rule 700 table 77 is missing");
  bench.say(rule, Verdict::good);
  CHECK(instance.state_name() == StateName::backup);
}

TEST_CASE("tracking: an instance follows a file's number and its way through a fault") {
  const TrackerId load{TrackerKind::file, "load"};
  Bench bench(tracking({tracker(load, 1)}));
  bench.say(load, {0});
  bench.wait_for_deadline();
  REQUIRE(bench.state() == StateName::master);

  bench.say(load, {-30});
  CHECK(bench.instance().effective_priority() == 70);
  bench.say(load, {-254});
  CHECK(bench.state() == StateName::fault);
  bench.say(load, {7});
  CHECK(bench.state() == StateName::backup);
  CHECK(bench.instance().effective_priority() == 107);
}

TEST_CASE("tracking: the sum stays within 1 and 254, and 255 never moves (keepalived)") {
  CHECK(effective_priority(200, {tracker(kChk, 253)}, {{kChk, Verdict::good}}) == 254);
  CHECK(sum_text(200, {tracker(kChk, 253)}, {{kChk, Verdict::good}}) ==
        "200 + 253 (chk succeeds) = 453, at most 254");
  CHECK(effective_priority(20, {tracker(kChk, -253)}, {{kChk, Verdict::bad}}) == 1);
  CHECK(sum_text(20, {tracker(kChk, -253)}, {{kChk, Verdict::bad}}) ==
        "20 - 253 (chk fails) = -233, at least 1");
  CHECK(effective_priority(255, {tracker(kChk, -253)}, {{kChk, Verdict::bad}}) == 255);
}

TEST_CASE("tracking: what flaps is told at most twice an interval, whatever the rhythm") {
  Bench bench(tracking({tracker(kEth1, -10)}));
  bench.wait_for_deadline();
  const Instant began = bench.now;
  int adverts = 0;
  const auto count = [&](const Lines& lines) {
    adverts += static_cast<int>(std::count_if(lines.begin(), lines.end(), [](const auto& line) {
      return line.starts_with("send advert");
    }));
  };

  for (int i = 1; i <= 1000; ++i) {
    bench.now = began + i * Duration(10ms);
    if (bench.router.deadline() && *bench.router.deadline() <= bench.now) count(bench.step(Tick{}));
    count(bench.step(InterfaceChanged{"eth1", link(i % 2 == 0)}));
  }
  CHECK(adverts <= 21);
  CHECK(adverts >= 10);
}

TEST_CASE("tracking: dont_track_primary serves on while its interface is down, not without one") {
  InstanceSettings settings = everyday();
  settings.primary_tracking = PrimaryTracking::no;
  Bench bench(settings);
  bench.wait_for_deadline();
  REQUIRE(bench.state() == StateName::master);
  InterfaceStatus status{.exists = true, .up = false, .primary_address = ip("192.0.2.1")};

  CHECK(bench.step(InterfaceChanged{"eth0", status}) == Lines{});
  CHECK(bench.state() == StateName::master);
  CHECK(bench.wait_for_deadline() == Lines{"send advert priority 100"});
  bench.step(InterfaceChanged{"eth0", {}});
  CHECK(bench.state() == StateName::fault);
}

TEST_CASE("tracking: dont_track_primary may track its own interface with a weight") {
  InstanceSettings settings = everyday();
  settings.primary_tracking = PrimaryTracking::no;
  settings.trackers = {tracker({TrackerKind::interface, "eth0"}, -20)};
  Bench bench(settings);
  bench.wait_for_deadline();

  InterfaceStatus status{.exists = true, .up = false, .primary_address = ip("192.0.2.1")};
  bench.step(InterfaceChanged{"eth0", status});
  CHECK(bench.state() == StateName::master);
  CHECK(bench.instance().effective_priority() == 80);
}

TEST_CASE("tracking: two interfaces are down, one comes back: still FAULT") {
  Bench bench(tracking({tracker(kEth1, 0), tracker(kEth2, 0)}));
  bench.wait_for_deadline();
  REQUIRE(bench.state() == StateName::master);

  const Lines lost = bench.step(InterfaceChanged{"eth1", link(false)});
  CHECK(bench.step(InterfaceChanged{"eth2", link(false)}) == Lines{});
  CHECK(bench.step(InterfaceChanged{"eth1", link(true)}) == Lines{});
  CHECK(bench.state() == StateName::fault);
  const Lines back = bench.step(InterfaceChanged{"eth2", link(true)});

  CHECK(lost == Lines{"send advert priority 0", "withdraw",
                      "MASTER -> FAULT: eth1 is down or has no carrier", "notify FAULT 100"});
  CHECK(back == Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 100"});
}

TEST_CASE("tracking: a master's new priority is on the wire at once, at most twice an interval") {
  Bench bench(tracking({tracker(kChk, -50)}));
  bench.wait_for_deadline();
  bench.now += 300ms;

  CHECK(bench.say(kChk, Verdict::good) == Lines{});
  CHECK(bench.say(kChk, Verdict::bad) ==
        Lines{"send advert priority 50", "priority 100 -> 50: 100 - 50 (chk fails) = 50"});
  bench.now += 10ms;
  CHECK(bench.say(kChk, Verdict::good) == Lines{"priority 50 -> 100"});
  CHECK(bench.router.deadline() == bench.now - 10ms + 500ms);
  CHECK(bench.wait_for_deadline() == Lines{"send advert priority 100"});
}

TEST_CASE("tracking: with notify_priority_changes a new priority is told, of a fault, too") {
  InstanceSettings settings = tracking({tracker(kChk, 20), tracker(kEth1, 0)});
  settings.tells_priority = true;
  Bench bench(settings);
  const auto told = [&] {
    Lines words;
    for (const Action& action : bench.out)
      if (const auto* notify = std::get_if<Notify>(&action))
        words.push_back(fmt::format("{} {}", to_string(notify->state), notify->priority));
    return words;
  };
  bench.say(kChk, Verdict::good);
  CHECK(told() == Lines{"BACKUP_PRIORITY 120"});
  bench.wait_for_deadline();
  REQUIRE(bench.state() == StateName::master);
  bench.say(kChk, Verdict::bad);
  CHECK(told() == Lines{"MASTER_PRIORITY 100"});
  bench.step(InterfaceChanged{"eth1", link(false)});
  REQUIRE(bench.state() == StateName::fault);
  bench.say(kChk, Verdict::good);
  CHECK(told() == Lines{"BACKUP_PRIORITY 120"});
}

TEST_CASE("tracking: a backup's timer moves with its skew, and elections use the new priority") {
  Bench bench(tracking({tracker(kChk, -50)}));
  bench.now += 1s;
  bench.hear(80);  // weaker: its timer runs on
  const Instant before = *bench.router.deadline();

  bench.say(kChk, Verdict::bad);

  CHECK(*bench.router.deadline() == before + skew_time(50, 1s, 2) - skew_time(100, 1s, 2));
  bench.hear(80);  // stronger now
  CHECK(*bench.router.deadline() == bench.now + master_down_interval(everyday(), 1s, 50));
  CHECK(bench.instance().next_departure().has_value());
}

TEST_CASE("tracking: a master that tracking has weakened yields to who is stronger now") {
  Bench bench(tracking({tracker(kChk, -50)}));
  bench.wait_for_deadline();
  bench.say(kChk, Verdict::bad);

  CHECK(bench.hear(80) == Lines{"withdraw",
                                "MASTER -> BACKUP: 192.0.2.2 advertises priority 80, ours is 50",
                                "notify BACKUP 50"});
}

TEST_CASE("tracking: without weight nobody is told anything before the first result (keepalived)") {
  Bench bench(tracking({tracker(kChk, 0)}));
  CHECK(bench.state() == StateName::init);
  CHECK_FALSE(bench.router.deadline());

  SUBCASE("a success begins the election") {
    CHECK(bench.say(kChk, Verdict::good) == Lines{"INIT -> BACKUP: started", "notify BACKUP 100"});
  }
  SUBCASE("a failure is FAULT") {
    CHECK(bench.say(kChk, Verdict::bad) == Lines{"INIT -> FAULT: chk fails", "notify FAULT 100"});
    CHECK(bench.say(kChk, Verdict::good) ==
          Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 100"});
  }
  SUBCASE("a reload that takes the script away begins it, too") {
    CHECK(bench.step(Reload{{everyday()}}) ==
          Lines{"INIT -> BACKUP: started", "notify BACKUP 100"});
  }
  SUBCASE("a stop does not wait for it") {
    CHECK(bench.step(Shutdown{}) == Lines{"stopped"});
    CHECK(bench.say(kChk, Verdict::good) == Lines{});
  }
}

TEST_CASE("tracking: a weight lets the election begin at once, and counts from the first result") {
  Bench bench(tracking({tracker(kChk, 20)}));

  CHECK(bench.state() == StateName::backup);
  CHECK(bench.instance().effective_priority() == 100);
  CHECK(bench.say(kChk, Verdict::good) ==
        Lines{"priority 100 -> 120: 100 + 20 (chk succeeds) = 120"});
}

TEST_CASE("tracking: a reload with another weight counts at once and keeps the result") {
  Bench bench(tracking({tracker(kChk, -10)}));
  bench.wait_for_deadline();
  bench.say(kChk, Verdict::bad);
  bench.now += 2s;

  const Lines done = bench.step(Reload{{tracking({tracker(kChk, -60)})}});

  CHECK(done == Lines{"send advert priority 40", "priority 90 -> 40: 100 - 60 (chk fails) = 40"});
  SUBCASE("without weight it is a fault from that moment") {
    CHECK(bench.step(Reload{{tracking({tracker(kChk, 0)})}}) ==
          Lines{"priority 40 -> 100", "send advert priority 0", "withdraw",
                "MASTER -> FAULT: chk fails", "notify FAULT 100"});
  }
  SUBCASE("a script that is new is no fault before it has said something") {
    const TrackerId other{TrackerKind::script, "other"};
    bench.step(Reload{{tracking({tracker(kChk, -60), tracker(other, 0)})}});
    CHECK(bench.state() == StateName::master);
    bench.say(other, Verdict::bad);
    CHECK(bench.state() == StateName::fault);
  }
  SUBCASE("who comes with the reload knows what is known") {
    InstanceSettings second = tracking({tracker(kChk, 0), tracker(kEth1, -5)});
    second.vrid = 52;
    second.name = "VI_2";
    bench.step(Reload{{tracking({tracker(kChk, -60)}), second}});
    CHECK(bench.router.find(second.key())->state_name() == StateName::fault);
  }
  SUBCASE("what nobody tracks is forgotten") {
    bench.step(Reload{{everyday()}});
    CHECK(bench.instance().effective_priority() == 100);
    CHECK(bench.say(kChk, Verdict::bad) == Lines{});
    bench.step(Reload{{tracking({tracker(kChk, -60)})}});
    CHECK(bench.instance().effective_priority() == 100);
    CHECK_FALSE(bench.router.situation().interfaces.contains("eth1"));
  }
}

TEST_CASE("tracking: a successor keeps its predecessor's priority until it knows all terms") {
  Bench bench(tracking({tracker(kChk, 20), tracker(kEth1, -30)}), false);
  bench.step(ResumeFromPage{.router = everyday().key(),
                            .became_master_at = t0 - 1min,
                            .last_advert_at = t0 - 500ms,
                            .priority = 120});
  bench.step(Startup{});
  REQUIRE(bench.state() == StateName::master);

  CHECK(bench.wait_for_deadline() == Lines{"send advert priority 120"});
  CHECK(bench.say(kChk, Verdict::bad) == Lines{"send advert priority 100", "priority 120 -> 100"});
}

TEST_CASE("tracking: a master resumes without waiting for scripts, and leaves when they fail") {
  Bench bench(tracking({tracker(kChk, 0)}), false);
  bench.step(ResumeFromPage{
      .router = everyday().key(), .became_master_at = t0 - 1min, .last_advert_at = t0 - 500ms});
  bench.step(Startup{});

  CHECK(bench.state() == StateName::master);
  bench.say(kChk, Verdict::bad);
  CHECK(bench.state() == StateName::fault);
}

TEST_CASE("tracking: the sum of a predecessor counts until all terms are known, and never again") {
  Bench bench(tracking({tracker(kChk, 50)}), false);
  bench.step(ResumeFromPage{.router = everyday().key(),
                            .became_master_at = t0 - 1min,
                            .last_advert_at = t0 - 500ms,
                            .priority = 150});
  bench.step(Startup{});
  CHECK(bench.instance().effective_priority() == 150);
  bench.say(kChk, Verdict::bad);
  CHECK(bench.instance().effective_priority() == 100);

  bench.step(Reload{{tracking({tracker(kChk, 50), tracker({TrackerKind::script, "other"}, 20)})}});

  CHECK(bench.instance().effective_priority() == 100);
}

TEST_CASE("tracking: a copy from its situation knows what the original knew") {
  Bench bench(tracking({tracker(kChk, -10), tracker(kEth1, -20)}));
  bench.say(kChk, Verdict::bad);

  Router copy(bench.router.situation());

  CHECK(copy.situation() == bench.router.situation());
  CHECK(copy.instances().front()->effective_priority() == 90);
  Actions out;
  InstanceSettings second = tracking({tracker(kChk, -50)});
  second.vrid = 52;
  second.name = "VI_2";
  copy.step(Reload{{bench.instance().settings(), second}}, t0, out);
  CHECK(copy.find(second.key())->effective_priority() == 50);
}

TEST_CASE("tracking: the owner is not weakened, but an unweighted tracker puts it into FAULT") {
  InstanceSettings owner = tracking({tracker(kChk, -50), tracker(kEth1, 0)});
  owner.priority = 255;
  Bench bench(owner);
  REQUIRE(bench.state() == StateName::master);

  CHECK(bench.say(kChk, Verdict::bad) == Lines{});
  bench.step(InterfaceChanged{"eth1", link(false)});
  CHECK(bench.state() == StateName::fault);
  bench.step(InterfaceChanged{"eth1", link(true)});
  CHECK(bench.state() == StateName::backup);
}
