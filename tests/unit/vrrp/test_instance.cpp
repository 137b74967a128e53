// The state machine, one row of the (state x event) table after the other.
#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/instance.hpp"
#include "vrrp/core/timing.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};
const RouterKey kKey = everyday().key();
const InterfaceStatus kGood{.exists = true, .up = true, .primary_address = ip("192.0.2.1")};

/// An instance on a good interface, brought into a state; `out` is empty then.
struct Bench {
  Instance instance;
  Actions out;

  explicit Bench(InstanceSettings settings = everyday()) : instance(std::move(settings)) {
    instance.step(InterfaceReport{kGood}, t0, out);
  }
  /// The kernel takes every advert, as it nearly always does.
  Lines step(const InstanceEvent& event, Instant now) {
    out.clear();
    instance.step(event, now, out);
    Actions answers;
    for (const Action& action : out) {
      if (const auto* advert = std::get_if<SendAdvert>(&action))
        instance.step(AdvertSent{kKey, advert->priority}, now, answers);
    }
    return texts(out);
  }
  Lines advert(int priority, Instant now, std::string_view from = "192.0.2.2") {
    return step(AdvertReceived{kKey, advert_of(instance.settings(), priority), ip(from), false},
                now);
  }
  Bench& backup() {
    step(Startup{}, t0);
    return *this;
  }
  Bench& master() {  // at t0
    auto settings = instance.settings();
    step(Startup{}, t0 - master_down_interval(settings, settings.advert_interval));
    step(Tick{}, t0);
    REQUIRE(instance.state_name() == StateName::master);
    return *this;
  }
  Bench& fault() {
    step(Startup{}, t0);
    step(InterfaceReport{InterfaceStatus{.exists = true, .up = false, .primary_address = {}}}, t0);
    return *this;
  }
  template <class S>
  const S& state() const {
    return std::get<S>(instance.state());
  }
};

InstanceSettings with_priority(int priority) {
  auto settings = everyday();
  settings.priority = static_cast<std::uint8_t>(priority);
  return settings;
}

}  // namespace

