#include "core/rng.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/core/situation.hpp"
#include "vrrp/core/timing.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;
using Lines = std::vector<std::string>;

namespace {

const Instant t0{1h};

InstanceSettings numbered(int vrid, int priority = 100) {
  auto settings = everyday();
  settings.vrid = static_cast<std::uint8_t>(vrid);
  settings.priority = static_cast<std::uint8_t>(priority);
  settings.name = "VI_" + std::to_string(vrid);
  return settings;
}

RouterKey key(int vrid, const std::string& interface = "eth0") {
  return {interface, core::Family::v4, static_cast<std::uint8_t>(vrid), vrrp_group()};
}

/// Keys in order.
std::vector<RouterKey> keys(const Router& router) {
  std::vector<RouterKey> all;
  for (const Instance* instance : router.instances()) all.push_back(instance->key());
  return all;
}

struct Bench {
  Router router;
  Actions out;
  explicit Bench(std::vector<InstanceSettings> settings) : router(std::move(settings)) {
    step(InterfaceChanged{"eth0", {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
         t0);
    step(Startup{}, t0);
  }
  Lines step(const Event& event, Instant now) {
    out.clear();
    router.step(event, now, out);
    return texts(out);
  }
  StateName state(int vrid) { return router.find(key(vrid))->state_name(); }
};

}  // namespace

TEST_CASE("heap: earliest deadline of random changes is that of a plain map") {
  core::Rng rng(3);
  DeadlineHeap heap;
  std::map<std::size_t, Instant> plain;
  for (int i = 0; i < 20000; ++i) {
    const std::size_t slot = rng.below(std::uint64_t{40});
    if (rng.chance(30)) {
      heap.set(slot, std::nullopt);
      plain.erase(slot);
    } else {
      const Instant at{rng.below(Duration(50us))};
      heap.set(slot, at);
      plain[slot] = at;
    }
    const auto least =
        std::min_element(plain.begin(), plain.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second, a.first) < std::pair(b.second, b.first);
        });
    REQUIRE(heap.earliest().has_value() == !plain.empty());
    if (plain.empty()) continue;
    REQUIRE(*heap.earliest() == least->second);
    REQUIRE(heap.earliest_slot() == least->first);
  }
}

