// Somebody always holds the clock: addresses leave when peers take over, not later, and not
// earlier.
#include "tests/unit/watchdog/driver.hpp"

#include <doctest/doctest.h>

#include <type_traits>

using namespace holdfast::watchdog;
using namespace holdfast::watchdog::test;

// The simulator copies a supervisor to try both ways on.
static_assert(std::is_copy_constructible_v<Supervisor> && std::is_copy_assignable_v<Supervisor>);

TEST_CASE("budget: a successor that is back in time gets its commit and nothing is released") {
  Driver driver;
  driver.run();

  CHECK(deeds(driver.master_died(driver.now + 2500ms)) ==
        Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
  CHECK(driver.silence(driver.now + 2499ms, false, driver.now + 2500ms).empty());

  CHECK(driver.prepared(Role::vrrp, 1) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(driver.committed(Role::vrrp, 1) == Actions{});
  CHECK(only<ReleaseAddresses>(driver.pass(9s)).empty());
}

TEST_CASE("budget: a successor that hangs at birth loses the addresses on the microsecond") {
  Driver driver;
  driver.run();
  (void)driver.master_died(driver.now + 2500ms);
  const Instant end = driver.now + 2500ms;

  CHECK(driver.silence(end - 1us, true, end) == Actions{});
  CHECK(driver.tick(true, end) == Actions{});
  driver.now = end;
  CHECK(driver.tick(true, end) == Actions{ReleaseAddresses{Statics::stay}});

  // Awake again it waits for the end of the release, and starts with a void page.
  CHECK(driver.prepared(Role::vrrp, 1) == Actions{});
  CHECK(driver.step(AddressesReleased{}) == Actions{SendCommit{Role::vrrp, 1}});
  (void)driver.committed(Role::vrrp, 1);
  CHECK(driver.state<Live>(Role::vrrp)->stage == Live::Stage::settled);
}

TEST_CASE("budget: an answer that comes with the end of the budget is too late") {
  Driver driver;
  driver.run();
  (void)driver.master_died(driver.now + 500ms);
  driver.now += 500ms;

  CHECK(driver.prepared(Role::vrrp, 1) == Actions{ReleaseAddresses{Statics::stay}});
}

TEST_CASE("budget: a successor that was told to commit and stands still is ended first") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 500ms;
  (void)driver.master_died(end);
  (void)driver.prepared(Role::vrrp, 1);
  driver.now = end;

  CHECK(deeds(driver.tick(true, end)) ==
        Actions{Strike{Role::vrrp, Blow::kill}, ReleaseAddresses{Statics::stay}});
  // Its death is the second in a row, and no successor starts before the addresses are gone.
  CHECK(only<Spawn>(driver.exited(Role::vrrp, crash())).empty());
  (void)driver.step(AddressesReleased{});
  CHECK(only<Spawn>(driver.pass(1s)) == std::vector{Spawn{Role::vrrp}});
}

TEST_CASE(
    "budget: a successor whose adverts go out already is left alone, its answer may be late") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 500ms;
  (void)driver.master_died(end);
  (void)driver.prepared(Role::vrrp, 1);
  driver.now = end;

  CHECK(driver.tick(false, end + 3s) == Actions{});
  CHECK(*driver.supervisor.deadline() > end);
}

TEST_CASE("budget: a successor that refuses does not keep the addresses while it leaves") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 500ms;
  (void)driver.master_died(end);
  (void)driver.refused(Role::vrrp, 1, "no such interface");
  driver.now = end;

  CHECK(driver.tick(false, end) == Actions{ReleaseAddresses{Statics::stay}});
}

TEST_CASE("budget: one that had passed when the child died is answered before a successor starts") {
  Driver driver;
  driver.run();

  const Actions actions = driver.master_died(driver.now - 1ms);

  CHECK(deeds(actions) == Actions{ReleaseAddresses{Statics::stay}});
  CHECK(only<Spawn>(driver.step(AddressesReleased{})) == std::vector{Spawn{Role::vrrp}});
}

