#include "tests/unit/watchdog/driver.hpp"

#include <doctest/doctest.h>

using namespace holdfast::watchdog;
using namespace holdfast::watchdog::test;

// ---- start --------------------------------------------------------------------------------------

TEST_CASE("start: load, spawn, prepare, commit together, then ready") {
  Driver driver;

  CHECK(driver.step(StartRequested{}) == Actions{ReloadStarted{}, StartLoader{1}});
  CHECK(driver.load() == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1},
                                 Spawn{Role::checkers}, SendPrepare{Role::checkers, 1}});
  CHECK(driver.prepared(Role::checkers, 1) == Actions{});
  CHECK(driver.prepared(Role::vrrp, 1) ==
        Actions{AdoptGeneration{1}, SendCommit{Role::vrrp, 1}, SendCommit{Role::checkers, 1}});
  CHECK(driver.committed(Role::vrrp, 1) == Actions{});
  CHECK(driver.committed(Role::checkers, 1) ==
        Actions{ReloadFinished{.ok = true, .generation = 1, .text = ""}, AnnounceReady{}});
  CHECK(driver.supervisor.is_steady());
  CHECK(driver.supervisor.generation() == 1);
}

TEST_CASE("start: a child is started only when the configuration has something for it") {
  Driver driver;
  (void)driver.step(StartRequested{});

  CHECK(driver.load(RoleSet::of(Role::checkers)) ==
        Actions{Spawn{Role::checkers}, SendPrepare{Role::checkers, 1}});

  CHECK(driver.state<Idle>(Role::vrrp));
}

TEST_CASE("start: an empty configuration runs without children and is ready") {
  Driver driver;
  (void)driver.step(StartRequested{});

  // What a killed predecessor had on the interfaces goes, although no vrrp process will look.
  CHECK(driver.load(RoleSet{}, "nothing to do") ==
        Actions{AdoptGeneration{1}, ReleaseAddresses{},
                ReloadFinished{.ok = true, .generation = 1, .text = "nothing to do"},
                AnnounceReady{}});
}

TEST_CASE(
    "start: a configuration with errors ends it with the loader's exit code and diagnostics") {
  Driver driver;
  (void)driver.step(StartRequested{});

  CHECK(deeds(driver.refuse_load("a.conf:1:1: error", ExitCode::no_config_file)) ==
        Actions{DropCandidate{1},
                ReloadFinished{.ok = false, .generation = 0, .text = "a.conf:1:1: error"},
                ReleaseAddresses{}, AnnounceStopping{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::no_config_file}});
}

TEST_CASE("start: one that fails takes off what an earlier life has left, and only then ends") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load(RoleSet::of(Role::checkers));

  const Actions actions = driver.exited(Role::checkers, crash());

  CHECK(only<ReleaseAddresses>(actions).size() == 1);
  CHECK(only<Exit>(actions).empty());
  CHECK(only<Exit>(driver.step(AddressesReleased{})) == std::vector{Exit{ExitCode::fatal}});

  Driver keeping({.keep_addresses = KeepAddresses::yes});
  (void)keeping.step(StartRequested{});
  CHECK(only<ReleaseAddresses>(keeping.refuse_load("no", ExitCode::bad_config)).empty());
}

TEST_CASE("start: a child that refuses ends it with exit code 2, children stopped in order") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load();

  const Actions actions = driver.refused(Role::checkers, 1, "no");

  CHECK(only<SendStop>(actions) == std::vector{SendStop{Role::vrrp}, SendStop{Role::checkers}});
  (void)driver.exited(Role::checkers, exit_with(0));
  (void)driver.exited(Role::vrrp, exit_with(0));
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::bad_config}});
}

TEST_CASE("start: a child without permission ends it with exit code 4") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load(RoleSet::of(Role::vrrp));

  const Actions actions = driver.exited(Role::vrrp, exit_with(4), "exited with code 4");

  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::no_permission}});
  CHECK(only<ReloadFinished>(actions).at(0).text ==
        "the vrrp process exited with code 4 while it prepared the configuration");
}

TEST_CASE("start: a child that crashes while starting ends it, without endless tries") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load(RoleSet::of(Role::vrrp));

  (void)driver.exited(Role::vrrp, crash());
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::fatal}});
}