TEST_CASE("timing: skew and master down interval are exact to the microsecond [RFC3768-6.1-1]") {
  CHECK(skew_time(100, 1s, 2) == 609'375us);
  CHECK(skew_time(254, 1s, 2) == 7'812us);  // 7812.5, one half lost downwards
  CHECK(skew_time(255, 1s, 2) == 3'906us);
  CHECK(skew_time(1, 1s, 2) == 996'093us);
  CHECK(master_down_interval(everyday(), 1s) == 3'609'375us);
  CHECK(master_down_interval(with_priority(150), 1s) == 3'414'062us);
}

// ---- Init ----

TEST_CASE(
    "init: startup below priority 255 listens for the master down interval [RFC3768-6.4.1-2]") {
  Bench bench;
  CHECK(bench.instance.deadline() == std::nullopt);

  CHECK(bench.step(Startup{}, t0) ==
        Lines{"withdraw", "INIT -> BACKUP: started", "notify BACKUP 100"});

  CHECK(bench.state<Backup>() == Backup{.master_down_at = t0 + 3'609'375us,
                                        .master_adver_interval = 1s,
                                        .preempt_allowed_at = {},
                                        .restarted_after_pause = false});
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
}

TEST_CASE("init: `state MASTER` below 255 listens too (keepalived)") {
  auto settings = everyday();
  settings.initial_state = InitialState::master;
  Bench bench(settings);
  bench.step(Startup{}, t0);
  CHECK(bench.instance.state_name() == StateName::backup);
}

TEST_CASE(
    "init: the owner is master at once: advert, addresses, announcement, notification "
    "[RFC3768-6.4.1-1]") {
  Bench bench(with_priority(255));
  CHECK(bench.step(Startup{}, t0) ==
        Lines{"withdraw", "send advert priority 255", "publish 192.0.2.100/32", "announce x5",
              "INIT -> MASTER: started, priority 255 owns the addresses", "notify MASTER 255"});
}

TEST_CASE("init: `state BACKUP` with priority 255 waits (keepalived)") {
  auto settings = with_priority(255);
  settings.initial_state = InitialState::backup;
  Bench bench(settings);
  bench.step(Startup{}, t0);
  CHECK(bench.instance.deadline() == t0 + 3'003'906us);
}

TEST_CASE(
    "init: startup on an unknown, missing, down or addressless interface is a fault with its "
    "sentence") {
  Instance unknown(everyday());
  Actions out;
  unknown.step(Startup{}, t0, out);
  CHECK(texts(out) == Lines{"withdraw", "INIT -> FAULT: nothing is known about interface eth0 yet",
                            "notify FAULT 100"});

  const auto why = [](InterfaceStatus status) {
    Bench bench;
    bench.step(InterfaceReport{status}, t0);
    bench.step(Startup{}, t0);
    CHECK(bench.instance.state_name() == StateName::fault);
    return bench.instance.why();
  };
  CHECK(why({.exists = false, .up = false, .primary_address = {}}) ==
        "interface eth0 does not exist");
  CHECK(why({.exists = true, .up = false, .primary_address = ip("192.0.2.1")}) ==
        "interface eth0 is down or has no carrier");
  CHECK(why({.exists = true, .up = true, .primary_address = {}}) ==
        "interface eth0 has no IPv4 address to send from");
}

TEST_CASE("init: before startup nothing but remembering happens") {
  Bench bench;
  CHECK(bench.step(Tick{}, t0).empty());
  CHECK(bench.advert(200, t0).empty());
  CHECK(bench.step(ProcessPaused{10s, 0s}, t0).empty());
  CHECK(bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0).empty());
  CHECK(bench.step(AddressesRepaired{kKey}, t0).empty());
  CHECK(bench.step(Reconfigure{with_priority(120), {}}, t0).empty());
  CHECK(bench.step(Shutdown{}, t0).empty());
  CHECK(bench.instance.has_stopped());
  CHECK(bench.step(Startup{}, t0).empty());  // stopped is stopped
}

TEST_CASE(
    "init: a handover page younger than the peers' patience resumes without a word to anybody") {
  Bench bench;
  bench.step(ResumeFromPage{kKey, t0 - 60s, t0 - 400ms}, t0);

  CHECK(bench.step(Startup{}, t0) ==
        Lines{"publish 192.0.2.100/32",
              "INIT -> MASTER: resumed after a restart of this process, last advert 0.400 s ago"});
  CHECK(bench.instance.deadline() == t0 + 600ms);
  CHECK(bench.instance.since() == t0 - 60s);
}

TEST_CASE("init: a handover page older than the peers' patience is not used") {
  Bench bench;
  bench.step(ResumeFromPage{kKey, t0 - 60s, t0 - 3s}, t0);
  CHECK(bench.step(Startup{}, t0) ==
        Lines{"withdraw", "INIT -> BACKUP: started", "notify BACKUP 100"});
}

TEST_CASE("init: whether to resume is decided by what peers were promised, not by the new file") {
  SUBCASE("they wait longer than the new interval says, and learn of it at once") {
    Bench bench;
    bench.step(ResumeFromPage{kKey, t0 - 60s, t0 - 5s, 30s}, t0);
    bench.step(Startup{}, t0);
    CHECK(bench.instance.state_name() == StateName::master);
    CHECK(bench.instance.deadline() == t0);
    CHECK(bench.step(Tick{}, t0) == Lines{"send advert priority 100"});
    CHECK(bench.instance.deadline() == t0 + 1s);
  }
  SUBCASE("they wait shorter") {
    Bench bench;
    bench.step(ResumeFromPage{kKey, t0 - 60s, t0 - 400ms, 300ms}, t0);
    bench.step(Startup{}, t0);
    CHECK(bench.instance.state_name() == StateName::backup);
  }
}

// ---- Backup ----

TEST_CASE("backup: the down timer makes it master, not a microsecond early [RFC3768-6.4.2-1]") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(Tick{}, t0 + 3'609'374us).empty());

  CHECK(bench.step(Tick{}, t0 + 3'609'375us) ==
        Lines{"send advert priority 100", "publish 192.0.2.100/32", "announce x5",
              "BACKUP -> MASTER: no master was heard", "notify MASTER 100"});
  CHECK(bench.state<Master>().next_advert_at == t0 + 4'609'375us);
  CHECK(bench.state<Master>().announce_again_at == t0 + 8'609'375us);
}

TEST_CASE("backup: a better or equal advert restarts the down timer [RFC3768-6.4.2-3]") {
  for (const int priority : {100, 101, 255}) {
    Bench bench;
    bench.backup();
    CHECK(bench.advert(priority, t0 + 2s).empty());
    CHECK(bench.instance.deadline() == t0 + 2s + 3'609'375us);
  }
}

TEST_CASE("backup: a lower advert is ignored and the timer keeps running [RFC3768-6.4.2-4]") {
  Bench bench;
  bench.backup();
  CHECK(bench.advert(99, t0 + 2s).empty());
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
  bench.advert(99, t0 + 3s);
  bench.step(Tick{}, t0 + 3'609'375us);
  CHECK(bench.instance.why() == "192.0.2.2 advertises priority 99, ours is 100");
}

TEST_CASE("backup: with nopreempt a lower advert restarts the timer [RFC3768-6.4.2-3]") {
  auto settings = everyday();
  settings.preempt = Preempt::no;
  Bench bench(settings);
  bench.backup();
  bench.advert(1, t0 + 2s);
  CHECK(bench.instance.deadline() == t0 + 2s + 3'609'375us);
}

TEST_CASE(
    "backup: nopreempt is void with `state MASTER` and for the owner (keepalived, RFC3768-6.1)") {
  auto settings = everyday();
  settings.preempt = Preempt::no;
  settings.initial_state = InitialState::master;
  Bench bench(settings);
  bench.backup();
  bench.advert(1, t0 + 2s);
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
}

TEST_CASE("backup: priority 0 shortens the down timer to the skew [RFC3768-6.4.2-2]") {
  Bench bench;
  bench.backup();
  bench.advert(200, t0 + 1s);
  CHECK(bench.advert(0, t0 + 1500ms).empty());
  CHECK(bench.instance.deadline() == t0 + 1500ms + 609'375us);
  bench.step(Tick{}, t0 + 1500ms + 609'375us);
  CHECK(bench.instance.why() == "192.0.2.2 resigned");
}

TEST_CASE(
    "backup: preempt_delay accepts a lower master for that long, then lets the timer run "
    "(keepalived)") {
  auto settings = with_priority(150);
  settings.preempt_delay = 3s;
  Bench bench(settings);
  bench.backup();
  for (int i = 0; i <= 3; ++i) bench.advert(100, t0 + i * 1s);

  CHECK(bench.instance.deadline() == t0 + 2s + 3'414'062us);
}

TEST_CASE("backup: a better advert cancels a running preempt_delay") {
  auto settings = with_priority(150);
  settings.preempt_delay = 3s;
  Bench bench(settings);
  bench.backup();
  bench.advert(100, t0);
  bench.advert(200, t0 + 1s);
  CHECK(bench.state<Backup>().preempt_allowed_at == std::nullopt);
}

TEST_CASE("backup: preempt_delay does not delay taking over from nobody") {
  auto settings = everyday();
  settings.preempt_delay = 60s;
  Bench bench(settings);
  bench.backup();
  bench.step(Tick{}, t0 + 3'609'375us);
  CHECK(bench.instance.state_name() == StateName::master);
}

TEST_CASE("backup: shutdown says nothing on the wire [RFC3768-6.4.2-5]") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(Shutdown{}, t0) == Lines{"BACKUP -> INIT: stopping", "notify STOP 100"});
  CHECK(bench.instance.has_stopped());
  CHECK(bench.instance.deadline() == std::nullopt);
}

TEST_CASE("backup: a removed instance is told it was deleted") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(Remove{}, t0) ==
        Lines{"BACKUP -> INIT: removed from the configuration", "notify DELETED 100"});
}