TEST_CASE("router: a tick touches only what is due") {
  Bench bench({numbered(1, 100), numbered(2, 200)});
  CHECK(bench.router.deadline() == t0 + 3s + 218'750us);

  bench.step(Tick{}, t0 + 3s + 218'750us);

  CHECK(bench.state(1) == StateName::backup);
  CHECK(bench.state(2) == StateName::master);
  CHECK(bench.router.deadline() == t0 + 3'609'375us);
}

TEST_CASE("router: when thousands are due at once a tick serves some, the longest overdue first") {
  std::vector<InstanceSettings> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(numbered(i % 250 + 1));
    many.back().interface = "eth" + std::to_string(i / 250);
    many.back().priority = static_cast<std::uint8_t>(100 + i % 2);  // half of them are due later
  }
  Bench bench(many);
  for (const char* name : {"eth1", "eth2", "eth3"})
    bench.step(
        InterfaceChanged{name, {.exists = true, .up = true, .primary_address = ip("192.0.2.1")}},
        t0);
  const Instant all_due = t0 + 4s;

  for (int tick = 1; tick <= 4; ++tick) {
    bench.step(Tick{}, all_due);
    std::size_t masters = 0;
    std::size_t better = 0;
    for (const Instance* instance : bench.router.instances()) {
      if (instance->state_name() != StateName::master) continue;
      ++masters;
      better += instance->settings().priority == 101 ? 1 : 0;
    }
    CHECK(masters == std::min<std::size_t>(1000, tick * Router::kMaxDueAtOnce));
    CHECK(better == std::min<std::size_t>(500, masters));
  }
  CHECK(*bench.router.deadline() > all_due);
}

TEST_CASE("router: interface news reach every instance on it, and only them") {
  auto other = numbered(1);
  other.interface = "eth1";
  Bench bench({numbered(1), numbered(2), other});
  bench.step(InterfaceChanged{"eth0", {}}, t0);
  CHECK(bench.state(1) == StateName::fault);
  CHECK(bench.state(2) == StateName::fault);
  CHECK(bench
            .step(
                InterfaceChanged{
                    "eth1", {.exists = true, .up = true, .primary_address = ip("198.51.100.1")}},
                t0)
            .size() == 2);
  CHECK(bench.router.find(key(1, "eth1"))->state_name() == StateName::backup);
}

TEST_CASE("router: a reload of the same configuration is not noticed") {
  const std::vector settings{numbered(1, 255), numbered(2)};
  Bench bench(settings);
  const auto deadline = bench.router.deadline();
  const auto before = keys(bench.router);

  CHECK(bench.step(Reload{settings}, t0 + 500ms).empty());

  CHECK(bench.router.deadline() == deadline);
  CHECK(keys(bench.router) == before);
}

TEST_CASE("router: a reload that renames an instance or changes its priority keeps its state") {
  Bench bench({numbered(1, 255)});
  auto renamed = numbered(1, 200);
  renamed.name = "VI_NEW";

  CHECK(bench.step(Reload{{renamed}}, t0 + 500ms).empty());

  CHECK(bench.router.find(key(1))->settings().name == "VI_NEW");
  CHECK(bench.state(1) == StateName::master);
}

TEST_CASE("router: what became of an instance's scripts is counted, and forgotten with it") {
  Bench bench({numbered(1), numbered(2)});
  CHECK(bench.router.scripts(key(1)) == nullptr);

  CHECK(bench.step(ScriptStarted{key(1)}, t0).empty());
  CHECK(bench.router.scripts(key(1))->running == 1);
  const core::ScriptOutcome failure{.code = 3, .took = 1s};
  CHECK(bench.step(ScriptEnded{key(1), "notify_backup", "BACKUP", failure}, t0 + 1s).empty());
  const core::ScriptOutcome skipped{.end = core::ScriptEnd::skipped};
  bench.step(ScriptEnded{key(1), "notify", "BACKUP", skipped}, t0 + 2s);

  const core::ScriptRecord expected{
      .ran = 1,
      .failed = 1,
      .skipped = 1,
      .last = core::ScriptRecord::Last{"notify", "BACKUP", skipped, t0 + 2s}};
  CHECK(*bench.router.scripts(key(1)) == expected);
  CHECK(bench.router.scripts(key(2)) == nullptr);

  bench.step(Reload{{numbered(2)}}, t0 + 3s);
  bench.step(ScriptEnded{key(1), "notify", "DELETED", failure}, t0 + 4s);
  CHECK(bench.router.scripts(key(1)) == nullptr);
}

TEST_CASE("router: a removed master resigns, hands over and is gone; a new instance starts") {
  Bench bench({numbered(1, 255)});

  CHECK(bench.step(Reload{{numbered(2)}}, t0 + 500ms) ==
        Lines{"send advert priority 0", "MASTER -> INIT: removed from the configuration",
              "withdraw", "INIT -> BACKUP: started", "notify BACKUP 100"});
  CHECK(keys(bench.router) == std::vector{key(2), key(1)});
  CHECK(bench.router.find(key(1))->is_being_removed());

  bench.step(AdvertReceived{key(1), advert_of(numbered(1), 90), ip("192.0.2.2"), false},
             t0 + 600ms);
  CHECK(bench.router.deadline() == t0 + 600ms + kHandoverGrace);
  const auto lines = bench.step(Tick{}, t0 + 600ms + kHandoverGrace);
  CHECK(lines == Lines{"withdraw", "notify DELETED 255", "removed"});
  CHECK(bench.router.find(key(1)) == nullptr);
  CHECK(bench.step(AddressesPlaced{key(1), 1, 0, "late answer"}, t0 + 702ms).empty());
}

TEST_CASE("router: interface names that no configuration uses any more are forgotten") {
  Bench bench({numbered(1)});
  for (int i = 0; i < 300; ++i) {
    auto settings = numbered(1);
    settings.interface = "veth" + std::to_string(i);
    bench.step(InterfaceChanged{settings.interface, {}}, t0);
    bench.step(Reload{{settings}}, t0);
  }
  CHECK(bench.router.situation().interfaces.size() == 1);
  CHECK(bench.router.find(key(1, "veth299")) != nullptr);
}

TEST_CASE("router: an instance that returns during its own handover ends the old one first") {
  Bench bench({numbered(1, 255)});
  bench.step(Reload{{}}, t0);
  CHECK(bench.router.deadline().has_value());

  const auto lines = bench.step(Reload{{numbered(1)}}, t0 + 100ms);

  CHECK(lines == Lines{"withdraw", "notify DELETED 255", "removed", "withdraw",
                       "INIT -> BACKUP: started", "notify BACKUP 100"});
  CHECK(keys(bench.router) == std::vector{key(1)});
  CHECK_FALSE(bench.router.find(key(1))->is_being_removed());
}

TEST_CASE("router: stopped comes once, after the last handover") {
  Bench bench({numbered(1, 255), numbered(2)});
  const auto first = bench.step(Shutdown{}, t0 + 1ms);
  CHECK(first == Lines{"send advert priority 0", "MASTER -> INIT: stopping",
                       "BACKUP -> INIT: stopping", "notify STOP 100"});
  CHECK_FALSE(bench.router.has_stopped());

  CHECK(bench.step(Tick{}, *bench.router.deadline()) ==
        Lines{"withdraw", "notify STOP 255", "stopped"});
  CHECK(bench.step(Tick{}, t0 + 1h).empty());
}

TEST_CASE("router: without masters stopping is immediate; without instances too") {
  Bench bench({numbered(1)});
  CHECK(bench.step(Shutdown{}, t0).back() == "stopped");
  Bench empty({});
  CHECK(empty.step(Shutdown{}, t0) == Lines{"stopped"});
}

TEST_CASE(
    "router: packets are attributed by interface and VRID; strays are counted per interface") {
  Bench bench({numbered(1)});
  const auto packet = [](std::string_view interface, std::string_view destination) {
    return Received{interface, core::Family::v4, ip("192.0.2.2"), ip(destination), 255, {}};
  };
  CHECK(bench.router.receiver(packet("eth0", "224.0.0.18"), 1)->settings().vrid == 1);
  CHECK(bench.router.receiver(packet("eth0", "192.0.2.1"), 1)->settings().vrid == 1);
  CHECK(bench.router.receiver(packet("eth0", "224.0.0.18"), 2) == nullptr);
  CHECK(bench.router.receiver(packet("eth7", "224.0.0.18"), 1) == nullptr);
  bench.router.count_stray("eth0", Objection::unknown_vrid);
  CHECK(bench.router.strays("eth0")[Objection::unknown_vrid] == 1);
  CHECK(bench.router.interfaces_in_use() == Lines{"eth0"});
}

TEST_CASE("router: a copy goes its own way") {
  Bench bench({numbered(1, 255), numbered(2)});
  Router copy = bench.router;
  Actions out;

  copy.step(InterfaceChanged{"eth0", {}}, t0 + 1s, out);

  CHECK(copy.find(key(1))->state_name() == StateName::fault);
  CHECK(bench.state(1) == StateName::master);
}
