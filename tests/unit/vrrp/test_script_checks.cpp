// When tracked scripts run, and what their results mean.
#include "vrrp/core/script_checks.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;
using Run = ScriptChecks::Run;
using Said = ScriptChecks::Said;
using Drop = ScriptChecks::Drop;
using Actions = ScriptChecks::Actions;

namespace {

const core::ScriptOutcome kSuccess{};
const core::ScriptOutcome kFailure{.code = 1};

core::Command command(const std::string& program) {
  return {.argv = {program}, .what = "check", .limit = 500ms};
}

ScriptCheck check(const std::string& name = "chk") {
  return {.name = name, .interval = 1s, .command = command("/bin/" + name)};
}

struct Bench {
  ScriptChecks checks;
  Instant now{1h};

  Actions follow(const std::vector<ScriptCheck>& wanted,
                 const std::set<std::string>& at_work = {}) {
    Actions out;
    checks.follow(wanted, at_work, now, out);
    return out;
  }
  Actions wait_for_deadline() {
    Actions out;
    now = checks.deadline().value();
    checks.tick(now, out);
    return out;
  }
  Actions end(const core::ScriptOutcome& outcome, const ScriptCheck& of = check()) {
    Actions out;
    checks.ended(of.name, of.command, outcome, now, out);
    return out;
  }
  /// One run from its start to its end, both at its time.
  Actions run(const core::ScriptOutcome& outcome) {
    CHECK(wait_for_deadline() == Actions{Run{"chk", check().command}});
    return end(outcome);
  }
};

}  // namespace

TEST_CASE("checks: a script runs at once, then every interval, never twice at a time") {
  Bench bench;
  CHECK(bench.follow({check()}) == Actions{Run{"chk", check().command}});
  CHECK_FALSE(bench.checks.deadline());  // it runs

  bench.now += 2500ms;
  CHECK(bench.end(kSuccess) == Actions{Said{"chk", Verdict::good, "/bin/chk exited with code 0"}});

  CHECK(bench.checks.deadline() == Instant{1h} + 3s);  // what was due meanwhile is left out
  CHECK(bench.wait_for_deadline() == Actions{Run{"chk", check().command}});
}

TEST_CASE("checks: the first result decides alone, then rise and fall in a row do") {
  Bench bench;
  ScriptCheck slow = check();
  slow.rise = 2;
  slow.fall = 3;
  bench.follow({slow});

  CHECK(bench.end(kSuccess).size() == 1);
  CHECK(bench.run(kFailure).empty());
  CHECK(bench.run(kFailure).empty());
  CHECK(bench.run(kSuccess).empty());  // begins to count anew
  CHECK(bench.run(kFailure).empty());
  CHECK(bench.run(kFailure).empty());
  CHECK(bench.run(kFailure) == Actions{Said{"chk", Verdict::bad, "/bin/chk exited with code 1"}});
  CHECK(bench.run(kSuccess).empty());
  CHECK(bench.run(kSuccess).size() == 1);
}

TEST_CASE("checks: exit codes, signals, the time limit and what cannot run are failures") {
  using core::EndedBy;
  using core::ScriptEnd;
  const core::ScriptOutcome failures[] = {
      {.code = 255},
      {.end = ScriptEnd::signalled, .code = 9},
      {.end = ScriptEnd::signalled, .by = EndedBy::time_limit, .code = 15},
      {.end = ScriptEnd::exited, .by = EndedBy::time_limit, .code = 0},
      {.end = ScriptEnd::not_started, .code = 2},
      {.end = ScriptEnd::refused, .why = "no"}};
  for (const core::ScriptOutcome& each : failures) {
    Bench bench;
    bench.follow({check()});
    const Actions said = bench.end(each);
    REQUIRE(said.size() == 1);
    CHECK(std::get<Said>(said[0]).verdict == Verdict::bad);
  }
}