TEST_CASE("backup: a lost interface is a fault, and it begins anew when it is back") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(
            InterfaceReport{InterfaceStatus{.exists = true, .up = false, .primary_address = {}}},
            t0 + 1s) ==
        Lines{"BACKUP -> FAULT: interface eth0 is down or has no carrier", "notify FAULT 100"});
  CHECK(bench.instance.deadline() == std::nullopt);
  CHECK(bench.step(InterfaceReport{kGood}, t0 + 9s) ==
        Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 100"});
  CHECK(bench.instance.deadline() == t0 + 9s + 3'609'375us);
}

TEST_CASE(
    "backup: a pause past the deadline restarts the timer instead of usurping, but only once") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(ProcessPaused{6s, 0s}, t0 + 10s).empty());
  CHECK(bench.instance.deadline() == t0 + 10s + 3'609'375us);

  bench.step(ProcessPaused{6s, 0s}, t0 + 20s);
  CHECK(bench.step(Tick{}, t0 + 20s).front() == "send advert priority 100");
}

TEST_CASE(
    "backup: an advert heard after a pause, better or not, allows the next pause its restart") {
  for (const int priority : {200, 50}) {
    Bench bench;
    bench.backup();
    bench.step(ProcessPaused{6s, 0s}, t0 + 10s);
    bench.advert(priority, t0 + 10s);
    bench.step(ProcessPaused{6s, 0s}, t0 + 20s);
    CHECK(bench.instance.deadline() == t0 + 20s + 3'609'375us);
  }
}

TEST_CASE("backup: a short delay or a pause within the timer changes nothing") {
  Bench bench;
  bench.backup();
  bench.step(ProcessPaused{999ms, 0s}, t0 + 4s);
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
  bench.step(ProcessPaused{2s, 0s}, t0 + 3s);
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
}

TEST_CASE("backup: answers about addresses and interface news without change do nothing") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0).empty());
  CHECK(bench.step(AddressesRepaired{kKey}, t0).empty());
  CHECK(bench.step(InterfaceReport{kGood}, t0).empty());
  CHECK(bench.step(Startup{}, t0).empty());
  CHECK(bench.step(ResumeFromPage{kKey, t0, t0}, t0).empty());
  CHECK(bench.instance.state_name() == StateName::backup);
}

