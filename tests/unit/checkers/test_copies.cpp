// Engine and Reconciler are values: what is done to a copy, the original does not notice, and a
// copy that is told the same does the same.
#include "checkers/core/reconciler.hpp"
#include "tests/unit/checkers/engine_bench.hpp"

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

constexpr std::uint64_t kServers = 5;

Settings random_settings(core::Rng& rng) {
  Settings settings;
  for (std::uint8_t number = 1; number <= 4; ++number) {
    if (rng.chance(20)) continue;
    ServiceSettings one = service(number, {});
    for (std::uint8_t last = 1; last <= kServers; ++last) {
      if (rng.chance(30)) continue;
      one.servers.push_back(server(last));
      one.servers.back().entry.weight = static_cast<std::uint32_t>(1 + rng.below(std::uint64_t{3}));
    }
    one.quorum = static_cast<std::uint32_t>(1 + rng.below(std::uint64_t{3}));
    settings.services.push_back(std::move(one));
  }
  return settings;
}

/// Some time in which servers fall, rise and are configured.
void live(Bench& bench, core::Rng& rng, int events) {
  for (int i = 0; i < events; ++i) {
    const auto target = server_at(static_cast<std::uint8_t>(1 + rng.below(kServers)));
    if (rng.chance(10)) {
      bench.configure(random_settings(rng));
    } else {
      bench.answers[target] = rng.chance(50) ? kBad : kGood;
      bench.run_for(rng.below(core::Duration(8s)));
    }
  }
}

Bench begun(core::Rng& rng) {
  Bench bench;
  bench.configure(random_settings(rng));
  live(bench, rng, 20);
  bench.actions.clear();
  return bench;
}

/// A reconciler and the kernel that it works on, both to be copied.
struct Keeping {
  Reconciler reconciler{};
  ipvs::Table desired{};
  ipvs::Table kernel{};
  core::Instant now = t0;
  TableActions done{};

  void send(const TableEvent& event) {
    TableActions actions;
    reconciler.step(event, desired, now, actions);
    done.insert(done.end(), actions.begin(), actions.end());
    for (const TableAction& action : actions) {
      if (std::holds_alternative<table_action::Open>(action)) send(table_event::Opened{});
      if (std::holds_alternative<table_action::Read>(action)) send(table_event::WasRead{kernel});
      if (const auto* some = std::get_if<table_action::ReadServices>(&action))
        send(table_event::ServicesWereRead{some->keys, kernel, {}});
      if (std::holds_alternative<table_action::ListServices>(action)) {
        ipvs::ServiceList list;
        for (const auto& [key, service] : kernel.services) list.services[key] = service.settings;
        send(table_event::WasListed{list});
      }
      if (const auto* apply = std::get_if<table_action::Apply>(&action)) {
        kernel = ipvs::apply(apply->steps, kernel);
        send(table_event::Applied{});
      }
    }
  }
  void live(core::Rng& rng, int events) {
    for (int i = 0; i < events; ++i) {
      const auto key = service_at(static_cast<std::uint8_t>(rng.below(kServers)));
      now += rng.below(core::Duration(500ms));
      if (rng.chance(40)) {
        desired.services[key].settings.scheduler = rng.chance(50) ? "rr" : "wrr";
        desired.services[key].servers[server_at(1)].weight =
            static_cast<std::uint32_t>(rng.below(std::uint64_t{5}));
        send(table_event::DesiredChanged{{key}});
      } else if (rng.chance(20)) {
        desired.services.erase(key);
        send(table_event::DesiredChanged{{key}});
      } else if (rng.chance(10)) {
        kernel.services.erase(key);  // a stranger's work
      } else {
        send(table_event::Tick{});
      }
    }
  }
};

}  // namespace

TEST_CASE("copies: an engine does not notice what its copy goes through, and goes on alike") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Bench bench = begun(rng);
    const auto deadline = bench.engine.deadline();
    const ipvs::Table desired = bench.engine.desired();
    Bench witness = bench;

    Bench copy = bench;
    live(copy, rng, 20);
    REQUIRE(bench.engine.deadline() == deadline);
    REQUIRE(bench.engine.desired() == desired);

    core::Rng again = rng;
    live(bench, rng, 20);
    live(witness, again, 20);
    REQUIRE(witness.actions == bench.actions);
    REQUIRE(witness.engine.desired() == bench.engine.desired());
    REQUIRE(witness.engine.deadline() == bench.engine.deadline());
  }
}

TEST_CASE("copies: a reconciler does not notice what its copy goes through, and goes on alike") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Keeping keeping;
    keeping.send(table_event::Started{});
    keeping.live(rng, 40);
    keeping.done.clear();
    const auto deadline = keeping.reconciler.deadline();
    const ipvs::Table actual = keeping.reconciler.actual();
    Keeping witness = keeping;

    Keeping copy = keeping;
    copy.live(rng, 40);
    REQUIRE(keeping.reconciler.deadline() == deadline);
    REQUIRE(keeping.reconciler.actual() == actual);

    core::Rng again = rng;
    keeping.live(rng, 40);
    witness.live(again, 40);
    REQUIRE(witness.done == keeping.done);
    REQUIRE(witness.reconciler.actual() == keeping.reconciler.actual());
  }
}