TEST_CASE("budget: a backup that dies has none") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::vrrp, crash());

  CHECK(only<ReleaseAddresses>(driver.pass(9s)).empty());
}

TEST_CASE("budget: with -V nothing is released, and time does not stand still") {
  Driver driver({.keep_addresses = KeepAddresses::yes});
  driver.run();
  (void)driver.master_died(driver.now + 500ms);

  CHECK(only<ReleaseAddresses>(driver.pass(3s)).empty());
}

TEST_CASE("stopped: a master is replaced so early that its successor can resume") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 2s;
  CHECK(driver.step(Observed{Role::vrrp, true, end}) == Actions{});
  CHECK(driver.silence(end - 300ms, true, end) == Actions{});

  CHECK(deeds(driver.tick(true, end)) == Actions{Strike{Role::vrrp, Blow::kill}});
  CHECK(deeds(driver.master_died(end)) == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
  CHECK(driver.prepared(Role::vrrp, 1) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(driver.committed(Role::vrrp, 1) == Actions{});
}

TEST_CASE(
    "stopped: a master that cannot die in time, and one that was seen late, lose everything") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 1s;
  (void)driver.step(Observed{Role::vrrp, true, end});
  driver.now = end - 300ms;
  (void)driver.tick(true, end);
  driver.now = end;
  CHECK(driver.tick(true, end) == Actions{ReleaseAddresses{Statics::stay}});

  Driver late;
  late.run();
  CHECK(deeds(late.tick(true, late.now - 1s)) ==
        Actions{Strike{Role::vrrp, Blow::kill}, ReleaseAddresses{Statics::stay}});
}

TEST_CASE("stopped: one that goes on in time keeps everything") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 1s;
  (void)driver.step(Observed{Role::vrrp, true, end});
  driver.now += 500ms;
  (void)driver.step(Observed{Role::vrrp, false, end});
  (void)driver.step(HeartbeatReceived{Role::vrrp});

  CHECK(driver.silence(end + 1s, false, end + 3s) == Actions{});
}

TEST_CASE("silence: what had passed when a process was last heard is not held against it") {
  Driver driver;
  driver.run();
  const Instant long_ago = driver.now - 1s;  // the adverts of one instance do not leave
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  (void)driver.step(HeartbeatReceived{Role::checkers});

  CHECK(driver.silence(driver.now + 2900ms, false, long_ago) == Actions{});
  CHECK(*driver.supervisor.deadline() > driver.now);
}

TEST_CASE("silence: a hanging master is replaced so early that its successor can resume") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  // Heard last just before a beat, long after its last advert.
  const Instant end = driver.now + 2700ms;

  CHECK(driver.silence(end - 300ms, false, end) == Actions{});
  const Actions actions = driver.tick(false, end);
  CHECK(deeds(actions) == Actions{Strike{Role::vrrp, Blow::abort}});
  CHECK(only<Report>(actions).front().text ==
        "the vrrp process (generation 1) gave no sign of life for 2.4 s, and a peer takes over "
        "unless a successor is back in time");
  CHECK(deeds(driver.master_died(end)) == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE(
    "silence: a hanging master whose advert is due soon is not judged before the second look") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  const Instant end = driver.now + 1200ms;
  const Instant heard = driver.now;

  CHECK(driver.silence(end, false, end) == Actions{});
  CHECK(driver.supervisor.deadline() == heard + 1300ms);
  driver.now = heard + 1300ms;
  CHECK(deeds(driver.tick(false, end)) ==
        Actions{Strike{Role::vrrp, Blow::abort}, ReleaseAddresses{Statics::stay}});
}

TEST_CASE("busy: a process that works is late, said once, and not ended") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});

  const Actions actions = driver.busy(driver.now + 59s, std::nullopt);

  CHECK(actions ==
        Actions{Report{.id = ReportId::child_late,
                       .text = "the vrrp process gave no sign of life for 3.0 s, but it works: it "
                               "is late, not dead"}});
  CHECK(driver.state<Live>(Role::vrrp)->is_late);
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  CHECK_FALSE(driver.state<Live>(Role::vrrp)->is_late);
}