TEST_CASE(
    "backup: a reload of the priority moves only the skew; of the interval restarts the timer") {
  Bench bench;
  bench.backup();
  CHECK(bench.step(Reconfigure{with_priority(200), {}}, t0 + 1s).empty());
  CHECK(bench.instance.deadline() == t0 + 3s + skew_time(200, 1s, 2));

  auto slower = with_priority(200);
  slower.advert_interval = 2s;
  bench.step(Reconfigure{slower, {}}, t0 + 2s);
  CHECK(bench.instance.deadline() == t0 + 2s + 6s + skew_time(200, 1s, 2));
}

// ---- Master ----

TEST_CASE("master: adverts keep their rhythm when a wake-up is late [RFC3768-6.4.3-2]") {
  Bench bench;
  bench.master();
  CHECK(bench.step(Tick{}, t0 + 1s + 30ms) == Lines{"send advert priority 100"});
  CHECK(bench.state<Master>().next_advert_at == t0 + 2s);
  CHECK(bench.step(Tick{}, t0 + 4s + 200ms) ==
        Lines{"send advert priority 100"});  // late by two: one is made up
  CHECK(bench.state<Master>().next_advert_at == t0 + 5s);
}

TEST_CASE("master: announces again after the delay, and refreshes only if asked to (keepalived)") {
  auto settings = everyday();
  settings.garp.refresh = 10s;
  settings.garp.refresh_repeat = 2;
  Bench bench(settings);
  bench.master();
  CHECK(bench.step(Tick{}, t0 + 5s) == Lines{"send advert priority 100", "announce x5"});
  CHECK(bench.state<Master>().announce_again_at == std::nullopt);
  CHECK(bench.step(Tick{}, t0 + 10s) == Lines{"send advert priority 100", "announce x2"});
  CHECK(bench.state<Master>().refresh_at == t0 + 20s);
}

TEST_CASE("master: priority 0 is answered with an advert and a new rhythm [RFC3768-6.4.3-3]") {
  Bench bench;
  bench.master();
  CHECK(bench.advert(0, t0 + 300ms) == Lines{"send advert priority 100"});
  CHECK(bench.state<Master>().next_advert_at == t0 + 1300ms);
}

TEST_CASE("master: a volley of priority 0 is answered at most twice an interval") {
  Bench bench;
  bench.master();
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) answers += bench.advert(0, t0 + i * Duration(1ms)).size();
  CHECK(answers == 2);
}

TEST_CASE("master: yields to a higher priority without resigning [RFC3768-6.4.3-4]") {
  Bench bench;
  bench.master();
  CHECK(bench.advert(101, t0 + 300ms) ==
        Lines{"withdraw", "MASTER -> BACKUP: 192.0.2.2 advertises priority 101, ours is 100",
              "notify BACKUP 100"});
  CHECK(bench.instance.deadline() == t0 + 300ms + 3'609'375us);
}

TEST_CASE("master: equal priority is decided by the address, unsigned [RFC3768-6.4.3-4]") {
  Bench yields;
  yields.master();
  yields.advert(100, t0 + 1ms, "200.0.2.1");  // above 192.0.2.1 only when unsigned
  CHECK(yields.instance.state_name() == StateName::backup);
  CHECK(yields.instance.why() == "200.0.2.1 advertises our priority 100 from a higher address");

  Bench stays;
  stays.master();
  stays.advert(100, t0 + 1ms, "192.0.1.255");
  CHECK(stays.instance.state_name() == StateName::master);
}

TEST_CASE("master: higher_prio_send_advert sends one more before yielding (keepalived)") {
  auto settings = everyday();
  settings.higher_priority_send_advert = true;
  Bench bench(settings);
  bench.master();
  CHECK(bench.advert(101, t0).front() == "send advert priority 100");
}

TEST_CASE(
    "master: a lower advert is answered with an advert, not more than twice an interval, and "
    "announcements, not more than once a second") {
  Bench bench;
  bench.master();
  CHECK(bench.advert(99, t0 + 100ms) ==
        Lines{"send advert priority 100", "announce x5", "notify MASTER_RX_LOWER_PRI 100"});
  CHECK(bench.state<Master>().next_advert_at == t0 + 1s);
  CHECK(bench.state<Master>().announce_again_at == t0 + 5100ms);
  CHECK(bench.advert(99, t0 + 101ms) ==
        Lines{"problem second_master: 192.0.2.2 is master too, with priority 99 (ours is 100), for "
              "0 s: it does not hear our adverts or rejects them, look at its log and at what "
              "filters between you"});
  CHECK(bench.advert(99, t0 + 600ms) == Lines{"send advert priority 100"});
  CHECK(bench.advert(99, t0 + 1100ms) == Lines{"send advert priority 100", "announce x5"});
}

