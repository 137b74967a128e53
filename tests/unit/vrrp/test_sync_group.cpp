#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/rehearsal.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/situation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const IpAddress kPeer = ip("192.0.2.2");

/// VI_1 on eth1, VI_2 on eth2 …
InstanceSettings member(int number, int priority = 100, const std::string& group = "G") {
  InstanceSettings settings = everyday();
  settings.name = "VI_" + std::to_string(number);
  settings.interface = "eth" + std::to_string(number);
  settings.vrid = static_cast<std::uint8_t>(number);
  settings.priority = static_cast<std::uint8_t>(priority);
  settings.sync_group = group;
  return settings;
}

InterfaceChanged interface(int number, bool up = true) {
  return {"eth" + std::to_string(number),
          {.exists = true, .up = up, .primary_address = ip("192.0.2.1")}};
}

struct Bench {
  Router router;
  Actions out;

  explicit Bench(std::vector<InstanceSettings> settings, Instant at = t0)
      : router(std::move(settings)) {
    for (int number = 1; number <= 4; ++number) step(interface(number), at);
  }
  static Bench started(std::vector<InstanceSettings> settings) {
    Bench bench(std::move(settings));
    bench.step(Startup{}, t0);
    return bench;
  }
  Lines step(const Event& event, Instant now) {
    out.clear();
    router.step(event, now, out);
    return texts(out);
  }
  Lines run_until(Instant end) {
    Lines lines;
    while (router.deadline() && *router.deadline() <= end) {
      const Lines more = step(Tick{}, *router.deadline());
      lines.insert(lines.end(), more.begin(), more.end());
    }
    return lines;
  }
  [[nodiscard]] const Instance& at(int number) const {
    const auto all = router.instances();
    for (const Instance* each : all)
      if (each->settings().name == "VI_" + std::to_string(number)) return *each;
    FAIL("no such instance");
    return *all.front();
  }
  Lines hear(int number, int priority, Instant now) {
    const InstanceSettings& settings = at(number).settings();
    return step(AdvertReceived{at(number).key(), advert_of(settings, priority), kPeer}, now);
  }
  /// "MB-": master, backup; I init, F fault.
  [[nodiscard]] std::string states() const {
    std::string letters;
    for (const Instance* each : router.instances())
      letters += to_string(each->state_name()).substr(0, 1);
    return letters;
  }
  [[nodiscard]] GroupView group() const { return router.groups(t0).at(0); }
};

std::size_t count(const Lines& lines, std::string_view what) {
  return static_cast<std::size_t>(std::count_if(
      lines.begin(), lines.end(), [&](const std::string& line) { return line.find(what) == 0; }));
}

}  // namespace

TEST_CASE("group: all become master in the moment in which the slowest may") {
  Bench bench = Bench::started({member(1, 200), member(2, 100)});
  CHECK(bench.states() == "BB");

  bench.run_until(t0 + 3500ms);  // VI_1's own time was 3.218 s
  CHECK(bench.states() == "BB");
  CHECK(bench.group().waits_for == Lines{"VI_2"});
  CHECK_FALSE(bench.router.deadline() == std::nullopt);

  const Lines lines = bench.run_until(t0 + 3700ms);
  CHECK(bench.states() == "MM");
  CHECK(count(lines, "send advert priority") == 2);
  CHECK(lines.back() == "group G BACKUP -> MASTER: all members may be master");
}

TEST_CASE("group: it is told once, before its members at the start and after them later") {
  Bench bench({member(1), member(2)});

  CHECK(bench.step(Startup{}, t0) ==
        Lines{"group G INIT -> BACKUP: VI_1: started", "withdraw", "INIT -> BACKUP: started",
              "notify BACKUP 100", "withdraw", "INIT -> BACKUP: started", "notify BACKUP 100"});
  const Lines lines = bench.run_until(t0 + 4s);
  CHECK(count(lines, "group ") == 1);
  CHECK(lines.back().starts_with("group G BACKUP -> MASTER"));
}

TEST_CASE("group: a better master on one network takes all to backup, without priority 0") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);
  REQUIRE(bench.states() == "MM");

  const Lines lines = bench.hear(2, 200, t0 + 5s);

  CHECK(bench.states() == "BB");
  CHECK(count(lines, "send advert") == 0);
  CHECK(count(lines, "withdraw") == 2);
  CHECK(lines.back() ==
        "group G MASTER -> BACKUP: VI_2: 192.0.2.2 advertises priority 200, ours is 100");
  // Nobody is heard for VI_1, somebody for VI_2: none becomes master.
  for (Instant now = t0 + 5s; now < t0 + 60s; now += 1s) {
    bench.run_until(now);
    bench.hear(2, 200, now);
  }
  CHECK(bench.states() == "BB");
  bench.hear(2, 0, t0 + 60s);
  bench.run_until(t0 + 61s);
  CHECK(bench.states() == "MM");
}

