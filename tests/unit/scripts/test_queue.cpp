// Which script runs when.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "scripts/core/queue.hpp"
#include <algorithm>
#include <map>

using namespace holdfast;
using namespace holdfast::scripts;
using namespace std::chrono_literals;

namespace {

constexpr Instant t0{1h};

struct Bench {
  Queue queue;
  Instant now = t0;
  JobId last = 0;
  std::vector<RunId> running{};

  Actions step(const Event& event) {
    Actions out;
    queue.step(event, now, out);
    for (const Action& action : out)
      if (const auto* start = std::get_if<Start>(&action)) running.push_back(start->run);
    return out;
  }
  Actions submit(const std::string& name, std::vector<Duration> limits = {0s}) {
    return step(Submitted{++last, {"vrrp", name}, std::move(limits)});
  }
  Actions end(RunId run) {
    std::erase(running, run);
    return step(Ended{run});
  }
  /// Everything up to `at`, at its own moment.
  Actions run_until(Instant at) {
    Actions all;
    while (queue.deadline() && *queue.deadline() <= at) {
      now = std::max(now, *queue.deadline());
      const Actions out = step(Tick{});
      all.insert(all.end(), out.begin(), out.end());
    }
    now = at;
    return all;
  }
};

}  // namespace

TEST_CASE("queue: a state's script starts at once, and afterwards nothing is left") {
  Bench bench;
  CHECK(bench.submit("VI_1") == Actions{Start{{1, 0}}});
  CHECK_FALSE(bench.queue.empty());
  CHECK(bench.end({1, 0}).empty());
  CHECK(bench.queue.empty());
  CHECK_FALSE(bench.queue.deadline());
}

TEST_CASE("queue: a newer state ends the script of the former one and follows it") {
  Bench bench;
  bench.submit("VI_1");
  CHECK(bench.submit("VI_1").empty());

  CHECK(bench.run_until(t0 + Queue::kCourtesy - 1us).empty());
  CHECK(bench.run_until(t0 + Queue::kCourtesy) ==
        Actions{Strike{{1, 0}, Blow::ask, EndedBy::newer_state}});
  CHECK(bench.end({1, 0}) == Actions{Start{{2, 0}}});
}

TEST_CASE("queue: a script that ends within the courtesy is not struck") {
  Bench bench;
  bench.submit("VI_1");
  bench.submit("VI_1");
  bench.run_until(t0 + 100ms);
  CHECK(bench.end({1, 0}) == Actions{Start{{2, 0}}});
  CHECK(bench.run_until(t0 + 4s) == Actions{});
}

TEST_CASE("queue: who ignores SIGTERM is killed, and what cannot be killed is gone round") {
  Bench bench;
  bench.submit("VI_1");
  bench.submit("VI_1");
  const Instant asked = t0 + Queue::kCourtesy;

  CHECK(bench.run_until(asked + Queue::kGrace) ==
        Actions{Strike{{1, 0}, Blow::ask, EndedBy::newer_state},
                Strike{{1, 0}, Blow::kill, EndedBy::newer_state}});
  CHECK(bench.run_until(asked + 2 * Queue::kGrace) == Actions{Start{{2, 0}}});

  CHECK(bench.end({2, 0}).empty());
  CHECK(bench.queue.empty());
  CHECK(bench.end({1, 0}).empty());
  CHECK(bench.queue.running() == 0);
}

TEST_CASE("queue: of states that pass while one is being ended only the newest runs") {
  Bench bench;
  bench.submit("VI_1");
  bench.submit("VI_1");
  CHECK(bench.submit("VI_1", {0s, 0s}) == Actions{Skip{{2, 0}}});
  CHECK(bench.submit("VI_1") == Actions{Skip{{3, 0}}, Skip{{3, 1}}});
  CHECK(bench.end({1, 0}) == Actions{Start{{4, 0}}});
}

TEST_CASE("queue: a state without scripts ends what runs for the former one") {
  Bench bench;
  bench.submit("VI_1");
  bench.submit("VI_1", {});
  CHECK(bench.run_until(t0 + 1s) == Actions{Strike{{1, 0}, Blow::ask, EndedBy::newer_state}});
  CHECK(bench.end({1, 0}).empty());
  CHECK(bench.queue.empty());
  CHECK(bench.submit("VI_2", {}).empty());
  CHECK(bench.queue.empty());
}

TEST_CASE("queue: the second script of a state waits for the first, but not for ever") {
  Bench bench;
  CHECK(bench.submit("A", {0s, 0s}) == Actions{Start{{1, 0}}});
  CHECK(bench.end({1, 0}) == Actions{Start{{1, 1}}});
  bench.end({1, 1});

  CHECK(bench.submit("B", {0s, 0s}) == Actions{Start{{2, 0}}});
  CHECK(bench.run_until(t0 + Queue::kSiblingWait) == Actions{Start{{2, 1}}});
  CHECK(bench.end({2, 0}).empty());
  CHECK(bench.end({2, 1}).empty());
  CHECK(bench.queue.empty());
}