TEST_CASE("master: a second master is told at growing distances, and each split anew") {
  Bench bench;
  bench.master();
  std::vector<double> told;
  std::vector<double> scripts;
  for (int i = 0; i < 1200; ++i) {
    const Instant now = t0 + 100ms + i * 1s;
    bench.step(Tick{}, now);
    const Lines lines = bench.advert(90, now);
    for (const std::string& line : lines) {
      if (line.starts_with("problem second_master")) told.push_back(i);
      if (line.starts_with("notify MASTER_RX_LOWER_PRI")) scripts.push_back(i);
    }
  }
  CHECK(told == std::vector<double>{1, 61, 181, 421, 901});
  CHECK(scripts == std::vector<double>{0, 61, 181, 421, 901});
  CHECK(bench.instance.rival(t0 + 1199s + 100ms)->adverts == 1200);
  CHECK(bench.instance.rival(t0 + 1199s + 100ms)->since == t0 + 100ms);

  CHECK_FALSE(bench.instance.rival(t0 + 1210s).has_value());
  CHECK(bench.advert(90, t0 + 1210s).back() == "notify MASTER_RX_LOWER_PRI 100");
}

TEST_CASE("master: resignations of others are answered at most twice an interval") {
  Bench bench;
  bench.master();
  CHECK(bench.advert(0, t0 + 100ms) == Lines{"send advert priority 100"});
  CHECK(bench.advert(0, t0 + 101ms).empty());
  CHECK(bench.advert(0, t0 + 599ms).empty());
  CHECK(bench.advert(0, t0 + 600ms) == Lines{"send advert priority 100"});
}

TEST_CASE(
    "master: lower_prio_no_advert only announces; the RFC's letter does nothing "
    "[RFC3768-6.4.3-5]") {
  auto settings = everyday();
  settings.lower_priority_answer = LowerPriorityAnswer::announce_only;
  settings.garp.lower_priority_delay = 0s;
  Bench announces(settings);
  announces.master();
  CHECK(announces.advert(99, t0) == Lines{"announce x5", "notify MASTER_RX_LOWER_PRI 100"});

  settings.lower_priority_answer = LowerPriorityAnswer::none;
  Bench silent(settings);
  silent.master();
  CHECK(silent.advert(99, t0) == Lines{"notify MASTER_RX_LOWER_PRI 100"});
}

TEST_CASE(
    "master: stopping resigns at once and keeps the addresses until the successor speaks "
    "[RFC3768-6.4.3-1]") {
  Bench bench;
  bench.master();
  CHECK(bench.step(Shutdown{}, t0 + 10ms) ==
        Lines{"send advert priority 0", "MASTER -> INIT: stopping"});
  CHECK(bench.instance.holds_addresses());
  CHECK_FALSE(bench.instance.has_stopped());

  CHECK(bench.advert(90, t0 + 660ms).empty());
  CHECK(bench.instance.deadline() == t0 + 660ms + kHandoverGrace);
  CHECK(bench.instance.holds_addresses());  // the successor's own come after its advert
  CHECK(bench.advert(90, t0 + 700ms).empty());
  CHECK(bench.instance.deadline() == t0 + 660ms + kHandoverGrace);

  CHECK(bench.step(Tick{}, t0 + 660ms + kHandoverGrace) == Lines{"withdraw", "notify STOP 100"});
  CHECK(bench.instance.has_stopped());
}

TEST_CASE(
    "master: without a successor the handover ends after the slowest one's skew and an interval") {
  Bench bench;
  bench.master();
  bench.step(Shutdown{}, t0);
  CHECK(bench.instance.deadline() == t0 + 1s + skew_time(1, 1s, 2));
  CHECK(bench.advert(0, t0 + 1s).empty());  // another one that leaves is no successor
  CHECK(bench.step(Tick{}, t0 + 1s + skew_time(1, 1s, 2)) == Lines{"withdraw", "notify STOP 100"});
}

TEST_CASE("master: a known peer shortens the longest handover to its skew and an interval") {
  Bench bench;
  bench.master();
  bench.advert(50, t0 + 1ms);
  bench.step(Shutdown{}, t0 + 1s);
  CHECK(bench.instance.deadline() == t0 + 2s + skew_time(50, 1s, 2));
}

TEST_CASE(
    "master: a second signal, a broken interface or lost addresses end the handover at once") {
  for (const InstanceEvent& event : {InstanceEvent{ShutdownNow{}},
                                     InstanceEvent{InterfaceReport{InterfaceStatus{
                                         .exists = true, .up = false, .primary_address = {}}}},
                                     InstanceEvent{AddressesPlaced{kKey, 1, 0, "no"}}}) {
    Bench bench;
    bench.master();
    bench.step(Shutdown{}, t0);
    CHECK(bench.step(event, t0 + 1ms) == Lines{"withdraw", "notify STOP 100"});
  }
  Bench bench;
  bench.master();
  CHECK(bench.step(ShutdownNow{}, t0) ==
        Lines{"send advert priority 0", "MASTER -> INIT: stopping", "withdraw", "notify STOP 100"});
}