TEST_CASE("group: one that is ready waits anew when a master is heard that counts") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.hear(2, 150, t0 + 3s);  // the other one is held back
  bench.run_until(t0 + 4s);
  REQUIRE(bench.group().waits_for == Lines{"VI_2"});

  bench.hear(1, 150, t0 + 5s);
  bench.run_until(t0 + 8s);  // VI_2's master is silent now; VI_1's timer runs
  CHECK(bench.states() == "BB");
  CHECK(bench.group().waits_for == Lines{"VI_1"});
  bench.run_until(t0 + 9s);
  CHECK(bench.states() == "MM");
}

TEST_CASE("group: nopreempt of one member holds all back; preemption takes all") {
  for (const Preempt preempt : {Preempt::no, Preempt::yes}) {
    std::vector<InstanceSettings> settings{member(1), member(2)};
    settings[1].preempt = preempt;
    Bench bench = Bench::started(settings);
    for (Instant now = t0; now < t0 + 20s; now += 1s) {
      bench.run_until(now);
      if (bench.states() != "BB") break;
      bench.hear(1, 50, now);
      bench.hear(2, 50, now);
    }
    CHECK(bench.states() == (preempt == Preempt::no ? "BB" : "MM"));
  }
}

TEST_CASE("group: the fault of one is everybody's, and masters resign") {
  Bench bench = Bench::started({member(1), member(2), member(3)});
  bench.run_until(t0 + 4s);
  REQUIRE(bench.states() == "MMM");

  const Lines lines = bench.step(interface(2, false), t0 + 5s);

  CHECK(bench.states() == "FFF");
  CHECK(count(lines, "send advert priority 0") == 2);  // not through the link that is down
  CHECK(lines.back() == "group G MASTER -> FAULT: VI_2: interface eth2 is down or has no carrier");
  CHECK(bench.at(1).why() ==
        "VI_2 of the sync group G is in FAULT: interface eth2 is down or has no carrier");

  bench.step(interface(3, false), t0 + 6s);
  CHECK(bench.step(interface(2), t0 + 7s) == Lines{});  // one cause of two is over
  CHECK(bench.states() == "FFF");
  const Lines over = bench.step(interface(3), t0 + 8s);
  CHECK(bench.states() == "BBB");
  CHECK(over.back().starts_with("group G FAULT -> BACKUP"));
  bench.run_until(t0 + 12s);
  CHECK(bench.states() == "MMM");
}

TEST_CASE("group: the refused addresses of one are everybody's fault") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);

  const Lines lines =
      bench.step(AddressesPlaced{bench.at(2).key(), 1, 0, "192.0.2.100 cannot be added"}, t0 + 5s);

  CHECK(bench.states() == "FF");
  CHECK(count(lines, "send advert priority 0") == 2);
  bench.run_until(t0 + 14s);
  CHECK(bench.states() == "FF");
  bench.run_until(t0 + 15s);  // it tries again
  CHECK(bench.states() == "BB");
}

TEST_CASE("group: owners begin as master only when all are") {
  Bench all = Bench::started({member(1, 255), member(2, 255)});
  CHECK(all.states() == "MM");

  Bench some({member(1, 255), member(2, 100)});
  const Lines lines = some.step(Startup{}, t0);
  CHECK(some.states() == "BB");
  CHECK(count(lines, "send advert") == 0);
  CHECK(some.group().waits_for == Lines{"VI_2"});
  some.run_until(t0 + 4s);
  CHECK(some.states() == "MM");

  Bench broken({member(1, 255), member(2, 255)});
  broken.step(interface(2, false), t0);
  broken.step(Startup{}, t0);
  CHECK(broken.states() == "FF");
}

TEST_CASE("group: a script that has not said anything holds the others back") {
  std::vector<InstanceSettings> settings{member(1), member(2)};
  settings[1].trackers = {{.id = {TrackerKind::script, "chk"}}};
  Bench bench = Bench::started(settings);
  bench.run_until(t0 + 10s);
  CHECK(bench.states() == "BI");

  bench.step(TrackerReported{{TrackerKind::script, "chk"}, Verdict::good}, t0 + 10s);
  bench.run_until(t0 + 14s);
  CHECK(bench.states() == "MM");
}

TEST_CASE("group: a member that a reload adds is master at once, and nobody else notices") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);

  const Lines lines = bench.step(Reload{{member(1), member(2), member(3)}}, t0 + 4500ms);

  CHECK(bench.states() == "MMM");
  CHECK(count(lines, "send advert priority 100") == 1);
  CHECK(count(lines, "group ") == 0);
  for (const Action& action : bench.out)
    std::visit(
        [&](const auto& each) {
          if constexpr (requires { each.router; }) CHECK(each.router->name == "VI_3");
        },
        action);
}

