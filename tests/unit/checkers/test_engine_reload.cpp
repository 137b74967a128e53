// The engine from one configuration to the next, and from one process to the next.
#include "tests/unit/checkers/engine_bench.hpp"

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

/// Two services, server 1 down, everything heard from.
Bench settled() {
  Bench bench;
  bench.configure({{service(1, {1, 2}), service(2, {3})}});
  bench.run_for(10s);
  bench.answers[server_at(1)] = kBad;
  bench.run_for(30s);
  REQUIRE(bench.weights(1) == Weights{{server_at(2), 1}});
  bench.actions.clear();
  return bench;
}

}  // namespace

TEST_CASE("reload: an unchanged configuration does nothing at all, and keeps every deadline") {
  Bench bench = settled();
  const auto deadline = bench.engine.deadline();
  const auto since = bench.engine.services()[0].servers[0].since;
  bench.configure({{service(1, {1, 2}), service(2, {3})}});
  CHECK(bench.actions.empty());
  CHECK(bench.engine.deadline() == deadline);
  CHECK(bench.engine.services()[0].servers[0].since == since);
  CHECK(bench.engine.services()[0].servers[0].standing.state == ServerState::down);
}

TEST_CASE("reload: order of services and servers does not matter") {
  Bench bench = settled();
  bench.configure({{service(2, {3}), service(1, {2, 1})}});
  CHECK(bench.actions.empty());
  CHECK(bench.engine.services()[1].servers[1].standing.state == ServerState::down);
}

TEST_CASE("reload: a new weight is one change of the table and keeps the verdicts") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  settings.services[0].servers[0].entry.weight = 7;
  settings.services[0].servers[1].entry.weight = 9;
  bench.configure(settings);
  CHECK(bench.actions == Actions{TableChanged{service_at(1)}});
  CHECK(bench.weights(1) == Weights{{server_at(2), 9}});
}

TEST_CASE("reload: a failed server stays failed when only its pace or its patience changes") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  auto& check = settings.services[0].servers[0].checks[0];
  check.pace.retry = 9;
  check.pace.delay_loop = 2s;
  check.probe.timeout = 1s;
  bench.configure(settings);
  CHECK(bench.take<TableChanged>().empty());
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
}

TEST_CASE(
    "reload: a failed server stays failed when its check becomes another one, until that "
    "succeeds") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  settings.services[0].servers[0].checks[0].probe.target.port = 8080;
  bench.configure(settings);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
  bench.run_for(10s);
  CHECK(bench.weights(1) == Weights{{server_at(1), 1}, {server_at(2), 1}});
}

TEST_CASE(
    "reload: an up server whose check becomes another one stays in the table and has its retries") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  auto& check = settings.services[0].servers[1].checks[0];
  check.probe.target.port = 8080;
  bench.answers[check.probe.target] = kBad;
  bench.configure(settings);
  bench.run_for(2s);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
  bench.run_for(9s);
  CHECK(bench.weights(1).empty());
}

TEST_CASE("reload: a check that is taken away no longer holds its server down") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  settings.services[0].servers[0].checks.clear();
  bench.configure(settings);
  CHECK(bench.weights(1) == Weights{{server_at(1), 1}, {server_at(2), 1}});
}

TEST_CASE("reload: new servers start as alpha says, old ones do not notice") {
  Bench bench = settled();
  Settings settings{{service(1, {1, 2, 5, 6}), service(2, {3})}};
  settings.services[0].servers[3].checks[0].alpha = true;
  bench.configure(settings);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}, {server_at(5), 1}});
  CHECK(bench.take<Notify>().empty());
  bench.run_for(2s);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}, {server_at(5), 1}, {server_at(6), 1}});
}

TEST_CASE(
    "reload: a service that is gone leaves the table, its probes end, its records are forgotten") {
  Bench bench = settled();
  const std::size_t records = bench.page.size();
  bench.configure({{service(1, {1, 2})}});
  CHECK(bench.take<TableChanged>() == std::vector{TableChanged{service_at(2)}});
  CHECK_FALSE(bench.engine.desired().services.contains(service_at(2)));
  CHECK(bench.engine.probe_count() == 2);
  CHECK(bench.take<Forget>().size() == 2);
  CHECK(bench.page.size() == records - 2);
  const int runs = bench.runs[server_at(3)];
  bench.run_for(60s);
  CHECK(bench.runs[server_at(3)] == runs);
}

