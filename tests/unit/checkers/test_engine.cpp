// The engine: schedules, verdicts, table, notifications, sharing.
#include "tests/unit/checkers/engine_bench.hpp"

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

TEST_CASE("engine: without alpha every server is in the table at once, and the quorum is news") {
  Bench bench;
  bench.configure({{service(1, {1, 2})}});
  CHECK(bench.weights(1) == Weights{{server_at(1), 1}, {server_at(2), 1}});
  CHECK(bench.actions.front() == Action{TableChanged{service_at(1)}});
  CHECK(bench.take<QuorumChanged>() == std::vector{QuorumChanged{0, true, 2}});
  CHECK(bench.engine.services()[0].servers[0].pending);
  CHECK(bench.engine.deadline() == t0 + kStartDelay);
}

TEST_CASE("engine: with alpha a server enters the table with its first success") {
  Settings settings{{service(1, {1})}};
  settings.services[0].servers[0].checks[0].alpha = true;
  settings.services[0].servers[0].notify_up = Script{{"/up"}, {}};
  Bench bench;
  bench.answers[server_at(1)] = kBad;
  bench.configure(settings);
  bench.run_for(20s);
  CHECK(bench.weights(1).empty());
  CHECK(bench.take<Notify>().empty());

  bench.answers.clear();
  bench.run_for(6s);

  CHECK(bench.weights(1) == Weights{{server_at(1), 1}});
  CHECK(bench.take<Notify>() ==
        std::vector{Notify{NotifyKind::server_up, 0, 0, Script{{"/up"}, {}}}});
  CHECK(bench.take<ServerChanged>() == std::vector{ServerChanged{0, 0, true, "connected"}});
}

TEST_CASE("engine: the very first probe of a server needs no retries to take it out") {
  Bench bench;
  bench.answers[server_at(1)] = kBad;
  bench.configure({{service(1, {1, 2})}});
  bench.run_for(kStartDelay);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
  CHECK(bench.take<ServerChanged>() ==
        std::vector{ServerChanged{0, 0, false, "connection refused"}});
}

TEST_CASE(
    "engine: a proven server is taken out after its retries, within retry x delay of the first "
    "failure") {
  Bench bench;
  bench.configure({{service(1, {1, 2})}});
  bench.run_for(60s);
  CHECK(bench.take<ServerChanged>().empty());
  bench.answers[server_at(1)] = kBad;
  const core::Instant fails_first_at = *bench.engine.deadline();

  bench.run_for(fails_first_at - bench.now + 9s - 1us);
  CHECK(bench.take<ServerChanged>().empty());
  CHECK(bench.take<CheckTroubled>().size() == 3);
  bench.run_for(1us);

  CHECK(bench.take<ServerChanged>() ==
        std::vector{ServerChanged{0, 0, false, "connection refused"}});
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
  CHECK(bench.engine.services()[0].servers[0].since == fails_first_at + 9s);
}

TEST_CASE("engine: a single failure in between changes nothing") {
  Bench bench;
  bench.configure({{service(1, {1})}});
  bench.run_for(30s);
  bench.answers[server_at(1)] = kBad;
  bench.run_for(6s);
  bench.answers.clear();
  bench.run_for(60s);
  CHECK(bench.take<ServerChanged>().empty());
  CHECK(bench.engine.services()[0].servers[0].checks[0].health.failures_in_row() == 0);
}

TEST_CASE("engine: one success brings a server back, at the pace of delay_loop") {
  Bench bench;
  bench.answers[server_at(1)] = kBad;
  bench.configure({{service(1, {1})}});
  bench.run_for(60s);
  const int runs = bench.runs[server_at(1)];
  CHECK(runs == 10);  // at 1, 7, … 55 s: no retries for a down server
  bench.answers.clear();
  bench.run_for(6s);
  CHECK(bench.runs[server_at(1)] == runs + 1);
  CHECK(bench.weights(1) == Weights{{server_at(1), 1}});
}

TEST_CASE("engine: a problem of the director changes no verdict and is tried again soon") {
  Bench bench;
  bench.answers[server_at(1)] = not_tried("no descriptors");
  bench.configure({{service(1, {1})}});
  bench.run_for(13s);
  CHECK(bench.runs[server_at(1)] == 5);  // 1, 4, 7, 10, 13 s
  CHECK(bench.take<ServerChanged>().empty());
  CHECK(bench.engine.services()[0].servers[0].pending);
  CHECK(bench.take<CheckTroubled>().front() == CheckTroubled{0, 0, 0, 0, "no descriptors"});
}

