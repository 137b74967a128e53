// Reloads that go back by themselves, and reloads that remove too much.
#include "tests/unit/watchdog/driver.hpp"

#include <doctest/doctest.h>

using namespace holdfast::watchdog;
using namespace holdfast::watchdog::test;

namespace {

std::vector<std::string> reports(const Actions& actions, ReportId id) {
  std::vector<std::string> texts;
  for (const Report& report : only<Report>(actions))
    if (report.id == id) texts.push_back(report.text);
  return texts;
}

}  // namespace

TEST_CASE("trial: the former snapshot is kept, the deadline counts from the commit") {
  Driver driver;
  driver.run();

  const Actions actions = driver.reload_on_trial(60s);

  CHECK(only<AdoptGeneration>(actions) ==
        std::vector{AdoptGeneration{.generation = 2, .former = 1}});
  CHECK(reports(actions, ReportId::on_trial) ==
        std::vector<std::string>{"generation 1 returns in 60 s unless generation 2 is confirmed"});
  CHECK(driver.supervisor.confirmation().deadline() == driver.now + 60s);
  CHECK(driver.supervisor.is_steady());
}

TEST_CASE("trial: without an answer the former generation returns through the barrier, unread") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);

  CHECK(deeds(driver.pass(60s - 1ms)) == Actions{});
  Actions back = driver.pass(1ms);

  CHECK(deeds(back) == Actions{ReloadStarted{}, ReuseSnapshot{.former = 1, .generation = 3},
                               SendPrepare{Role::vrrp, 3}, SendPrepare{Role::checkers, 3}});
  CHECK(reports(back, ReportId::going_back) ==
        std::vector<std::string>{
            "generation 2 was not confirmed: generation 1 returns as generation 3"});
  back = driver.agree(3);
  CHECK(only<AdoptGeneration>(back) == std::vector{AdoptGeneration{.generation = 3, .former = 0}});
  CHECK(only<ReloadFinished>(back) ==
        std::vector{ReloadFinished{
            .ok = true,
            .generation = 3,
            .text = "generation 2 was not confirmed: generation 1 returns as generation 3",
            .changes = ""}});
  CHECK_FALSE(driver.supervisor.confirmation().is_waiting());
  CHECK(deeds(driver.pass(10min)) == Actions{});
}

TEST_CASE("trial: confirmed, nothing returns and the former snapshot goes") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(59s);

  const Actions actions = driver.step(ConfirmRequested{});

  CHECK(deeds(actions) == Actions{AdoptGeneration{.generation = 2, .former = 0}});
  CHECK(reports(actions, ReportId::confirmed).size() == 1);
  CHECK(deeds(driver.pass(10min)) == Actions{});
  CHECK(driver.supervisor.generation() == 2);
}

TEST_CASE("trial: given up by hand, the former generation returns at once") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);

  CHECK(only<ReuseSnapshot>(driver.step(RevertRequested{})) ==
        std::vector{ReuseSnapshot{.former = 1, .generation = 3}});
}

TEST_CASE("trial: without one, confirm and revert do nothing") {
  Driver driver;
  driver.run();

  CHECK(driver.step(ConfirmRequested{}) == Actions{});
  CHECK(driver.step(RevertRequested{}) == Actions{});
}

TEST_CASE("trial: a reload meanwhile is not taken and says what to do") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(20s);

  const Actions actions = driver.step(ReloadRequested{});

  CHECK(deeds(actions) == Actions{});
  CHECK(reports(actions, ReportId::reload_not_taken) ==
        std::vector<std::string>{
            "generation 2 awaits confirmation for another 40 s: keep it with `holdfastctl confirm` "
            "or give it up with `holdfastctl revert`, then reload"});
}

TEST_CASE("trial: a reload asked for before it began is answered when it has") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{{.force = false, .confirm_within = 60s}});
  CHECK(driver.step(ReloadRequested{}) == Actions{});
  (void)driver.load();

  const Actions actions = driver.agree(2);

  const auto answers = only<ReloadFinished>(actions);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].ok);
  CHECK_FALSE(answers[1].ok);
  CHECK(answers[1].text.starts_with("generation 2 awaits confirmation"));
  CHECK(only<StartLoader>(actions).empty());
}

TEST_CASE("trial: a request with a confirmation that had to wait gets one") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});
  CHECK(driver.step(ReloadRequested{{.force = false, .confirm_within = 60s}}) == Actions{});
  CHECK(driver.step(ReloadRequested{{.force = true, .confirm_within = 30s}}) == Actions{});
  (void)driver.load();
  (void)driver.agree(2);
  (void)driver.load_with("", "removes everything");

  CHECK(only<AdoptGeneration>(driver.agree(3)) ==
        std::vector{AdoptGeneration{.generation = 3, .former = 2}});
  CHECK(driver.supervisor.confirmation().deadline() == driver.now + 30s);
}