TEST_CASE(
    "reload: a probe that is under way ends with its last subscriber and goes on with any other") {
  Engine engine{core::Rng(1)};
  Actions actions;
  engine.step(Configure{{{service(1, {1}), service(2, {1}), service(3, {4})}}, {}}, t0, actions);
  actions.clear();
  engine.step(Tick{}, t0 + 1s, actions);
  REQUIRE(actions.size() == 2);
  const auto shared = engine.services()[1].servers[0].checks[0].probe;
  const auto lonely = engine.services()[2].servers[0].checks[0].probe;
  actions.clear();

  engine.step(Configure{{{service(2, {1})}}, {}}, t0 + 1s, actions);
  CHECK(std::count(actions.begin(), actions.end(), Action{StopProbe{lonely}}) == 1);
  CHECK(std::count(actions.begin(), actions.end(), Action{StopProbe{shared}}) == 0);
  actions.clear();

  engine.step(ProbeFinished{lonely, kBad}, t0 + 2s, actions);
  CHECK(actions.empty());
  engine.step(ProbeFinished{shared, kBad}, t0 + 2s, actions);
  CHECK(std::count(actions.begin(), actions.end(),
                   Action{ServerChanged{0, 0, false, "connection refused"}}) == 1);
  CHECK(engine.deadline() == t0 + 7s);
}

TEST_CASE("reload: a new service with a probe that is known already starts with what is known") {
  Bench bench = settled();
  bench.configure({{service(9, {1, 2}), service(1, {1, 2}), service(2, {3})}});
  CHECK(bench.weights(9) == Weights{{server_at(2), 1}});
  CHECK(bench.engine.probe_count() == 3);
}

TEST_CASE("reload: quorum with hysteresis keeps its side of the dead band") {
  Settings settings{{service(1, {1, 2, 3, 4})}};
  settings.services[0].quorum = 3;
  settings.services[0].hysteresis = 1;
  Bench bench;
  bench.configure(settings);
  bench.run_for(10s);
  bench.answers[server_at(1)] = bench.answers[server_at(2)] = kBad;
  bench.run_for(30s);
  REQUIRE(bench.engine.services()[0].quorum_up);  // 2 of 3 ± 1
  bench.configure(settings);
  CHECK(bench.engine.services()[0].quorum_up);
}

TEST_CASE("restart: a successor resumes every verdict and touches nothing") {
  Bench first = settled();
  Bench second;
  second.now = first.now;
  second.answers = first.answers;
  const Settings settings{{service(1, {1, 2}), service(2, {3})}};
  second.configure(settings, first.page);
  CHECK(second.engine.desired() == first.engine.desired());
  CHECK(second.take<Notify>().empty());
  CHECK(second.take<QuorumChanged>().empty());
  CHECK(second.take<ServerChanged>().empty());
  CHECK_FALSE(second.engine.services()[0].servers[1].pending);
  CHECK(second.engine.services()[0].servers[0].since ==
        first.engine.services()[0].servers[0].since);
  second.run_for(60s);
  CHECK(second.take<ServerChanged>().empty());
}

TEST_CASE("restart: a good server that was proven has its retries in the successor too") {
  Bench first = settled();
  Bench second;
  second.answers[server_at(2)] = kBad;
  second.configure({{service(1, {1, 2}), service(2, {3})}}, first.page);
  second.run_for(2s);
  CHECK(second.weights(1) ==
        Weights{{server_at(2), 1}, {server_at(1), 1}});  // server 1 answers again; 2 is retried
}

TEST_CASE("restart: retries that were under way go on where they were") {
  Bench first;
  first.configure({{service(1, {1})}});
  first.run_for(10s);
  first.answers[server_at(1)] = kBad;
  first.run_for(6s);  // fails at 13 s and once more at 16 s
  REQUIRE(first.engine.services()[0].servers[0].checks[0].health.failures_in_row() == 2);
  Bench second;
  second.now = first.now;
  second.answers = first.answers;
  Settings slow{{service(1, {1})}};
  slow.services[0].servers[0].checks[0].pace.warmup = 60s;
  second.configure(slow, first.page);
  second.run_for(3s);
  CHECK(second.take<CheckTroubled>() ==
        std::vector{CheckTroubled{0, 0, 0, 3, "connection refused"}});
  second.run_for(3s);
  CHECK(second.weights(1).empty());
}

TEST_CASE("restart: records that the configuration no longer wants are forgotten") {
  Bench first = settled();
  Bench second;
  second.page = first.page;
  second.configure({{service(1, {1, 2})}}, first.page);
  CHECK(second.page.size() == 3);  // the service and its two checks
}

TEST_CASE("restart: without memory a failed server is assumed up again, as on any first start") {
  Bench second;
  second.configure({{service(1, {1, 2})}});
  CHECK(second.weights(1).size() == 2);
}
