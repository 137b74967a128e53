// What operators ask of servers: another weight, and to be checked now.
#include "tests/unit/checkers/engine_bench.hpp"

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

Settings two_servers() {
  Settings settings;
  settings.services.push_back(service(1, {1, 2}));
  settings.services[0].servers[0].entry.weight = 10;
  return settings;
}

const ipvs::Server* in_table(const Bench& bench, std::uint8_t server) {
  const auto& servers = bench.engine.desired().services.at(service_at(1)).servers;
  const auto found = servers.find(server_at(server));
  return found == servers.end() ? nullptr : &found->second;
}

}  // namespace

TEST_CASE("steered: a drained server stays in the table with weight 0, and its checks go on") {
  Bench bench;
  bench.configure(two_servers());
  bench.run_for(6s);

  bench.step(Steered{{{server_at(1), 0}}});
  REQUIRE(in_table(bench, 1) != nullptr);
  CHECK(in_table(bench, 1)->weight == 0);
  CHECK(in_table(bench, 2)->weight == 1);
  CHECK(bench.engine.services()[0].up_weight == 1);
  const int runs = bench.runs[server_at(1)];
  bench.run_for(18s);
  CHECK(bench.runs[server_at(1)] == runs + 3);

  bench.answers[server_at(1)] = kBad;
  bench.run_for(30s);
  CHECK(in_table(bench, 1) == nullptr);
  bench.answers[server_at(1)] = kGood;
  bench.run_for(10s);
  REQUIRE(in_table(bench, 1) != nullptr);
  CHECK(in_table(bench, 1)->weight == 0);

  bench.step(Steered{});
  CHECK(in_table(bench, 1)->weight == 10);
}

TEST_CASE("steered: a reload leaves the weight, also one that configures another") {
  Bench bench;
  bench.configure(two_servers());
  bench.step(Steered{{{server_at(1), 7}}});
  Settings next = two_servers();
  next.services[0].servers[0].entry.weight = 20;

  bench.configure(next);

  CHECK(in_table(bench, 1)->weight == 7);
  bench.step(Steered{});
  CHECK(in_table(bench, 1)->weight == 20);
}

TEST_CASE("steered: before the first configuration it counts from the first entry on") {
  Bench bench;
  bench.step(Steered{{{server_at(1), 0}}});
  bench.configure(two_servers());
  CHECK(in_table(bench, 1)->weight == 0);
}

TEST_CASE("steered: the quorum counts what was asked for") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].quorum = 5;
  bench.configure(settings);
  bench.run_for(6s);
  REQUIRE(bench.engine.services()[0].quorum_up);

  bench.step(Steered{{{server_at(1), 0}}});

  CHECK_FALSE(bench.engine.services()[0].quorum_up);
}

TEST_CASE("check now: one server, or all, without waiting and without a second rhythm") {
  Bench bench;
  bench.configure(two_servers());
  bench.run_for(7s);
  const int first = bench.runs[server_at(1)];
  const int second = bench.runs[server_at(2)];

  bench.step(CheckNow{server_at(1)});
  bench.step(CheckNow{server_at(1)});
  bench.step(Tick{});
  CHECK(bench.runs[server_at(1)] == first + 1);
  CHECK(bench.runs[server_at(2)] == second);

  bench.now += 1s;
  bench.step(CheckNow{});
  bench.step(Tick{});
  CHECK(bench.runs[server_at(1)] == first + 2);
  CHECK(bench.runs[server_at(2)] == second + 1);
  const int later = bench.runs[server_at(1)];
  bench.run_for(12s);
  CHECK(bench.runs[server_at(1)] == later + 2);
}