TEST_CASE("start: a loader that never ends is killed and the start fails") {
  Driver driver;
  (void)driver.step(StartRequested{});
  CHECK(driver.supervisor.deadline() == kStart + 30s);

  driver.now += 30s;
  CHECK(driver.step(Tick{}) == Actions{KillLoader{}});
  CHECK(driver.step(Tick{}) == Actions{});

  (void)driver.refuse_load("killed", ExitCode::fatal);
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::fatal}});
}

TEST_CASE("start: no answer to prepare ends it in bounded time") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load(RoleSet::of(Role::vrrp));

  const Actions actions = driver.pass(10s);

  CHECK(only<ReloadFinished>(actions) ==
        std::vector{
            ReloadFinished{.ok = false, .generation = 0, .text = "no answer in time from: vrrp"}});
  CHECK(only<SendStop>(actions) == std::vector{SendStop{Role::vrrp}});
}

// ---- death and restart --------------------------------------------------------------------------

TEST_CASE(
    "crash: the first death is answered at once, with the current generation, keeping the "
    "addresses") {
  Driver driver;
  driver.run();
  driver.now += 5s;

  CHECK(deeds(driver.exited(Role::vrrp, crash(), "was killed by signal 11")) ==
        Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
  CHECK(driver.settle(Role::vrrp) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(driver.supervisor.child(Role::vrrp).restarts == 1);
  CHECK(driver.supervisor.child(Role::vrrp).last_exit == "was killed by signal 11");
}

TEST_CASE("crash: exit code 0 without having been asked to stop is a death like any other") {
  Driver driver;
  driver.run();

  CHECK(only<Spawn>(driver.exited(Role::checkers, exit_with(0))) ==
        std::vector{Spawn{Role::checkers}});
}

TEST_CASE("crash: the second death soon after releases the addresses and waits a second") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.settle(Role::vrrp);

  CHECK(deeds(driver.exited(Role::vrrp, crash())) == Actions{ReleaseAddresses{Statics::stay}});
  CHECK(driver.state<Backoff>(Role::vrrp)->until == driver.now + 1s);
  CHECK(driver.step(AddressesReleased{}) == Actions{});
  CHECK(driver.pass(999ms) == Actions{});
  CHECK(driver.pass(1ms) == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE("crash: no successor starts while the addresses are still being released") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.exited(Role::vrrp, crash());

  CHECK(driver.pass(5s) == Actions{});

  CHECK(driver.step(AddressesReleased{}) == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE("crash: with -V the addresses are left alone") {
  Driver driver({.keep_addresses = KeepAddresses::yes});
  driver.run();
  (void)driver.exited(Role::vrrp, crash());

  CHECK(deeds(driver.exited(Role::vrrp, crash())) == Actions{});
  CHECK(driver.pass(1s) == Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE("crash: a checkers death never touches the addresses") {
  Driver driver;
  driver.run();

  for (int death = 0; death < 8; ++death) {
    const Actions actions = driver.exited(Role::checkers, crash());
    CHECK(only<ReleaseAddresses>(actions).empty());
    CHECK(only<Exit>(actions).empty());
    while (!driver.state<Live>(Role::checkers)) (void)driver.pass(500ms);
    (void)driver.settle(Role::checkers);
  }
  CHECK(driver.supervisor.is_steady());
}

TEST_CASE(
    "crash loop of vrrp: addresses released, checkers stopped, exit 1 so that the peer takes "
    "over") {
  Driver driver;
  driver.run();
  for (int death = 1; death <= 4; ++death) {
    (void)driver.exited(Role::vrrp, crash());
    (void)driver.step(AddressesReleased{});
    (void)driver.pass(5s);
    (void)driver.settle(Role::vrrp);
  }

  CHECK(deeds(driver.exited(Role::vrrp, crash())) ==
        Actions{ReleaseAddresses{}, AnnounceStopping{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{SendStop{Role::checkers}});
  CHECK(driver.exited(Role::checkers, exit_with(0)) == Actions{Exit{ExitCode::fatal}});
}

TEST_CASE("crash: after a stable minute the record is clean") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.settle(Role::vrrp);
  (void)driver.pass(61s);

  CHECK(only<Spawn>(driver.exited(Role::vrrp, crash())) == std::vector{Spawn{Role::vrrp}});
}

TEST_CASE("-R: the first death stops everything with exit code 1") {
  Driver driver({.respawn = Respawn::no});
  driver.run();

  const Actions actions = driver.exited(Role::checkers, crash());

  CHECK(deeds(actions) == Actions{AnnounceStopping{}, SendStop{Role::vrrp}});
  CHECK(driver.exited(Role::vrrp, exit_with(0)) == Actions{Exit{ExitCode::fatal}});
}

TEST_CASE("vrrp that lost its permission for good: addresses released, exit code 4") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));

  CHECK(deeds(driver.exited(Role::vrrp, exit_with(4))) ==
        Actions{ReleaseAddresses{}, AnnounceStopping{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::no_permission}});
}

TEST_CASE(
    "checkers that cannot run any more: given up, traffic and vrrp go on, a reload tries again") {
  Driver driver;
  driver.run();

  CHECK(deeds(driver.exited(Role::checkers, exit_with(4))) == Actions{});
  CHECK(driver.state<Failed>(Role::checkers));
  CHECK(driver.pass(5s) == Actions{});

  (void)driver.step(ReloadRequested{});
  CHECK(only<Spawn>(driver.load()) == std::vector{Spawn{Role::checkers}});
}

TEST_CASE("a failed spawn counts as a death") {
  Driver driver;
  driver.run();

  CHECK(only<Spawn>(driver.exited(Role::checkers, crash())).size() == 1);
  CHECK(deeds(driver.step(SpawnFailed{Role::checkers, "could not be started"})) == Actions{});
  CHECK(driver.state<Backoff>(Role::checkers)->until == driver.now + 1s);
}

TEST_CASE("a start that cannot make any process ends, although each failure is told on its own") {
  Driver driver;
  (void)driver.step(StartRequested{});
  (void)driver.load();

  // The first failure ends the start and asks the other child to stop, which was never there.
  Actions all = driver.step(SpawnFailed{Role::vrrp, "could not be started: no more files"});
  Driver::append(all, driver.step(SpawnFailed{Role::checkers, "could not be started"}));
  Driver::append(all, driver.step(AddressesReleased{}));

  CHECK(only<Exit>(all) == std::vector{Exit{ExitCode::fatal}});
}

TEST_CASE("a stop between a spawn and the news that it failed ends all the same") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.step(StopRequested{});

  (void)driver.step(SpawnFailed{Role::vrrp, "could not be started"});

  // What its predecessor left on the interfaces goes first.
  CHECK(only<Exit>(driver.step(AddressesReleased{})) == std::vector{Exit{ExitCode::ok}});
}

TEST_CASE("a successor that refuses what ran before is stopped and tried again later") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::checkers, crash());

  CHECK(deeds(driver.refused(Role::checkers, 1, "no memory")) == Actions{SendStop{Role::checkers}});
  CHECK(deeds(driver.exited(Role::checkers, exit_with(0))) == Actions{});
  CHECK(driver.pass(1s) == Actions{Spawn{Role::checkers}, SendPrepare{Role::checkers, 1}});
}

// ---- hanging ------------------------------------------------------------------------------------

TEST_CASE("hang: three silent seconds bring SIGABRT, another one SIGKILL, then the successor") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  driver.beats = false;
  CHECK(driver.pass(3s - 1us) == Actions{});

  CHECK(deeds(driver.pass(1us)) == Actions{Strike{Role::vrrp, Blow::abort}});
  CHECK(driver.pass(1s - 1us) == Actions{});
  CHECK(driver.pass(1us) == Actions{Strike{Role::vrrp, Blow::kill}});
  CHECK(driver.pass(10s) == Actions{});

  CHECK(deeds(driver.exited(Role::vrrp, {ExitStatus::Kind::signalled, 9})) ==
        Actions{Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE("hang: a process that has not said hello yet is given ten seconds to start") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  driver.beats = false;
  (void)driver.exited(Role::vrrp, crash());  // its successor starts on a slow machine

  CHECK(deeds(driver.pass(10s - 1us)) == Actions{});
  CHECK(deeds(driver.pass(1us)) == Actions{Strike{Role::vrrp, Blow::abort}});
}

TEST_CASE("hang: from the first frame on three seconds of silence count") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  driver.beats = false;
  (void)driver.exited(Role::vrrp, crash());
  (void)driver.pass(8s);
  (void)driver.prepared(Role::vrrp, 1);

  CHECK(deeds(driver.pass(3s - 1us)) == Actions{});
  CHECK(deeds(driver.pass(1us)) == Actions{Strike{Role::vrrp, Blow::abort}});
}

TEST_CASE("hang: any frame is a sign of life") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  driver.beats = false;
  (void)driver.pass(2s);
  (void)driver.committed(Role::vrrp, 0);

  CHECK(deeds(driver.pass(3s - 1us)) == Actions{});
}