TEST_CASE("engine: a server is up iff all its checks are") {
  Settings settings{{service(1, {1})}};
  CheckSettings second = tcp_check(1);
  second.probe.target.port = 81;
  settings.services[0].servers[0].checks.push_back(second);
  Bench bench;
  bench.configure(settings);
  bench.run_for(10s);
  bench.answers[second.probe.target] = kBad;
  bench.run_for(30s);
  CHECK(bench.weights(1).empty());
  bench.answers[server_at(1)] = kBad;  // both down, then only the first one back
  bench.run_for(30s);
  bench.answers.erase(second.probe.target);
  bench.run_for(10s);
  CHECK(bench.weights(1).empty());
  bench.answers.clear();
  bench.run_for(10s);
  CHECK(bench.weights(1).size() == 1);
  CHECK(bench.take<ServerChanged>().size() == 2);
}

TEST_CASE("engine: a server without checks is always up") {
  Settings settings{{service(1, {1})}};
  settings.services[0].servers[0].checks.clear();
  Bench bench;
  bench.configure(settings);
  CHECK(bench.weights(1).size() == 1);
  CHECK_FALSE(bench.engine.deadline());
  CHECK_FALSE(bench.engine.services()[0].servers[0].pending);
}

TEST_CASE("engine: order of a failure: verdict, table, quorum, then scripts") {
  Settings settings{{service(1, {1})}};
  settings.services[0].sorry_server = SorryServer{.endpoint = server_at(99), .entry = {}};
  settings.services[0].quorum_down = Script{{"/quorum-down"}, {}};
  settings.services[0].servers[0].notify_down = Script{{"/down"}, {}};
  Bench bench;
  bench.answers[server_at(1)] = kBad;
  bench.configure(settings);
  bench.actions.clear();
  bench.run_for(kStartDelay);
  std::erase_if(bench.actions, [](const Action& action) {
    return std::holds_alternative<Remember>(action) || std::holds_alternative<StartProbe>(action);
  });
  CHECK(bench.actions ==
        Actions{CheckChanged{0, 0, 0, false, "connection refused"},
                ServerChanged{0, 0, false, "connection refused"}, TableChanged{service_at(1)},
                QuorumChanged{0, false, 0},
                Notify{NotifyKind::quorum_down, 0, std::nullopt, Script{{"/quorum-down"}, {}}},
                Notify{NotifyKind::server_down, 0, 0, Script{{"/down"}, {}}}});
  CHECK(bench.weights(1) == Weights{{server_at(99), 1}});
}

TEST_CASE("engine: identical probes of one server are run once for all services") {
  Bench bench;
  bench.configure({{service(1, {1, 2}), service(2, {1, 2}), service(3, {1})}});
  CHECK(bench.engine.probe_count() == 2);
  bench.run_for(60s);
  CHECK(bench.runs[server_at(1)] == 10);
  bench.answers[server_at(1)] = kBad;
  bench.run_for(30s);
  CHECK(bench.weights(1) == Weights{{server_at(2), 1}});
  CHECK(bench.weights(2) == Weights{{server_at(2), 1}});
  CHECK(bench.weights(3).empty());
  CHECK(bench.take<ServerChanged>().size() == 3);
}

TEST_CASE("engine: probes that differ in anything are not shared") {
  const auto count = [](auto change) {
    Settings settings{{service(1, {1}), service(2, {1})}};
    change(settings.services[1].servers[0].checks[0]);
    Bench bench;
    bench.configure(settings);
    return bench.engine.probe_count();
  };
  CHECK(count([](CheckSettings&) {}) == 1);
  CHECK(count([](CheckSettings& check) { check.alpha = true; }) == 1);
  CHECK(count([](CheckSettings& check) { check.probe.target.port = 81; }) == 2);
  CHECK(count([](CheckSettings& check) { check.probe.timeout = 4s; }) == 2);
  CHECK(count([](CheckSettings& check) {
          check.probe.bind_address = core::IpAddress::v4({1, 2, 3, 4});
        }) == 2);
  CHECK(count([](CheckSettings& check) { check.probe.bind_port = 9; }) == 2);
  CHECK(count([](CheckSettings& check) { check.pace.retry = 9; }) == 2);
  CHECK(count([](CheckSettings& check) { check.pace.delay_loop = 9s; }) == 2);
  CHECK(count([](CheckSettings& check) { check.pace.delay_before_retry = 9s; }) == 2);
  CHECK(count([](CheckSettings& check) { check.probe.dialogue = HttpProbe{.urls = {{}}}; }) == 2);
}