TEST_CASE("master: FAULT resigns only over an interface that can carry it, and withdraws always") {
  Bench down;
  down.master();
  CHECK(down.step(InterfaceReport{InterfaceStatus{
                      .exists = true, .up = false, .primary_address = ip("192.0.2.1")}},
                  t0) == Lines{"withdraw",
                               "MASTER -> FAULT: interface eth0 is down or has no carrier",
                               "notify FAULT 100"});

  Bench lost;
  lost.master();
  CHECK(lost.step(AddressesPlaced{kKey, 1, 0, "eth0 refuses 192.0.2.100/32: no buffer space"},
                  t0) == Lines{"send advert priority 0", "withdraw",
                               "MASTER -> FAULT: eth0 refuses 192.0.2.100/32: no buffer space",
                               "notify FAULT 100"});
}

TEST_CASE("master: addresses that were put back are announced again and counted") {
  Bench bench;
  bench.master();
  CHECK(bench.step(AddressesRepaired{kKey}, t0) == Lines{"announce x5"});
  CHECK(bench.instance.counters().addresses_repaired == 1);
}

TEST_CASE("master: after a silence longer than the peers' patience it listens before it speaks") {
  Bench bench;
  bench.master();
  CHECK(bench.step(ProcessPaused{2s, 0s}, t0 + 3s).empty());  // just in time

  CHECK(bench.step(ProcessPaused{9s, 0s}, t0 + 10s) ==
        Lines{"withdraw",
              "MASTER -> BACKUP: this process did not run for 9.000 s, a peer may have taken over",
              "notify BACKUP 100"});
  CHECK(bench.instance.deadline() == t0 + 10s + 1s + 609'375us);
  CHECK(bench.step(Tick{}, t0 + 10s).empty());
}

TEST_CASE("master: time that the clock did not see counts as silence too") {
  Bench bench;
  bench.master();
  bench.step(ProcessPaused{10s, 10s}, t0 + 100ms);
  CHECK(bench.instance.state_name() == StateName::backup);
}

TEST_CASE("master: a reload adapts priority, interval and addresses in place") {
  Bench bench;
  bench.master();
  CHECK(bench.step(Reconfigure{with_priority(120), {}}, t0 + 100ms).empty());
  CHECK(bench.state<Master>().next_advert_at == t0 + 1s);
  CHECK(bench.step(Tick{}, t0 + 1s) == Lines{"send advert priority 120"});

  auto more = with_priority(120);
  VirtualAddress second = more.addresses.front();
  second.prefix = {ip("192.0.2.101"), 24};
  more.addresses.push_back(second);
  CHECK(bench.step(Reconfigure{more, {}}, t0 + 1100ms) ==
        Lines{"publish 192.0.2.100/32 192.0.2.101/24", "announce x5"});
  CHECK(bench.step(Reconfigure{with_priority(120), {}}, t0 + 1200ms) ==
        Lines{"publish 192.0.2.100/32"});
}

TEST_CASE("master: startup and resume are for beginners") {
  Bench bench;
  bench.master();
  CHECK(bench.step(Startup{}, t0).empty());
  CHECK(bench.step(ResumeFromPage{kKey, t0, t0}, t0).empty());
  CHECK(bench.step(InterfaceReport{kGood}, t0).empty());
}

// ---- Fault ----

TEST_CASE("fault: adverts are counted, time passes, nothing is sent") {
  Bench bench;
  bench.fault();
  CHECK(bench.advert(1, t0 + 1s).empty());
  CHECK(bench.step(Tick{}, t0 + 100s).empty());
  CHECK(bench.step(ProcessPaused{100s, 0s}, t0 + 200s).empty());
  CHECK(bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0).empty());
  CHECK(bench.step(AddressesRepaired{kKey}, t0).empty());
  CHECK(bench.step(Startup{}, t0).empty());
  CHECK(bench.step(Reconfigure{with_priority(120), {}}, t0).empty());
  CHECK(bench.instance.counters().adverts_received == 1);
  CHECK(bench.instance.state_name() == StateName::fault);
}