TEST_CASE("trial: a child that dies is restarted with the new generation, the countdown goes on") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(30s);

  CHECK(only<SendPrepare>(driver.exited(Role::vrrp, crash())) ==
        std::vector{SendPrepare{Role::vrrp, 2}});
  (void)driver.settle(Role::vrrp);

  CHECK(deeds(driver.pass(30s - 1ms)) == Actions{});
  CHECK(only<ReuseSnapshot>(driver.pass(1ms)).size() == 1);
}

TEST_CASE("trial: it ends while a child is being restarted: the return waits until it is there") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(60s - 1ms);
  (void)driver.exited(Role::checkers, crash());

  Actions actions = driver.pass(1ms);

  CHECK(only<ReuseSnapshot>(actions).size() == 1);
  CHECK(only<SendPrepare>(actions).empty());
  actions = driver.settle(Role::checkers);
  CHECK(only<SendPrepare>(actions) ==
        std::vector{SendPrepare{Role::vrrp, 3}, SendPrepare{Role::checkers, 3}});
}

TEST_CASE("trial: a return that fails is tried again until it works") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(60s);

  Actions actions = driver.refused(Role::checkers, 3, "no memory");

  CHECK(only<DropCandidate>(actions) == std::vector{DropCandidate{3}});
  CHECK(reports(actions, ReportId::return_failed).size() == 1);
  CHECK(driver.supervisor.generation() == 2);
  CHECK(driver.supervisor.why_no_reload(driver.now));
  CHECK(deeds(driver.pass(5s - 1ms)) == Actions{});
  CHECK(only<ReuseSnapshot>(driver.pass(1ms)) ==
        std::vector{ReuseSnapshot{.former = 1, .generation = 4}});
  actions = driver.agree(4);
  CHECK(only<AdoptGeneration>(actions) ==
        std::vector{AdoptGeneration{.generation = 4, .former = 0}});
}

TEST_CASE("trial: too late to confirm when the former generation is already returning") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);
  (void)driver.pass(60s);

  CHECK(driver.step(ConfirmRequested{}) == Actions{});
  CHECK(driver.supervisor.why_no_reload(driver.now) ==
        "the configuration before generation 2 is returning; reload afterwards");
}

TEST_CASE("trial: a generation whose vrrp process keeps dying is given up at once, not the host") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(10min);

  Actions all;
  for (int death = 1; death <= 5; ++death) {
    Driver::append(all, driver.exited(Role::vrrp, crash()));
    if (!only<ReuseSnapshot>(all).empty()) break;
    Driver::append(all, driver.step(AddressesReleased{}));
    Driver::append(all, driver.pass(8s));
  }
  Driver::append(all, driver.step(AddressesReleased{}));

  CHECK(only<Exit>(all).empty());
  CHECK(only<ReuseSnapshot>(all) == std::vector{ReuseSnapshot{.former = 1, .generation = 3}});
  CHECK(only<SendPrepare>(all).back() == SendPrepare{Role::checkers, 3});
  (void)driver.agree(3);
  CHECK(driver.supervisor.generation() == 3);
  CHECK(driver.state<Live>(Role::vrrp));
}

TEST_CASE("trial: a child that may not run the new generation ends the trial, not the director") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(10min);

  const Actions actions = driver.exited(Role::vrrp, exit_with(4));

  CHECK(only<ReuseSnapshot>(actions).size() == 1);
  CHECK(only<Exit>(actions).empty());
}

TEST_CASE("trial: roles return too") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s, RoleSet::of(Role::vrrp));
  (void)driver.exited(Role::checkers, exit_with(0));

  const Actions actions = driver.pass(60s);

  CHECK(only<Spawn>(actions) == std::vector{Spawn{Role::checkers}});
}

TEST_CASE("trial: its end that comes in the middle of the commit waits for the end of it") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{{.force = false, .confirm_within = 1s}});
  (void)driver.load();
  (void)driver.prepared(Role::vrrp, 2);
  (void)driver.prepared(Role::checkers, 2);
  (void)driver.committed(Role::vrrp, 2);

  CHECK(only<ReuseSnapshot>(driver.pass(5s)).empty());
  (void)driver.committed(Role::checkers, 2);

  CHECK(driver.supervisor.deadline() <= driver.now);
  CHECK(only<ReuseSnapshot>(driver.step(Tick{})).size() == 1);
}

TEST_CASE("trial: stopping ends it") {
  Driver driver;
  driver.run();
  (void)driver.reload_on_trial(60s);

  (void)driver.step(StopRequested{});

  CHECK_FALSE(driver.supervisor.confirmation().is_waiting());
}

TEST_CASE("trial: a reload that is refused leaves nothing to confirm") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{{.force = false, .confirm_within = 60s}});

  (void)driver.refuse_load("bad");

  CHECK_FALSE(driver.supervisor.confirmation().is_waiting());
  CHECK(only<StartLoader>(driver.step(ReloadRequested{})).size() == 1);
}

// ---- reload_limit -------------------------------------------------------------------------------