TEST_CASE("queue: a script that outlives its limit is ended") {
  Bench bench;
  bench.submit("check", {3s});
  CHECK(bench.run_until(t0 + 3s - 1us).empty());
  CHECK(bench.run_until(t0 + 3s) == Actions{Strike{{1, 0}, Blow::ask, EndedBy::time_limit}});
}

TEST_CASE("queue: no more than fifty at once, and everybody gets his turn in order") {
  Bench bench;
  for (int i = 0; i < 120; ++i) bench.submit(fmt::format("VI_{}", i));
  bench.run_until(t0);
  CHECK(bench.running.size() == Queue::kMaxRunning);

  std::vector<JobId> order;
  while (!bench.running.empty()) {
    order.push_back(bench.running.front().job);
    bench.end(bench.running.front());
    bench.run_until(t0);
    REQUIRE(bench.running.size() <= Queue::kMaxRunning);
  }
  CHECK(order.size() == 120);  // nothing was dropped
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(bench.queue.empty());
}

TEST_CASE("queue: a subject with many states does not keep another one waiting") {
  Bench bench;
  for (int i = 0; i < 49; ++i) bench.submit(fmt::format("slow {}", i));
  bench.run_until(t0);
  for (int i = 0; i < 1000; ++i) bench.submit("flapping");
  bench.submit("other");
  CHECK(bench.running.size() == Queue::kMaxRunning);
  const Actions freed = bench.end({1, 0});
  CHECK(std::ranges::count(freed, Action(Start{{1050, 0}})) == 1);
}

TEST_CASE("queue: a few starts a step, the others in the next") {
  Bench bench;
  for (int i = 0; i < 100; ++i) bench.submit(fmt::format("VI_{}", i));
  bench.run_until(t0 + Queue::kSlowAfter - 1us);
  bench.now = t0 + Queue::kSlowAfter;  // fifty places become free at once

  const Actions first = bench.step(Tick{});

  CHECK(std::ranges::count_if(first, [](const Action& action) {
          return std::holds_alternative<Start>(action);
        }) == Queue::kMaxStartsPerStep);
  CHECK(bench.queue.deadline() == bench.now);
}

TEST_CASE("queue: scripts that stay in the foreground are said once and do not hold the line") {
  Bench bench;
  for (int i = 0; i < 60; ++i) bench.submit(fmt::format("VI_{}", i));
  bench.run_until(t0);
  CHECK(bench.running.size() == Queue::kMaxRunning);

  const Actions later = bench.run_until(t0 + Queue::kSlowAfter);

  CHECK(std::ranges::count_if(later, [](const Action& action) {
          return std::holds_alternative<StillRuns>(action);
        }) == Queue::kMaxRunning);
  CHECK(bench.running.size() == 60);
}

TEST_CASE("queue: after a farewell scripts have a last limit, and what waits is skipped then") {
  Bench bench;
  bench.submit("VI_1", {0s, 0s});
  bench.step(Submitted{77, {"checkers", "A"}, {0s}});
  bench.step(Farewell{"vrrp"});
  bench.run_until(t0 + Queue::kSiblingWait);
  CHECK(bench.running.size() == 3);

  const Actions end = bench.run_until(t0 + Queue::kFarewell);

  CHECK(std::ranges::count(end, Action(Strike{{1, 0}, Blow::ask, EndedBy::farewell})) == 1);
  CHECK(std::ranges::count(end, Action(Strike{{1, 1}, Blow::ask, EndedBy::farewell})) == 1);
  CHECK(std::ranges::count(end, Action(Strike{{77, 0}, Blow::ask, EndedBy::farewell})) == 0);
}

TEST_CASE("queue: whatever happens, every command of every job has one end") {
  Bench bench;
  std::uint64_t random = 12345;
  const auto draw = [&](std::uint64_t below) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 33) % below;
  };
  std::map<RunId, int> ends;
  std::size_t commands = 0;
  const auto count = [&](const Actions& actions) {
    for (const Action& action : actions)
      if (const auto* skip = std::get_if<Skip>(&action)) ++ends[skip->run];
  };
  for (int round = 0; round < 20'000; ++round) {
    if (draw(3) == 0) {
      const std::size_t size = draw(3);
      commands += size;
      count(bench.submit(fmt::format("VI_{}", draw(70)), std::vector<Duration>(size, 0s)));
    } else if (draw(2) == 0 && !bench.running.empty()) {
      const RunId run = bench.running[draw(bench.running.size())];
      ++ends[run];
      count(bench.end(run));
    } else {
      count(bench.run_until(bench.now + std::chrono::milliseconds(draw(100))));
    }
  }
  while (!bench.queue.empty() || !bench.running.empty()) {
    count(bench.run_until(bench.now + 1s));
    while (!bench.running.empty()) {
      ++ends[bench.running.front()];
      count(bench.end(bench.running.front()));
    }
  }
  CHECK(ends.size() == commands);
  CHECK(std::ranges::all_of(ends, [](const auto& one) { return one.second == 1; }));
}