TEST_CASE("fault: ends when the last reason is gone; the owner listens first then (keepalived)") {
  Bench bench(with_priority(255));
  bench.step(InterfaceReport{InterfaceStatus{.exists = true, .up = false, .primary_address = {}}},
             t0);
  bench.step(Startup{}, t0);
  CHECK(
      bench
          .step(InterfaceReport{InterfaceStatus{.exists = true, .up = true, .primary_address = {}}},
                t0 + 1s)
          .empty());
  CHECK(bench.step(InterfaceReport{kGood}, t0 + 2s) ==
        Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 255"});
  CHECK(bench.instance.deadline() == t0 + 5s + 3'906us);
}

TEST_CASE("fault: addresses are tried again after a while, unless the interface is down too") {
  Bench bench;
  bench.master();
  bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0);
  CHECK(bench.instance.deadline() == t0 + 10s);
  CHECK(bench.step(Tick{}, t0 + 10s) ==
        Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 100"});

  Bench both;
  both.master();
  both.step(AddressesPlaced{kKey, 1, 0, "no"}, t0);
  both.step(InterfaceReport{InterfaceStatus{.exists = true, .up = false, .primary_address = {}}},
            t0 + 1s);
  CHECK(both.step(Tick{}, t0 + 10s).empty());
  CHECK(both.instance.state_name() == StateName::fault);
  CHECK(both.instance.deadline() == std::nullopt);
}

TEST_CASE("addresses: half of them is better than a flap; what comes later is announced") {
  Bench bench;
  bench.master();
  CHECK(bench.step(AddressesPlaced{kKey, 20, 19, "eth0 refuses fd00::200/64"}, t0).empty());
  CHECK(bench.instance.state_name() == StateName::master);
  CHECK(bench.instance.placement() == Placement{20, 19, "eth0 refuses fd00::200/64"});
  CHECK(bench.step(AddressesPlaced{kKey, 20, 20, ""}, t0 + 1s) == Lines{"announce x5"});
}

TEST_CASE("setback: who could not serve leaves a working master alone, for longer each time") {
  Bench bench(with_priority(150));
  bench.master();
  Instant now = t0;
  std::vector<double> pauses;
  for (int i = 0; i < 8; ++i) {
    bench.step(AddressesPlaced{kKey, 1, 0, "no"}, now);
    REQUIRE(bench.instance.state_name() == StateName::fault);
    const Instant failed = now;
    while (bench.instance.state_name() != StateName::master) {
      bench.advert(100, now, "192.0.2.2");  // a healthy peer, every 100 ms
      now += 100ms;
      bench.step(Tick{}, now);
    }
    pauses.push_back(std::floor(std::chrono::duration<double>(now - failed).count() / 10) * 10);
  }
  CHECK(pauses == std::vector<double>{10, 20, 40, 80, 160, 320, 600, 600});
}

TEST_CASE("setback: it takes over from silence, and a minute of service forgives") {
  Bench bench(with_priority(150));
  bench.master();
  bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0);
  bench.step(Tick{}, t0 + 10s);
  bench.advert(100, t0 + 10s);
  CHECK(bench.step(Tick{}, t0 + 10s + 3'414'062us).front() == "send advert priority 150");

  CHECK(bench.instance.setback().has_value());
  for (int i = 14; i < 75; ++i) bench.step(Tick{}, t0 + i * 1s);
  CHECK_FALSE(bench.instance.setback().has_value());
}

TEST_CASE("setback: a reload, or news of the interface, is a reason to try at once") {
  Bench bench(with_priority(150));
  bench.master();
  bench.step(AddressesPlaced{kKey, 1, 0, "no"}, t0);
  CHECK(bench.step(Reconfigure{with_priority(150), {}}, t0 + 1s) ==
        Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 150"});
  CHECK_FALSE(bench.instance.setback().has_value());

  // Renamed while up and back: that the addresses have gone may be told before the name has.
  Bench renamed(with_priority(150));
  renamed.master();
  renamed.step(AddressesPlaced{kKey, 1, 0, "there is no interface eth0"}, t0);
  renamed.step(InterfaceReport{}, t0);
  CHECK(renamed.step(InterfaceReport{kGood}, t0 + 1s) ==
        Lines{"FAULT -> BACKUP: the fault is over", "notify BACKUP 150"});
  renamed.advert(100, t0 + 2s);
  CHECK(renamed.instance.deadline() == t0 + 1s + 3'414'062us);
}

TEST_CASE("adverts: counters, page and pauses follow what left, not what was meant") {
  Bench bench;
  bench.master();
  const Instant left = bench.instance.last_advert_at();
  Actions out;

  bench.instance.step(Tick{}, t0 + 1s, out);
  bench.instance.step(AdvertRefused{kKey, 100, "not permitted"}, t0 + 1s, out);

  CHECK(bench.instance.last_advert_at() == left);
  CHECK(bench.instance.counters().adverts_sent == 1);
  CHECK(bench.instance.counters().adverts_refused == 1);
  CHECK(bench.instance.send_trouble()->why == "not permitted");
  CHECK(bench.instance.state_name() == StateName::master);  // nobody else serves
}

TEST_CASE("adverts: a master that cannot send yields to a weaker one that it hears") {
  Bench bench;
  bench.master();
  for (int i = 1; i <= 5; ++i) {
    Actions out;
    bench.instance.step(Tick{}, t0 + i * 1s, out);
    bench.instance.step(AdvertRefused{kKey, 100, "not permitted"}, t0 + i * 1s, out);
  }
  bench.advert(90, t0 + 5s + 10ms);

  CHECK(bench.instance.state_name() == StateName::fault);
  CHECK(bench.instance.why() == "adverts cannot be sent (not permitted), and 192.0.2.2 is master");
  CHECK(bench.instance.deadline() == t0 + 15s + 10ms);
}

TEST_CASE("fault: without an address to send from a master resigns from the one it had") {
  Bench bench;
  bench.master();
  bench.out.clear();
  bench.instance.step(
      InterfaceReport{InterfaceStatus{.exists = true, .up = true, .primary_address = {}}}, t0,
      bench.out);

  const auto& advert = std::get<SendAdvert>(bench.out.front());
  CHECK(advert.priority == 0);
  CHECK(advert.departure->source == ip("192.0.2.1"));

  Bench renamed;
  renamed.master();
  CHECK(renamed.step(InterfaceReport{}, t0).front() == "send advert priority 0");
}

TEST_CASE("backup: a resignation never lengthens a timer that had less left") {
  Bench bench;
  bench.backup();
  bench.advert(0, t0 + 3'500ms);
  CHECK(bench.instance.deadline() == t0 + 3'609'375us);
}

TEST_CASE("leaving: a slow peer of long ago does not lengthen a stop") {
  Bench bench;
  bench.backup();
  bench.advert(1, t0 + 1s, "192.0.2.9");
  for (int i = 1; i < 700; ++i) bench.advert(200, t0 + i * 1s);
  bench.step(Tick{}, *bench.instance.deadline());
  const Instant now = t0 + 710s;
  bench.step(Shutdown{}, now);
  CHECK(bench.instance.deadline() == now + 1s + skew_time(200, 1s, 2));
}

TEST_CASE("peers: a difference of address lists is remembered until it ends") {
  Bench bench;
  bench.backup();
  AdvertReceived event{kKey, advert_of(everyday(), 200), ip("192.0.2.2"), true};
  event.advert.addresses = {ip("192.0.2.7")};
  bench.step(event, t0);
  CHECK(bench.instance.list_difference() == ListDifference{ip("192.0.2.2"), {ip("192.0.2.7")}});
  bench.advert(200, t0 + 1s);
  CHECK_FALSE(bench.instance.list_difference().has_value());
}

TEST_CASE("fault: shutdown and removal end it") {
  Bench bench;
  bench.fault();
  CHECK(bench.step(Shutdown{}, t0) == Lines{"FAULT -> INIT: stopping", "notify STOP 100"});
}

// ---- Properties ----

TEST_CASE(
    "property: over random events addresses are held exactly as master or in a handover, and ticks "
    "make progress") {
  core::Rng rng(2026);
  for (int run = 0; run < 300; ++run) {
    auto settings = with_priority(static_cast<int>(1 + rng.below(std::uint64_t{255})));
    settings.preempt = rng.chance(50) ? Preempt::yes : Preempt::no;
    settings.preempt_delay = rng.chance(30) ? Duration(2s) : Duration(0s);
    Bench bench(settings);
    bench.backup();
    Instant now = t0;
    bool held = bench.instance.holds_addresses();
    for (int i = 0; i < 100; ++i) {
      now += rng.below(Duration(1500ms));
      switch (rng.below(std::uint64_t{8})) {
        case 0:
          bench.advert(static_cast<int>(rng.below(std::uint64_t{256})), now);
          break;
        case 1:
          bench.step(InterfaceReport{rng.chance(50) ? kGood : InterfaceStatus{}}, now);
          break;
        case 2:
          bench.step(AddressesPlaced{kKey, 1, 0, "no"}, now);
          break;
        case 3:
          bench.step(ProcessPaused{rng.below(Duration(9s)), 0s}, now);
          break;
        case 4:
          bench.step(Reconfigure{settings, {}}, now);
          break;
        default:
          bench.step(Tick{}, now);
          CHECK((!bench.instance.deadline() || *bench.instance.deadline() > now));
          break;
      }
      for (const Action& action : bench.out) {
        if (std::holds_alternative<PublishAddresses>(action)) held = true;
        if (std::holds_alternative<WithdrawAddresses>(action)) held = false;
      }
      REQUIRE(held == bench.instance.holds_addresses());
      REQUIRE(held == (bench.instance.state_name() == StateName::master));
      REQUIRE((bench.instance.state_name() == StateName::fault) ==
              !bench.instance.faults().empty());
    }
  }
}

TEST_CASE("page: a handover is in it with its end, until the addresses have left") {
  Bench bench;
  bench.master();
  const auto last_page = [](const Actions& actions) {
    std::optional<Remember> last;
    for (const Action& action : actions) {
      if (const auto* remember = std::get_if<Remember>(&action)) last = *remember;
    }
    return last.value();
  };

  Actions out;
  bench.instance.step(Shutdown{}, t0 + 300ms, out);
  bench.instance.step(AdvertSent{kKey, kResignPriority}, t0 + 300ms, out);
  const Instant end = *bench.instance.deadline();
  CHECK(last_page(out).hands_over);
  CHECK(last_page(out).state == StateName::init);
  CHECK(last_page(out).last_advert_at + last_page(out).silence_allowed == end + kHandoverLate);

  out.clear();
  bench.instance.step(Tick{}, end, out);
  CHECK_FALSE(last_page(out).hands_over);
}