TEST_CASE("limit: a reload that removes too much is refused before any child hears of it") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{});

  CHECK(deeds(driver.load_with("VI_2: removed", "removes 3 of 4 addresses")) ==
        Actions{DropCandidate{2}, ReloadFinished{.ok = false,
                                                 .generation = 1,
                                                 .text = "removes 3 of 4 addresses\n",
                                                 .changes = ""}});
}

TEST_CASE("limit: forced, it is taken and reports its changes") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{{.force = true, .confirm_within = {}}});
  (void)driver.load_with("VI_2: removed", "removes 3 of 4 addresses");

  CHECK(only<ReloadFinished>(driver.agree(2)) ==
        std::vector{
            ReloadFinished{.ok = true, .generation = 2, .text = "", .changes = "VI_2: removed"}});
}

TEST_CASE("limit: force is for one reload") {
  Driver driver;
  driver.run();
  (void)driver.step(ReloadRequested{{.force = true, .confirm_within = {}}});
  (void)driver.load();
  (void)driver.agree(2);
  (void)driver.step(ReloadRequested{});

  CHECK_FALSE(only<ReloadFinished>(driver.load_with("", "too much")).at(0).ok);
}

// ---- the parent is killed during a trial --------------------------------------------------------

namespace {

constexpr RoleSet kVrrpOnly = RoleSet::of(Role::vrrp);

Actions start_after_a_kill(Driver& driver, Duration left) {
  return driver.step(StartRequested{InterruptedTrial{1, kVrrpOnly, driver.now + left}});
}

}  // namespace

TEST_CASE("trial: the next parent runs what is on trial and goes on counting") {
  Driver driver;
  CHECK(start_after_a_kill(driver, 20s) == Actions{ReloadStarted{}, StartLoader{2}});
  (void)driver.load();

  Actions actions = driver.agree(2);

  CHECK(only<AdoptGeneration>(actions) ==
        std::vector{AdoptGeneration{.generation = 2, .former = 1}});
  CHECK(reports(actions, ReportId::on_trial) ==
        std::vector<std::string>{"generation 1 returns in 20 s unless generation 2 is confirmed"});
  actions = driver.pass(20s);
  CHECK(only<ReuseSnapshot>(actions) == std::vector{ReuseSnapshot{.former = 1, .generation = 3}});
  CHECK(only<SendPrepare>(actions) == std::vector{SendPrepare{Role::vrrp, 3}});
}

TEST_CASE("trial: the next parent takes a confirmation") {
  Driver driver;
  (void)start_after_a_kill(driver, 20s);
  (void)driver.load();
  (void)driver.agree(2);

  const Actions actions = driver.step(ConfirmRequested{});

  CHECK(only<AdoptGeneration>(actions) ==
        std::vector{AdoptGeneration{.generation = 2, .former = 0}});
  CHECK(deeds(driver.pass(10min)) == Actions{});
}

TEST_CASE("trial: whose time ran out while no parent ran is not begun again") {
  Driver driver;

  Actions actions = start_after_a_kill(driver, Duration::zero());

  CHECK(only<StartLoader>(actions).empty());
  CHECK(only<ReuseSnapshot>(actions) == std::vector{ReuseSnapshot{.former = 1, .generation = 2}});
  CHECK(only<Spawn>(actions) == std::vector{Spawn{Role::vrrp}});
  actions = driver.agree(2, kVrrpOnly);
  CHECK(only<AdoptGeneration>(actions) ==
        std::vector{AdoptGeneration{.generation = 2, .former = 0}});
  CHECK(only<AnnounceReady>(actions).size() == 1);
  CHECK_FALSE(driver.supervisor.confirmation().is_waiting());
}

TEST_CASE("trial: a file that does not start any more brings the former configuration back") {
  Driver driver;
  (void)start_after_a_kill(driver, 20s);

  const Actions actions = driver.refuse_load("no such word\n");

  CHECK(only<Exit>(actions).empty());
  CHECK(only<ReuseSnapshot>(actions) == std::vector{ReuseSnapshot{.former = 1, .generation = 3}});
  CHECK(reports(actions, ReportId::start_failed).empty());
  CHECK(reports(actions, ReportId::going_back) ==
        std::vector<std::string>{
            "the configuration on trial when the former parent was killed was not confirmed (it "
            "does not start): generation 1 returns as generation 3"});
  CHECK(only<AnnounceReady>(driver.agree(3, kVrrpOnly)).size() == 1);
}

TEST_CASE("trial: a child that dies at that start does the same, and twice ends the start") {
  Driver driver;
  (void)start_after_a_kill(driver, 20s);
  (void)driver.load(kVrrpOnly);

  Actions actions = driver.exited(Role::vrrp, crash());

  CHECK(only<ReuseSnapshot>(actions) == std::vector{ReuseSnapshot{.former = 1, .generation = 3}});
  CHECK(only<Spawn>(actions).empty());  // what that child may have left is taken off first
  CHECK(only<Spawn>(driver.step(AddressesReleased{})) == std::vector{Spawn{Role::vrrp}});
  actions = driver.exited(Role::vrrp, crash());
  CHECK(reports(actions, ReportId::start_failed).size() == 1);
}