TEST_CASE("hang: a watchdog that did not run itself blames nobody and gives the full time again") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  driver.now += 10s;  // the whole machine was paused

  CHECK(deeds(driver.step(Tick{})) == Actions{});

  driver.beats = false;
  CHECK(deeds(driver.pass(3s - 1us)) == Actions{});
  CHECK(deeds(driver.pass(1us)) == Actions{Strike{Role::vrrp, Blow::abort}});
}

TEST_CASE("hang: a restarted child that never answers is of no use, heartbeat or not") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::vrrp, crash());

  // It reads beside its loop and may take long; peers take its addresses over meanwhile.
  CHECK(only<Strike>(driver.pass(60s - 1us)).empty());
  CHECK(only<Strike>(driver.pass(1us)) == std::vector{Strike{Role::vrrp, Blow::abort}});
}

// ---- reload -------------------------------------------------------------------------------------

TEST_CASE("reload: broken files: diagnostics, and nothing else happens") {
  Driver driver;
  driver.run();

  CHECK(driver.step(ReloadRequested{}) == Actions{ReloadStarted{}, StartLoader{2}});
  CHECK(driver.refuse_load("a.conf:3:7: error: unknown word") ==
        Actions{DropCandidate{2},
                ReloadFinished{
                    .ok = false, .generation = 1, .text = "a.conf:3:7: error: unknown word"}});
  CHECK(driver.supervisor.is_steady());
  CHECK(driver.supervisor.generation() == 1);
}

