// Weights that checks speak of: one function, nothing that adds up, and what a reload, a restart
// and a quorum make of them.
#include "tests/unit/checkers/engine_bench.hpp"

#include <array>
#include <limits>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

Outcome says(WeightClaim::Kind kind, std::int64_t value) {
  Outcome outcome = passed("said");
  outcome.weight = WeightClaim{kind, value};
  return outcome;
}
constexpr auto kIs = WeightClaim::Kind::is;
constexpr auto kAdds = WeightClaim::Kind::adds;

Settings two_servers() {
  Settings settings;
  settings.services.push_back(service(1, {1, 2}));
  for (ServerSettings& one : settings.services[0].servers) one.entry.weight = 10;
  return settings;
}

CheckSettings second_check(std::uint8_t last) {
  CheckSettings check = tcp_check(last);
  check.probe.target = server_at(static_cast<std::uint8_t>(100 + last));
  return check;
}

}  // namespace

TEST_CASE("weight: claims replace and add to what is configured, and never leave 0..2147483647") {
  using Claims = std::vector<WeightClaim>;
  CHECK(effective_weight(10, Claims{}) == 10);
  CHECK(effective_weight(10, Claims{{kIs, 3}}) == 3);
  CHECK(effective_weight(10, Claims{{kIs, 0}}) == 0);
  CHECK(effective_weight(10, Claims{{kAdds, 5}}) == 15);
  CHECK(effective_weight(10, Claims{{kAdds, -300}}) == 0);
  // keepalived 2.2.7: two dynamic scripts are the configured weight and both differences.
  CHECK(effective_weight(10, Claims{{kIs, 30}, {kIs, 15}}) == 35);
  CHECK(effective_weight(10, Claims{{kIs, 3}, {kAdds, 4}}) == 7);
  CHECK(effective_weight(10, Claims{{kAdds, std::numeric_limits<std::int64_t>::min()}}) == 0);
  CHECK(effective_weight(10, Claims{{kAdds, std::numeric_limits<std::int64_t>::max()}}) ==
        2'147'483'647);
}

TEST_CASE("weight: a claim of a server that is up goes to the table and moves no notification") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].servers[0].notify_up = Script{.argv = {"/bin/up"}};
  settings.services[0].servers[0].notify_down = Script{.argv = {"/bin/down"}};
  bench.configure(settings);
  bench.run_for(6s);
  bench.actions.clear();

  bench.answers[server_at(1)] = says(kIs, 40);
  bench.run_for(6s);

  CHECK(bench.weights(1) == Weights{{server_at(1), 40}, {server_at(2), 10}});
  CHECK(bench.take<WeightChanged>() ==
        std::vector<WeightChanged>{{.before = 10, .now = 40, .why = "said"}});
  CHECK(bench.take<Notify>().empty());
  CHECK(bench.take<ServerChanged>().empty());
  CHECK(bench.engine.services()[0].up_weight == 50);
}

TEST_CASE("weight: a success that says nothing gives the configured weight back") {
  Bench bench;
  bench.configure(two_servers());
  bench.answers[server_at(1)] = says(kIs, 0);
  bench.run_for(6s);
  CHECK(bench.weights(1).at(server_at(1)) == 0);
  CHECK(bench.engine.services()[0].servers[0].standing.state == ServerState::up);

  bench.answers[server_at(1)] = kGood;
  bench.run_for(6s);

  CHECK(bench.weights(1).at(server_at(1)) == 10);
}

TEST_CASE("weight: twenty failures and returns add nothing up") {
  Bench bench;
  bench.configure(two_servers());
  for (int round = 0; round < 20; ++round) {
    bench.answers[server_at(1)] = says(kIs, 25);
    bench.run_for(12s);
    CHECK(bench.weights(1).at(server_at(1)) == 25);
    CHECK(bench.engine.services()[0].up_weight == 35);
    bench.answers[server_at(1)] = failed(Cause::timeout, "no answer");
    bench.run_for(30s);
    CHECK_FALSE(bench.weights(1).contains(server_at(1)));
    CHECK(bench.engine.services()[0].up_weight == 10);
  }
}

TEST_CASE("weight: the quorum counts it") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].quorum = 15;
  bench.configure(settings);
  bench.run_for(6s);
  CHECK(bench.engine.services()[0].quorum_up);

  bench.answers[server_at(1)] = says(kAdds, -6);
  bench.run_for(6s);

  CHECK_FALSE(bench.engine.services()[0].quorum_up);
  CHECK(bench.engine.services()[0].up_weight == 14);
}

TEST_CASE("weight: two checks of one server are told apart") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].servers[0].checks.push_back(second_check(1));
  bench.configure(settings);
  bench.answers[server_at(1)] = says(kIs, 30);
  bench.answers[server_at(101)] = says(kIs, 15);
  bench.run_for(6s);
  CHECK(bench.weights(1).at(server_at(1)) == 35);

  bench.answers[server_at(101)] = kGood;
  bench.run_for(6s);

  CHECK(bench.weights(1).at(server_at(1)) == 30);
}

TEST_CASE("weight: survives a reload, also one of the configured weight, and a restart") {
  Bench bench;
  Settings settings = two_servers();
  bench.configure(settings);
  bench.answers[server_at(1)] = says(kIs, 30);
  bench.answers[server_at(2)] = says(kAdds, 2);
  bench.run_for(6s);

  for (ServerSettings& one : settings.services[0].servers) one.entry.weight = 20;
  bench.configure(settings);
  CHECK(bench.weights(1) == Weights{{server_at(1), 30}, {server_at(2), 22}});

  Bench successor;
  successor.configure(settings, bench.page);
  CHECK(successor.weights(1) == Weights{{server_at(1), 30}, {server_at(2), 22}});
}

TEST_CASE("weight: a server that is held counts for nothing and is never put into the table") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].servers[0].checks.clear();
  settings.services[0].servers[0].is_held = true;

  bench.configure(settings);
  bench.run_for(60s);

  CHECK(bench.weights(1) == Weights{{server_at(2), 10}});
  CHECK(bench.engine.services()[0].up_weight == 10);
  CHECK(bench.engine.services()[0].servers[0].pending);
  CHECK(held_servers(settings).at(service_at(1)) == std::set{server_at(1)});
}

TEST_CASE("weight: a number that changes is asked for at once, once, and the rhythm goes on") {
  Bench bench;
  Settings settings = two_servers();
  settings.services[0].servers[0].checks[0].probe.dialogue = FileProbe{.file = "load"};
  bench.configure(settings);
  bench.run_for(6s);
  bench.runs.clear();

  bench.step(FileChanged{"other"});
  bench.run_for(0s);
  CHECK(bench.runs.empty());
  bench.answers[server_at(1)] = says(kAdds, 4);
  bench.step(FileChanged{"load"});
  bench.step(FileChanged{"load"});
  bench.run_for(0s);
  CHECK(bench.runs == std::map<core::Endpoint, int>{{server_at(1), 1}});
  CHECK(bench.weights(1).at(server_at(1)) == 14);

  bench.run_for(60s);
  CHECK(bench.runs.at(server_at(1)) == 11);
}