TEST_CASE("busy: one that only wants the processor works as well; one that stops working hangs") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  const Instant heard = driver.now;
  const auto look = [&](Instant when, bool is_working) {
    driver.now = when;
    Actions all = driver.step(Observed{.role = Role::vrrp, .is_working = is_working});
    Driver::append(all, driver.step(Tick{}));
    return deeds(all);
  };

  CHECK(look(heard + 1s, false) == Actions{});
  CHECK(look(heard + 3s, true) == Actions{});
  CHECK(look(heard + 5s, false) == Actions{Strike{Role::vrrp, Blow::abort}});
}

TEST_CASE("busy: it is no excuse for addresses that peers may have, because adverts do not leave") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  const Instant long_ago = driver.now - 10s;
  const Instant heard = driver.now;

  CHECK(deeds(driver.busy(heard + 3s - 1us, long_ago)) == Actions{});
  CHECK(deeds(driver.busy(heard + 3s, long_ago)) ==
        Actions{Strike{Role::vrrp, Blow::abort}, ReleaseAddresses{Statics::stay}});
}

TEST_CASE("busy: an endless loop is ended after a minute, and not begun again without a pause") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});

  const Actions actions = driver.busy(driver.now + 60s, std::nullopt);

  CHECK(only<Strike>(actions) == std::vector{Strike{Role::vrrp, Blow::abort}});
  CHECK(only<Spawn>(driver.exited(Role::vrrp, crash())).empty());
  (void)driver.step(AddressesReleased{});
  REQUIRE(driver.state<Backoff>(Role::vrrp));
  CHECK(driver.state<Backoff>(Role::vrrp)->until == driver.now + 1s);
}

TEST_CASE(
    "busy: a master that works but does not come to its adverts loses the addresses in time") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  const Instant end = driver.now + 3300ms;

  CHECK(deeds(driver.busy(end - 1us, end)) == Actions{});
  CHECK(deeds(driver.busy(end, end)) ==
        Actions{Strike{Role::vrrp, Blow::abort}, ReleaseAddresses{Statics::stay}});

  Driver keeping({.keep_addresses = KeepAddresses::yes});
  keeping.run(RoleSet::of(Role::vrrp));
  (void)keeping.step(HeartbeatReceived{Role::vrrp});
  CHECK(deeds(keeping.busy(end + 9s, end)) == Actions{});
}

TEST_CASE("busy: a successor that works through its commit is given the time") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.prepared(Role::vrrp, 1);

  CHECK(deeds(driver.busy(driver.now + 30s, std::nullopt)) == Actions{});
}

TEST_CASE("stopped: one that holds nothing is killed after three silent seconds, without SIGABRT") {
  Driver driver;
  driver.run();
  driver.beats = false;
  for (const Role role : kRoles) (void)driver.step(HeartbeatReceived{role});
  (void)driver.step(Observed{Role::checkers, true});

  const Actions actions = driver.pass(3s);

  CHECK(only<Strike>(actions) ==
        std::vector{Strike{Role::vrrp, Blow::abort}, Strike{Role::checkers, Blow::kill}});
}

TEST_CASE(
    "hang: the addresses of one that was aborted go with its budget, not with its core file") {
  Driver driver;
  driver.run();
  (void)driver.step(HeartbeatReceived{Role::vrrp});
  (void)driver.step(HeartbeatReceived{Role::checkers});
  const Instant end = driver.now + 2s;

  CHECK(deeds(driver.silence(end, false, end)) == Actions{Strike{Role::vrrp, Blow::abort}});
  CHECK(deeds(driver.tick(false, end)) == Actions{ReleaseAddresses{Statics::stay}});
}

