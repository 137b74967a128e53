// What copies of engine and table keeper would do; and that it is what they then do.
#include "checkers/core/rehearsal.hpp"
#include "tests/unit/checkers/engine_bench.hpp"

#include <deque>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;
using Lines = std::vector<std::string>;

namespace {

/// The process without its shells: engine, reconciler and a kernel. What the kernel is asked may be
/// answered later.
struct Machine {
  Bench bench{};
  Reconciler reconciler{};
  ipvs::Table kernel{};
  std::optional<TableEvent> waiting{};
  bool answers_late = false;
  Lines done{};  // IPVS commands and scripts

  Machine() { send(table_event::Started{}); }

  void send(const TableEvent& event) {
    TableActions actions;
    reconciler.step(event, bench.engine.desired(), bench.now, actions);
    std::optional<TableEvent> answer;
    for (const TableAction& action : actions) {
      if (std::holds_alternative<table_action::Open>(action)) answer = table_event::Opened{};
      if (std::holds_alternative<table_action::Read>(action)) answer = table_event::WasRead{kernel};
      if (const auto* some = std::get_if<table_action::ReadServices>(&action))
        answer = table_event::ServicesWereRead{some->keys, kernel, {}};
      if (std::holds_alternative<table_action::ListServices>(action)) {
        ipvs::ServiceList list;
        for (const auto& [key, service] : kernel.services) list.services[key] = service.settings;
        answer = table_event::WasListed{list};
      }
      if (const auto* apply = std::get_if<table_action::Apply>(&action)) {
        kernel = ipvs::apply(apply->steps, kernel);
        for (const ipvs::Step& step : apply->steps) done.push_back(ipvs::to_string(step));
        answer = table_event::Applied{};
      }
    }
    if (!answer) return;
    if (answers_late) {
      waiting = answer;
    } else {
      send(*answer);
    }
  }
  /// Scripts and commands of what the engine has decided.
  void carry_out() {
    std::set<ipvs::ServiceKey> changed;
    for (const Action& action : std::exchange(bench.actions, {})) {
      if (const auto* notify = std::get_if<Notify>(&action))
        done.push_back(notify->script.argv.front());
      if (const auto* table = std::get_if<TableChanged>(&action)) changed.insert(table->service);
    }
    if (!changed.empty()) send(table_event::DesiredChanged{{changed.begin(), changed.end()}});
  }
  void settle() {
    while (waiting) send(*std::exchange(waiting, std::nullopt));
  }
  void reload(const Settings& settings) {
    bench.configure(settings);
    carry_out();
  }
  void run_for(core::Duration time) {
    const core::Instant until = bench.now + time;
    for (;;) {
      const auto mine = bench.engine.deadline().value_or(core::Instant::max());
      const auto its = reconciler.deadline().value_or(core::Instant::max());
      const core::Instant next = std::min(mine, its);
      if (next > until) break;
      bench.now = next;
      if (mine <= next) bench.step(Tick{});
      if (its <= next) send(table_event::Tick{});
      carry_out();
    }
    bench.now = until;
  }
  [[nodiscard]] CheckersCopy copy() const { return {bench.engine, reconciler, bench.now}; }
};

Lines told(const Rehearsal& rehearsal) {
  Lines lines;
  for (const Deed& deed : rehearsal.deeds()) {
    if (const auto* step = std::get_if<ipvs::Step>(&deed.what))
      lines.push_back(ipvs::to_string(*step));
    if (const auto* script = std::get_if<ScriptDeed>(&deed.what))
      lines.push_back(script->script.argv.front());
  }
  return lines;
}

Settings random_settings(core::Rng& rng) {
  Settings settings;
  for (std::uint8_t number = 1; number <= 4; ++number) {
    if (rng.chance(20)) continue;
    ServiceSettings one = service(number, {});
    for (std::uint8_t last = 1; last <= 5; ++last) {
      if (rng.chance(30)) continue;
      one.servers.push_back(server(last));
      one.servers.back().entry.weight = static_cast<std::uint32_t>(1 + rng.below(std::uint64_t{3}));
      if (rng.chance(20)) one.servers.back().checks.clear();
      one.servers.back().inhibit_on_failure = rng.chance(30);
    }
    one.quorum = static_cast<std::uint32_t>(1 + rng.below(std::uint64_t{3}));
    if (rng.chance(40)) one.sorry_server = SorryServer{server_at(9), {}, false};
    Script up{.argv = {"up-" + std::to_string(number)}};
    Script down{.argv = {"down-" + std::to_string(number)}};
    one.quorum_up = std::move(up);
    one.quorum_down = std::move(down);
    one.settings.scheduler = rng.chance(50) ? "rr" : "wrr";
    settings.services.push_back(std::move(one));
  }
  return settings;
}

Machine with_one_service() {
  Machine machine;
  Settings settings{{service(1, {1, 2})}};
  settings.services[0].quorum = 2;
  Script down{.argv = {"quorum-lost"}};
  settings.services[0].quorum_down = std::move(down);
  machine.reload(settings);
  machine.run_for(10s);
  machine.done.clear();
  return machine;
}

}  // namespace