TEST_CASE("reload: both prepare, then both commit; no process is started or ended") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});

  CHECK(driver.load() == Actions{SendPrepare{Role::vrrp, 2}, SendPrepare{Role::checkers, 2}});
  CHECK(driver.prepared(Role::vrrp, 2) == Actions{});
  CHECK(driver.prepared(Role::checkers, 2) ==
        Actions{AdoptGeneration{2}, SendCommit{Role::vrrp, 2}, SendCommit{Role::checkers, 2}});
  CHECK(driver.committed(Role::vrrp, 2) == Actions{});
  CHECK(driver.committed(Role::checkers, 2) ==
        Actions{ReloadFinished{.ok = true, .generation = 2, .text = ""}});
}

TEST_CASE("reload: a refusal aborts for everybody and the old generation stays") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.load(RoleSet::all(), "a.conf:1:1: warning: odd");
  (void)driver.prepared(Role::vrrp, 2);

  CHECK(
      driver.refused(Role::checkers, 2, "too many") ==
      Actions{SendAbort{Role::vrrp, 2}, SendAbort{Role::checkers, 2}, DropCandidate{2},
              ReloadFinished{.ok = false,
                             .generation = 1,
                             .text = "a.conf:1:1: warning: odd\n"
                                     "the checkers process refuses the configuration: too many"}});
  CHECK(driver.state<Live>(Role::vrrp)->stage == Live::Stage::settled);
  CHECK(driver.supervisor.generation() == 1);
}

TEST_CASE("reload: a child that does not answer in time aborts it and is not punished") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.load();
  (void)driver.prepared(Role::vrrp, 2);

  const Actions actions = driver.pass(10s);

  CHECK(only<ReloadFinished>(actions) ==
        std::vector{ReloadFinished{
            .ok = false, .generation = 1, .text = "no answer in time from: checkers"}});
  CHECK(only<Strike>(actions).empty());
  CHECK(driver.prepared(Role::checkers, 2) == Actions{});  // too late, means nothing
  CHECK(driver.supervisor.is_steady());
}