TEST_CASE("engine: an identity has no two readings") {
  const auto with = [](std::vector<HttpUrl> urls) {
    return identity({.target = server_at(1), .dialogue = HttpProbe{.urls = std::move(urls)}});
  };
  CHECK(with({{.path = "/a 1:b"}}) != with({{.path = "/a", .virtualhost = "b"}}));
  CHECK(with({{.path = "/"}, {.path = "/"}}) != with({{.path = "/"}}));
  CHECK(with({{.digest = "x"}}) != with({{.virtualhost = "x"}}));
}

TEST_CASE("engine: at an orderly stop omega services get their down notifications, others do not") {
  Settings settings{{service(1, {1, 2}), service(2, {3})}};
  for (auto& one : settings.services) {
    one.quorum_down = Script{{"/quorum-down"}, {}};
    for (auto& each : one.servers) each.notify_down = Script{{"/down"}, {}};
  }
  settings.services[0].omega = true;
  Bench bench;
  bench.answers[server_at(2)] = kBad;
  bench.configure(settings);
  bench.run_for(10s);
  bench.actions.clear();
  bench.step(Stop{});
  CHECK(bench.actions ==
        Actions{Notify{NotifyKind::server_down, 0, 0, Script{{"/down"}, {}}},
                Notify{NotifyKind::quorum_down, 0, std::nullopt, Script{{"/quorum-down"}, {}}}});
  CHECK_FALSE(bench.engine.deadline());
}

TEST_CASE("engine: an answer for a probe that is not running is ignored") {
  Bench bench;
  bench.configure({{service(1, {1})}});
  bench.actions.clear();
  bench.step(ProbeFinished{ProbeId{1}, kBad});
  bench.step(ProbeFinished{ProbeId{77}, kBad});
  CHECK(bench.actions.empty());
}

TEST_CASE("engine: after a long pause every probe runs once, not once for every missed turn") {
  Bench bench;
  bench.configure({{service(1, {1})}});
  bench.run_for(10s);
  const int runs = bench.runs[server_at(1)];
  bench.now += 10min;
  bench.step(Tick{});
  bench.run_for(5900ms);
  CHECK(bench.runs[server_at(1)] <= runs + 2);
}

TEST_CASE("engine: the desired table is a function of the verdicts (property)") {
  core::Rng rng(99);
  Bench bench;
  Settings settings{{service(1, {1, 2, 3}), service(2, {2, 3, 4})}};
  settings.services[0].sorry_server = SorryServer{.endpoint = server_at(99), .entry = {}};
  settings.services[0].quorum = 2;
  settings.services[1].servers[0].inhibit_on_failure = true;
  // One whose sorry server is a real server too, and one whose servers have to come up first.
  settings.services.push_back(service(3, {1, 2, 4}));
  settings.services[2].sorry_server =
      SorryServer{.endpoint = server_at(4), .entry = {.weight = 7}, .inhibit = true};
  settings.services[2].quorum = 2;
  settings.services[2].servers[2].inhibit_on_failure = true;
  settings.services.push_back(service(4, {3, 4}));
  settings.services[3].servers[0].entry.weight = 5;
  for (ServerSettings& one : settings.services[3].servers) one.checks[0].alpha = true;
  // One of several entries, where a server has the port of the entry.
  settings.services.push_back(service(5, {1, 3, 4}));
  settings.services[4].group = "TCP group web";
  settings.services[4].keys = {
      service_at(5), ipvs::MarkKey{9, core::Family::v4},
      ipvs::AddressKey{ipvs::Protocol::tcp, {core::IpAddress::v4({192, 0, 2, 5}), 443}}};
  settings.services[4].servers[1].entry.forwarding = ipvs::Forwarding::direct_route;
  bench.configure(settings);
  ipvs::Table known = bench.engine.desired();  // to somebody who is told what changes
  for (int round = 0; round < 2000; ++round) {
    const auto which = server_at(static_cast<std::uint8_t>(1 + rng.below(std::uint64_t{4})));
    bench.answers[which] = rng.chance(50) ? kGood : rng.chance(80) ? kBad : not_tried("x");
    bench.run_for(core::Duration(static_cast<std::int64_t>(rng.below(std::uint64_t{20'000'000}))));
    for (const TableChanged& changed : bench.take<TableChanged>())
      known.services[changed.service] = bench.engine.desired().services.at(changed.service);
    for (std::size_t i = 0; i < settings.services.size(); ++i) {
      const ServiceView& view = bench.engine.services()[i];
      std::vector<ServerState> states;
      for (const ServerView& one : view.servers) states.push_back(one.state);
      for (const ipvs::ServiceKey& key : settings.services[i].keys)
        CHECK(bench.engine.desired().services.at(key) ==
              desired_service(settings.services[i], key, states, view.quorum_up));
      CHECK(view.up_weight == up_weight(settings.services[i], states));
    }
    CHECK(known == bench.engine.desired());
    bench.actions.clear();
  }
}