TEST_CASE("group: a member that a reload removes leaves alone") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);

  const Lines lines = bench.step(Reload{{member(1)}}, t0 + 4500ms);

  CHECK(count(lines, "send advert priority 0") == 1);
  CHECK(bench.at(1).state_name() == StateName::master);
  CHECK(bench.group().members == Lines{"VI_1"});
  bench.run_until(t0 + 10s);
  CHECK(bench.states() == "M");
}

TEST_CASE("group: members that a reload moves go on in their new group") {
  Bench bench = Bench::started({member(1, 100, "A"), member(2, 100, "A"), member(3, 100, "B")});
  bench.run_until(t0 + 4s);
  REQUIRE(bench.states() == "MMM");

  const Lines lines = bench.step(
      Reload{{member(1, 100, "A"), member(2, 100, "B"), member(3, 100, "B")}}, t0 + 4500ms);

  CHECK(lines == Lines{});
  bench.step(interface(3, false), t0 + 5s);
  CHECK(bench.states() == "MFF");
}

TEST_CASE("group: a master that a reload brings to backups says that it goes") {
  Bench bench = Bench::started({member(1), member(2), member(3, 100, "")});
  for (Instant now = t0; now < t0 + 5s; now += 1s) {
    bench.run_until(now);
    bench.hear(1, 200, now);
    bench.hear(2, 200, now);
  }
  REQUIRE(bench.states() == "BBM");

  const Lines lines = bench.step(Reload{{member(1), member(2), member(3)}}, t0 + 5s);

  CHECK(bench.states() == "BBB");
  CHECK(count(lines, "send advert priority 0") == 1);
  CHECK(count(lines, "group ") == 0);
}

TEST_CASE("group: one that comes to masters and hears a better one takes them with it") {
  Bench bench = Bench::started({member(1), member(2), member(3, 100, "")});
  for (Instant now = t0; now < t0 + 5s; now += 1s) {
    bench.run_until(now);
    bench.hear(3, 200, now);
  }
  REQUIRE(bench.states() == "MMB");

  const Lines lines = bench.step(Reload{{member(1), member(2), member(3)}}, t0 + 4500ms);

  CHECK(bench.states() == "BBB");
  CHECK(count(lines, "send advert priority 0") == 2);
}

TEST_CASE("group: one that leaves it while it waits is master") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.hear(2, 150, t0 + 3s);
  bench.run_until(t0 + 4s);
  REQUIRE(bench.group().waits_for == Lines{"VI_2"});

  bench.step(Reload{{member(1, 100, ""), member(2)}}, t0 + 4s);
  bench.run_until(t0 + 4s);
  CHECK(bench.states() == "MB");
}

TEST_CASE("group: one that leaves it while another one is in FAULT begins to listen") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.step(interface(2, false), t0 + 1s);
  REQUIRE(bench.states() == "FF");

  bench.step(Reload{{member(1, 100, ""), member(2)}}, t0 + 2s);
  CHECK(bench.states() == "BF");
}

TEST_CASE("group: a restart resumes all or none") {
  for (const bool second_is_late : {false, true}) {
    Bench bench({member(1), member(2)}, t0);
    const auto page = [&](int number, Instant last) {
      bench.step(ResumeFromPage{.router = bench.at(number).key(),
                                .became_master_at = t0 - 10s,
                                .last_advert_at = last},
                 t0);
    };
    page(1, t0 - 500ms);
    page(2, second_is_late ? t0 - 5s : t0 - 500ms);

    const Lines lines = bench.step(Startup{}, t0);

    CHECK(bench.states() == (second_is_late ? "BB" : "MM"));
    CHECK(count(lines, "notify") == (second_is_late ? 2U : 0U));
    CHECK(count(lines, "group ") == (second_is_late ? 1U : 0U));
  }
}

TEST_CASE("group: an orderly stop is told when the last member has handed over") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);

  const Lines begun = bench.step(Shutdown{}, t0 + 5s);
  CHECK(count(begun, "send advert priority 0") == 2);
  CHECK(count(begun, "group ") == 0);
  const Lines rest = bench.run_until(t0 + 20s);
  REQUIRE(rest.size() >= 2);
  CHECK(rest[rest.size() - 2] == "group G MASTER -> STOP: stopping");
  CHECK(rest.back() == "stopped");
}