TEST_CASE("rehearsal: of 200 random reloads the commands and scripts are those that follow") {
  std::size_t commands = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Machine machine;
    machine.reload(random_settings(rng));
    machine.run_for(8s);
    for (std::uint8_t last = 1; last <= 5; ++last)
      if (rng.chance(40)) machine.bench.answers[server_at(last)] = kBad;
    machine.run_for(rng.below(core::Duration(30s)));
    machine.answers_late = rng.chance(50);
    machine.reload(random_settings(rng));  // under way, when it answers late
    machine.done.clear();
    const Settings next = random_settings(rng);

    Rehearsal rehearsal(machine.copy());
    rehearsal.reload(next);
    machine.reload(next);
    machine.settle();

    REQUIRE(told(rehearsal) == machine.done);
    commands += machine.done.size();
  }
  CHECK(commands > 1000);
}

TEST_CASE("rehearsal: what is supposed of a server comes true at the same moments") {
  Machine machine = with_one_service();
  Rehearsal rehearsal(machine.copy());
  REQUIRE(rehearsal.suppose(server_at(1), Result::failed) == Rehearsal::Supposed::yes);

  rehearsal.run(60s);

  // Four failures, three seconds each until nobody answers and three between them.
  REQUIRE(rehearsal.deeds().size() == 4);
  const auto& fall = rehearsal.deeds()[0];
  CHECK(fall.subject == "TCP 192.0.2.1:80: server 10.0.0.1:80");
  CHECK(std::get<ServerDeed>(fall.what).why == "no answer");
  const core::Duration after = fall.at - machine.bench.now;
  CHECK(after >= 4 * 3s + 3 * 3s);
  CHECK(after <= 6s + 4 * 3s + 3 * 3s);
  CHECK_FALSE(std::get<QuorumDeed>(rehearsal.deeds()[1].what).up);
  CHECK(told(rehearsal) == Lines{"quorum-lost", "-d -t 192.0.2.1:80 -r 10.0.0.1:80"});
}

TEST_CASE("rehearsal: ends early when nobody waits for it any more") {
  Machine machine = with_one_service();
  CheckersCopy copy = machine.copy();
  int asked = 0;
  copy.is_wanted = [&asked] { return ++asked < 50; };
  Rehearsal rehearsal(std::move(copy));

  rehearsal.run(24h);

  CHECK(rehearsal.ended_early());
  CHECK(asked >= 50);
  CHECK(asked < 100);
}

TEST_CASE("rehearsal: a server that fell comes back; one without a check cannot be supposed away") {
  Machine machine = with_one_service();
  machine.bench.answers[server_at(1)] = kBad;
  machine.run_for(60s);
  REQUIRE_FALSE(machine.bench.engine.services()[0].quorum_up);
  Rehearsal rehearsal(machine.copy());

  CHECK(rehearsal.suppose(server_at(7), Result::passed) == Rehearsal::Supposed::no_such_server);
  REQUIRE(rehearsal.suppose(server_at(1), Result::passed) == Rehearsal::Supposed::yes);
  rehearsal.run(60s);
  REQUIRE_FALSE(rehearsal.deeds().empty());
  CHECK(std::get<ServerDeed>(rehearsal.deeds()[0].what).up);
  CHECK(std::get<QuorumDeed>(rehearsal.deeds()[1].what).up);

  Settings unchecked{{service(1, {1})}};
  unchecked.services[0].servers[0].checks.clear();
  machine.reload(unchecked);
  CHECK(Rehearsal(machine.copy()).suppose(server_at(1), Result::failed) ==
        Rehearsal::Supposed::no_check);
}

TEST_CASE("rehearsal: nothing changes, nothing is done, and the original stays as it was") {
  Machine machine = with_one_service();
  const auto deadline = machine.bench.engine.deadline();
  const ipvs::Table desired = machine.bench.engine.desired();
  Rehearsal rehearsal(machine.copy());

  rehearsal.reload(machine.bench.engine.settings());
  rehearsal.run(60s);

  CHECK(rehearsal.deeds().empty());
  CHECK(machine.bench.engine.deadline() == deadline);
  CHECK(machine.bench.engine.desired() == desired);
}