TEST_CASE("reload: a child that dies meanwhile aborts it and comes back with the old generation") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.load();
  (void)driver.prepared(Role::checkers, 2);

  CHECK(deeds(driver.exited(Role::vrrp, crash(), "crashed")) ==
        Actions{
            SendAbort{Role::checkers, 2}, DropCandidate{2},
            ReloadFinished{.ok = false,
                           .generation = 1,
                           .text = "the vrrp process crashed while it prepared the configuration"},
            Spawn{Role::vrrp}, SendPrepare{Role::vrrp, 1}});
}

TEST_CASE("reload: a child that dies after the commit comes back with the new generation") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.load();
  (void)driver.prepared(Role::vrrp, 2);
  (void)driver.prepared(Role::checkers, 2);
  (void)driver.committed(Role::checkers, 2);

  CHECK(deeds(driver.exited(Role::vrrp, crash())) ==
        Actions{ReloadFinished{.ok = true, .generation = 2, .text = ""}, Spawn{Role::vrrp},
                SendPrepare{Role::vrrp, 2}});
}

TEST_CASE(
    "reload: a role that appears is started inside the barrier, one that disappears is stopped at "
    "the commit") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(ReloadRequested{});

  CHECK(driver.load(RoleSet::of(Role::checkers)) ==
        Actions{Spawn{Role::checkers}, SendPrepare{Role::checkers, 2}});
  CHECK(driver.prepared(Role::checkers, 2) ==
        Actions{AdoptGeneration{2}, SendStop{Role::vrrp}, SendCommit{Role::checkers, 2}});
  (void)driver.committed(Role::checkers, 2);
  CHECK(driver.exited(Role::vrrp, exit_with(0)) == Actions{});
  CHECK(driver.state<Idle>(Role::vrrp));
}

TEST_CASE("reload: a role that was started for a reload that fails is stopped again") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(ReloadRequested{});
  (void)driver.load();

  const Actions actions = driver.refused(Role::vrrp, 2, "no");

  CHECK(only<SendStop>(actions) == std::vector{SendStop{Role::checkers}});
  CHECK(driver.exited(Role::checkers, exit_with(0)) == Actions{});
  CHECK(driver.state<Idle>(Role::checkers));
}

TEST_CASE(
    "reload: a child that waits after crashes gets its chance at once with the new configuration") {
  Driver driver;
  driver.run();
  (void)driver.exited(Role::checkers, crash());
  (void)driver.exited(Role::checkers, crash());
  REQUIRE(driver.state<Backoff>(Role::checkers));
  (void)driver.step(ReloadRequested{});

  CHECK(driver.load() ==
        Actions{SendPrepare{Role::vrrp, 2}, Spawn{Role::checkers}, SendPrepare{Role::checkers, 2}});
  // The reload fails after all: it still is needed, with the old generation.
  const Actions actions = driver.refused(Role::vrrp, 2, "no");
  CHECK(only<SendPrepare>(actions) == std::vector{SendPrepare{Role::checkers, 1}});
}

TEST_CASE("reload: the barrier waits until a restart in progress has settled") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.exited(Role::vrrp, crash());

  CHECK(driver.load() == Actions{});
  CHECK(driver.prepared(Role::vrrp, 1) == Actions{SendCommit{Role::vrrp, 1}});
  CHECK(driver.committed(Role::vrrp, 1) ==
        Actions{SendPrepare{Role::vrrp, 2}, SendPrepare{Role::checkers, 2}});
}

TEST_CASE("reload: asked for during a reload, it is done once more afterwards, once") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  CHECK(driver.step(ReloadRequested{}) == Actions{});
  CHECK(driver.step(ReloadRequested{}) == Actions{});
  (void)driver.load();

  const Actions actions = driver.agree(2);

  CHECK(only<StartLoader>(actions) == std::vector{StartLoader{3}});
  (void)driver.load();
  CHECK(only<StartLoader>(driver.agree(3)).empty());
}

TEST_CASE("reload: also after a failed one") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  (void)driver.step(ReloadRequested{});

  CHECK(only<StartLoader>(driver.refuse_load("bad")) == std::vector{StartLoader{3}});
}