TEST_CASE("checks: a run that says nothing about the script changes nothing and is repeated") {
  using core::EndedBy;
  using core::ScriptEnd;
  const core::ScriptOutcome nothing[] = {
      {.end = ScriptEnd::skipped},
      {.end = ScriptEnd::lost},
      {.end = ScriptEnd::signalled, .by = EndedBy::newer_state, .code = 15},
      {.end = ScriptEnd::signalled, .by = EndedBy::farewell, .code = 15}};
  for (const core::ScriptOutcome& each : nothing) {
    Bench bench;
    bench.follow({check()});
    CHECK(bench.end(each).empty());
    CHECK(bench.run(kFailure).size() == 1);  // still the first result
  }
}

TEST_CASE("checks: one that cannot be ended has failed at its limit and is not run again") {
  Bench bench;
  bench.follow({check()});
  bench.end(kSuccess);
  bench.wait_for_deadline();
  const Instant began = bench.now;
  bench.checks.started("chk", check().command, began);

  CHECK(bench.checks.deadline() == began + 500ms + ScriptChecks::kPatience);
  CHECK(bench.wait_for_deadline() ==
        Actions{Said{"chk", Verdict::bad, "/bin/chk has not ended within 0.500 s"}});
  CHECK(bench.wait_for_deadline().empty());  // it is bad already
  CHECK(bench.end({.end = core::ScriptEnd::signalled, .by = core::EndedBy::time_limit, .code = 9})
            .empty());
  CHECK(bench.run(kSuccess).size() == 1);
}

TEST_CASE("checks: init_fail counts as bad until the first result, which decides alone") {
  Bench bench;
  ScriptCheck careful = check();
  careful.init_fail = true;
  careful.rise = 5;

  const Actions begun = bench.follow({careful});

  REQUIRE(begun.size() == 2);
  CHECK(std::get<Said>(begun[0]).verdict == Verdict::bad);
  CHECK(bench.end(kSuccess, careful).size() == 1);
}

TEST_CASE("checks: a reload keeps results, runs and rhythm of scripts that stay") {
  Bench bench;
  bench.follow({check(), check("other")});
  bench.end(kSuccess);
  bench.now += 100ms;
  ScriptCheck changed = check();
  changed.rise = 3;
  changed.fall = 2;

  CHECK(bench.follow({changed}) == Actions{Drop{"other"}});
  CHECK(bench.checks.deadline() == Instant{1h} + 1s);
  CHECK(bench.end(kFailure, check("other")).empty());  // of one that nobody tracks any more

  SUBCASE("another command is run at once, and its first result decides") {
    changed.command = command("/bin/new");
    CHECK(bench.follow({changed}) == Actions{Run{"chk", changed.command}});
    CHECK(bench.end(kFailure).empty());  // the old command's
    CHECK(bench.end(kFailure, changed) ==
          Actions{Said{"chk", Verdict::bad, "/bin/new exited with code 1"}});
  }
  SUBCASE("a shorter interval counts at once") {
    changed.interval = 200ms;
    bench.follow({changed});
    CHECK(bench.checks.deadline() == bench.now + 200ms);
  }
}

TEST_CASE("checks: init_fail is not said to those who take part already") {
  Bench bench;
  ScriptCheck careful = check();
  careful.init_fail = true;

  CHECK(bench.follow({careful}, {"chk"}) == Actions{Run{"chk", careful.command}});
}

TEST_CASE("checks: one that cannot be ended fails again every interval, until it counts") {
  Bench bench;
  ScriptCheck slow = check();
  slow.fall = 3;
  bench.follow({slow});
  CHECK(bench.end(kSuccess).size() == 1);
  CHECK(bench.wait_for_deadline() == Actions{Run{"chk", check().command}});
  bench.checks.started("chk", check().command, bench.now);

  CHECK(bench.wait_for_deadline().empty());
  CHECK(bench.wait_for_deadline().empty());
  const Actions said = bench.wait_for_deadline();
  REQUIRE(said.size() == 1);
  CHECK(std::get<Said>(said[0]).verdict == Verdict::bad);
}