TEST_CASE("group: at the stop all hand over until the slowest successor may take over") {
  std::vector<InstanceSettings> settings{member(1), member(2)};
  for (InstanceSettings& each : settings) each.version = 3;
  settings[0].advert_interval = 100ms;
  Bench bench = Bench::started(settings);
  bench.run_until(t0 + 4s);
  REQUIRE(bench.states() == "MM");

  bench.step(Shutdown{}, t0 + 5s);

  const auto until = [&](int number) {
    return std::get<Init>(bench.at(number).state()).handover_until;
  };
  CHECK(until(2) > t0 + 6s);
  CHECK(until(1) == until(2));
}

TEST_CASE("group: a reload that removes it hands over until the slowest successor may take over") {
  std::vector<InstanceSettings> settings{member(1), member(2), member(3, 100, "")};
  for (InstanceSettings& each : settings) each.version = 3;
  settings[0].advert_interval = 100ms;
  Bench bench = Bench::started(settings);
  bench.run_until(t0 + 4s);
  REQUIRE(bench.states() == "MMM");

  bench.step(Reload{{settings[2]}}, t0 + 5s);

  const auto until = [&](int number) {
    return std::get<Init>(bench.at(number).state()).handover_until;
  };
  CHECK(until(2) > t0 + 6s);
  CHECK(until(1) == until(2));
  bench.run_until(t0 + 20s);
  CHECK(bench.states() == "M");
}

TEST_CASE("group: a member whose priority falls below its living master's is ready no more") {
  const TrackerId script{TrackerKind::script, "chk"};
  std::vector<InstanceSettings> settings{member(1, 200), member(2)};
  settings[0].trackers = {{.id = script, .weight = -100}};
  std::vector<InstanceSettings> lower = settings;
  lower[0].priority = 140;
  std::vector<InstanceSettings> patient = settings;
  patient[0].preempt = Preempt::no;
  const Event losses[] = {TrackerReported{script, Verdict::bad}, Reload{lower}, Reload{patient}};
  for (const Event& loss : losses) {
    Bench bench(settings);
    bench.step(TrackerReported{script, Verdict::good}, t0);
    bench.step(Startup{}, t0);
    // VI_1 outranks the other director, VI_2 does not.
    for (Instant now = t0; now < t0 + 6s; now += 1s) {
      bench.run_until(now);
      bench.hear(1, 150, now);
      bench.hear(2, 150, now);
    }
    REQUIRE(bench.group().waits_for == Lines{"VI_2"});

    bench.step(loss, t0 + 5500ms);

    for (Instant now = t0 + 6s; now < t0 + 12s; now += 1s) {  // VI_2 hears nobody any more
      bench.run_until(now);
      bench.hear(1, 150, now);
    }
    CHECK(bench.states() == "BB");
    CHECK(bench.group().waits_for == Lines{"VI_1"});
    bench.run_until(t0 + 16s);
    CHECK(bench.states() == "MM");
  }
}

TEST_CASE("group: one that comes to masters while its preempt_delay runs takes them with it") {
  std::vector<InstanceSettings> settings{member(1), member(2), member(3, 100, "")};
  settings[2].preempt_delay = 60s;
  Bench bench = Bench::started(settings);
  for (Instant now = t0; now < t0 + 5s; now += 1s) {
    bench.run_until(now);
    bench.hear(3, 50, now);
  }
  REQUIRE(bench.states() == "MMB");
  settings[2].sync_group = "G";

  const Lines lines = bench.step(Reload{settings}, t0 + 4500ms);

  CHECK(bench.states() == "BBB");
  CHECK(count(lines, "send advert priority 0") == 2);
}

TEST_CASE("group: one that was not heard for a pause takes all with it") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);

  bench.step(ProcessPaused{10s, 10s}, t0 + 5s);
  CHECK(bench.states() == "BB");
}

TEST_CASE("group: a copy from its situation decides the same") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);
  Router copy(bench.router.situation());

  const Lines ours = bench.hear(1, 200, t0 + 5s);
  Actions out;
  copy.step(AdvertReceived{bench.at(1).key(), advert_of(bench.at(1).settings(), 200), kPeer},
            t0 + 5s, out);

  CHECK(texts(out) == ours);
  CHECK(count(ours, "group G MASTER -> BACKUP") == 1);
}

TEST_CASE("group: what would happen to it can be rehearsed") {
  Bench bench = Bench::started({member(1), member(2)});
  bench.run_until(t0 + 4s);
  Rehearsal rehearsal({bench.router, Turn{}, t0 + 4s});

  rehearsal.change_interface("eth2", {.exists = true, .up = false, .primary_address = {}});

  bool told = false;
  for (const Deed& deed : rehearsal.deeds())
    if (const auto* change = std::get_if<GroupChanged>(&deed.action))
      told = change->group == "G" && change->to == NotifyState::fault;
  CHECK(told);
  CHECK(bench.states() == "MM");
}