// ---- stop ---------------------------------------------------------------------------------------

TEST_CASE("stop: vrrp first, the table serves until it is gone, then checkers, then exit 0") {
  Driver driver;
  driver.run();

  CHECK(driver.step(StopRequested{}) == Actions{AnnounceStopping{}, SendStop{Role::vrrp}});
  CHECK(driver.exited(Role::vrrp, exit_with(0)) == Actions{SendStop{Role::checkers}});
  CHECK(driver.exited(Role::checkers, exit_with(0)) == Actions{Exit{ExitCode::ok}});
}

TEST_CASE("stop: a child that does not end in time is killed, and its addresses are released") {
  Driver driver;
  driver.run();
  (void)driver.step(StopRequested{});

  CHECK(driver.pass(10s) == Actions{Strike{Role::vrrp, Blow::kill}});
  CHECK(driver.exited(Role::vrrp, {ExitStatus::Kind::signalled, 9}) == Actions{ReleaseAddresses{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{SendStop{Role::checkers}});
}

TEST_CASE("stop: a successor that ran nothing yet leaves its predecessor's addresses to us") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.exited(Role::vrrp, crash());  // a successor is started at once
  (void)driver.step(StopRequested{});

  CHECK(driver.exited(Role::vrrp, exit_with(0)) == Actions{ReleaseAddresses{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::ok}});
}

TEST_CASE("stop: during backoff nothing is started again") {
  Driver driver;
  driver.run(RoleSet::of(Role::checkers));
  (void)driver.exited(Role::checkers, crash());
  (void)driver.exited(Role::checkers, crash());

  CHECK(driver.step(StopRequested{}) == Actions{AnnounceStopping{}, Exit{ExitCode::ok}});
}

TEST_CASE("stop: during the load the loader is killed and whoever waits gets an answer") {
  Driver driver;
  driver.run(RoleSet{});
  (void)driver.step(ReloadRequested{});

  CHECK(driver.step(StopRequested{}) ==
        Actions{AnnounceStopping{}, KillLoader{}, ReloadStarted{},
                ReloadFinished{.ok = false, .generation = 1, .text = "holdfast is stopping"},
                Exit{ExitCode::ok}});
}

TEST_CASE("stop: in the middle of a barrier the candidate is dropped") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(ReloadRequested{});
  (void)driver.load(RoleSet::of(Role::vrrp));

  CHECK(driver.step(StopRequested{}) ==
        Actions{AnnounceStopping{}, DropCandidate{2}, ReloadStarted{},
                ReloadFinished{.ok = false, .generation = 1, .text = "holdfast is stopping"},
                SendStop{Role::vrrp}});
}

TEST_CASE(
    "stop: asked twice, nobody waits for a successor any more; a reload is answered with no") {
  Driver driver;
  driver.run();
  (void)driver.step(StopRequested{});
  (void)driver.tick(false, std::nullopt);
  driver.now += 1s;

  CHECK(deeds(driver.step(StopRequested{})) == Actions{SendStop{Role::vrrp}});
  CHECK(driver.step(StopRequested{}) == Actions{});
  CHECK(only<ReloadFinished>(driver.step(ReloadRequested{})).at(0).text == "holdfast is stopping");
  CHECK(only<Strike>(driver.pass(2s - 1ms)).empty());
  CHECK(only<Strike>(driver.pass(1ms)) == std::vector{Strike{Role::vrrp, Blow::kill}});
}

TEST_CASE("stop: a checkers process is given its full time, however often it is asked") {
  Driver driver;
  driver.run();
  (void)driver.step(StopRequested{});
  (void)driver.exited(Role::vrrp, exit_with(0));

  CHECK(deeds(driver.step(StopRequested{})) == Actions{});
  CHECK(only<Strike>(driver.pass(9s)).empty());
}

TEST_CASE("stop: a child that crashes instead of stopping is not restarted") {
  Driver driver;
  driver.run(RoleSet::of(Role::vrrp));
  (void)driver.step(StopRequested{});

  CHECK(driver.exited(Role::vrrp, crash()) == Actions{ReleaseAddresses{}});
  CHECK(driver.step(AddressesReleased{}) == Actions{Exit{ExitCode::ok}});
}