TEST_CASE("stop: a process that stands still while it hands over is ended with its budget") {
  Driver driver;
  driver.run();
  (void)driver.step(StopRequested{});
  const Instant end = driver.now + 700ms;
  (void)driver.tick(true, end);
  driver.now = end;

  CHECK(driver.tick(true, end) == Actions{Strike{Role::vrrp, Blow::kill}, ReleaseAddresses{}});
}

// ---- a child that dies again and again ----------------------------------------------------------

TEST_CASE("resuming: the second death of a master within its budget costs nobody anything") {
  Driver driver;
  driver.run();
  (void)driver.master_died(driver.now + 2s);
  (void)driver.settle(Role::vrrp);

  CHECK(deeds(driver.master_died(driver.now + 2s)) ==
        Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
  CHECK(driver.settle(Role::vrrp) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(only<ReleaseAddresses>(driver.pass(9s)).empty());
}

TEST_CASE("parting: the third death of a master is a handover, and the pause comes after it") {
  Driver driver;
  driver.run();
  for (int death = 1; death <= 2; ++death) {
    (void)driver.master_died(driver.now + 2s);
    (void)driver.settle(Role::vrrp);
  }

  CHECK(deeds(driver.master_died(driver.now + 2s)) ==
        Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
  CHECK(driver.prepared(Role::vrrp, 1) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(driver.committed(Role::vrrp, 1) == Actions{SendStop{Role::vrrp, Statics::stay}});
  driver.now += 700ms;
  CHECK(deeds(driver.exited(Role::vrrp, exit_with(0))) == Actions{});
  REQUIRE(driver.state<Backoff>(Role::vrrp));
  CHECK(driver.state<Backoff>(Role::vrrp)->until == driver.now + 2s);
  CHECK(only<Spawn>(driver.pass(2s)) == std::vector{Spawn{Role::vrrp}});
  CHECK(only<SendStop>(driver.settle(Role::vrrp)).empty());
}

TEST_CASE("parting: one that dies, refuses or hangs as well leaves the addresses to the release") {
  for (const int kind : {0, 1, 2}) {
    Driver driver;
    driver.run();
    for (int death = 1; death <= 2; ++death) {
      (void)driver.master_died(driver.now + 2s);
      (void)driver.settle(Role::vrrp);
    }
    const Instant end = driver.now + 2s;
    (void)driver.master_died(end);
    Actions all;
    if (kind == 0) {
      all = driver.master_died(end);
    } else if (kind == 1) {
      (void)driver.refused(Role::vrrp, 1, "no");
      all = driver.step(ChildExited{Role::vrrp, exit_with(0), "ended", end});
    } else {
      (void)driver.silence(end, true, end);
      all = driver.tick(true, end);
      CHECK(only<SendStop>(driver.committed(Role::vrrp, 1)).empty());
    }
    CHECK_MESSAGE(only<ReleaseAddresses>(all) == std::vector{ReleaseAddresses{Statics::stay}},
                  kind);
    CHECK(only<Spawn>(all).empty());
  }
}

TEST_CASE("parting: a crash loop hands over before the director stands down") {
  Driver driver;
  driver.run();
  for (int death = 1; death < 5; ++death) {
    (void)driver.exited(Role::vrrp, crash());
    (void)driver.step(AddressesReleased{});
    (void)driver.pass(10s);
    (void)driver.settle(Role::vrrp);
  }

  Actions all = driver.master_died(driver.now + 2s);
  Driver::append(all, driver.settle(Role::vrrp));

  CHECK(only<SendStop>(all) == std::vector{SendStop{Role::vrrp}});
  const Actions after = driver.exited(Role::vrrp, exit_with(0));
  CHECK(only<ReleaseAddresses>(after).empty());
  CHECK(only<SendStop>(after) == std::vector{SendStop{Role::checkers}});
  CHECK(only<Exit>(driver.exited(Role::checkers, exit_with(0))) ==
        std::vector{Exit{ExitCode::fatal}});
}

TEST_CASE("static: stays while the director goes on, and is taken off at its end") {
  Driver driver;
  driver.run();
  for (int death = 1; death <= 2; ++death) {
    (void)driver.exited(Role::vrrp, crash());
    (void)driver.step(AddressesReleased{});
    (void)driver.pass(10s);
    (void)driver.settle(Role::vrrp);
  }
  CHECK(deeds(driver.exited(Role::vrrp, crash())) ==
        Actions{ReleaseAddresses{.statics = Statics::stay}});
  (void)driver.step(AddressesReleased{});
  REQUIRE(driver.state<Backoff>(Role::vrrp));

  CHECK(deeds(driver.step(StopRequested{})) ==
        Actions{AnnounceStopping{}, ReleaseAddresses{.statics = Statics::go}});
  CHECK(driver.step(AddressesReleased{}) == Actions{SendStop{Role::checkers}});
}

TEST_CASE("parting: not with a budget that is nearly used up, and not with -V") {
  Driver late;
  late.run();
  (void)late.master_died(late.now + 2s);
  (void)late.settle(Role::vrrp);
  CHECK(deeds(late.master_died(late.now + 100ms)) == Actions{ReleaseAddresses{Statics::stay}});

  Driver keeping({.keep_addresses = KeepAddresses::yes});
  keeping.run();
  (void)keeping.master_died(keeping.now + 2s);
  (void)keeping.settle(Role::vrrp);
  CHECK(deeds(keeping.master_died(keeping.now + 2s)) == Actions{});
}

TEST_CASE("parting: a stop meanwhile is an ordinary stop") {
  Driver driver;
  driver.run();
  (void)driver.master_died(driver.now + 2s);
  (void)driver.settle(Role::vrrp);
  (void)driver.master_died(driver.now + 2s);

  CHECK(only<SendStop>(driver.step(StopRequested{})) == std::vector{SendStop{Role::vrrp}});
  CHECK(only<ReleaseAddresses>(driver.exited(Role::vrrp, exit_with(0))).size() == 1);
  (void)driver.step(AddressesReleased{});
  CHECK(only<Exit>(driver.exited(Role::checkers, exit_with(0))) == std::vector{Exit{ExitCode::ok}});
}

TEST_CASE("stop: a process that hangs instead of handing over is ended with its budget") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 700ms;
  (void)driver.step(StopRequested{});
  // While it served nobody had to look at its page.
  CHECK(driver.supervisor.deadline() == driver.now + 100ms);
  driver.now += 100ms;
  CHECK(driver.tick(false, end).empty());
  CHECK(driver.supervisor.deadline() == end);
  driver.now = end;

  CHECK(driver.tick(false, end) == Actions{Strike{Role::vrrp, Blow::kill}, ReleaseAddresses{}});
}

TEST_CASE("stop: an instance that nobody hears does not cost the others their handover") {
  Driver driver;
  driver.run();
  const Instant long_ago = driver.now - 60s;  // its adverts do not leave, and nobody else serves
  (void)driver.tick(false, long_ago);
  (void)driver.step(StopRequested{});

  CHECK(driver.tick(false, long_ago).empty());
  driver.now += 100ms;
  CHECK(driver.tick(false, driver.now + 2s).empty());  // now all hand over

  Driver hanging;
  hanging.run();
  (void)hanging.step(StopRequested{});
  hanging.now += 100ms;
  CHECK(hanging.tick(false, long_ago) ==
        Actions{Strike{Role::vrrp, Blow::kill}, ReleaseAddresses{}});
}

TEST_CASE("stop: a process that hands over has given up its budget and keeps its time") {
  Driver driver;
  driver.run();
  const Instant end = driver.now + 700ms;
  (void)driver.step(StopRequested{});
  (void)driver.tick(false, end);
  (void)driver.silence(end, false, end);

  CHECK(driver.tick(false, std::nullopt).empty());
  (void)driver.step(HeartbeatReceived{Role::checkers});
  CHECK(only<Strike>(driver.silence(end + 2s, false, std::nullopt)).empty());
}
