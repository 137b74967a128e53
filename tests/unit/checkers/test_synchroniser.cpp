// Sync daemons and timeouts: which roles run when, against a kernel that is a value.
#include "checkers/core/synchroniser.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace std::chrono_literals;

namespace {

using ipvs::SyncRole;
using ipvs::Timeouts;

const core::Instant t0{1h};

SyncSettings following(std::string interface = "eth1") {
  return {.daemon = {.interface = std::move(interface), .id = 51},
          .instance = "VI_1",
          .follows = {{core::IpAddress::v4({192, 0, 2, 1}), "eth0"}}};
}

/// A kernel, and the machine that keeps it.
struct Bench {
  Synchroniser machine;
  core::Instant now = t0;
  ipvs::SyncDaemons daemons;
  Timeouts timeouts = ipvs::kKernelTimeouts;
  bool unreachable = false;
  int refuse = 0;  ///< so many commands from now on
  std::vector<std::string> done;
  std::vector<std::string> troubles;
  std::size_t drifts = 0;
  std::size_t reads = 0;
  bool finished = false;

  void step(const SyncEvent& event) {
    SyncActions actions;
    machine.step(event, now, actions);
    for (const SyncAction& action : actions)
      std::visit([this](const auto& one) { act(one); }, action);
  }
  void act(const sync_action::Read&) {
    ++reads;
    if (unreachable) return step(sync_event::ReadFailed{"no IPVS"});
    step(sync_event::WasRead{daemons, timeouts});
  }
  void act(const sync_action::Command& command) {
    sync_event::Commanded answer;
    for (const ipvs::SyncCommand& one : command.commands) {
      done.push_back(to_string(one).substr(2));
      if (refuse > 0) {
        --refuse;
        answer.refusals.emplace_back("refused");
      } else {
        std::visit([this](const auto& what) { obey(what); }, one);
      }
    }
    step(answer);
  }
  void act(const sync_action::ReportDrift&) { ++drifts; }
  void act(const sync_action::ReportTrouble& report) {
    troubles.push_back(report.sentence.value_or("over"));
  }
  void act(const sync_action::ReportRoles&) {}
  void act(const sync_action::Finished&) { finished = true; }

  void obey(const ipvs::StopSync& stop) { daemons.erase(stop.role); }
  void obey(const ipvs::StartSync& start) {
    REQUIRE_FALSE(daemons.contains(start.role));
    daemons[start.role] = start.daemon;
    if (start.daemon.max_length == 0) daemons[start.role].max_length = 1472;
  }
  void obey(const ipvs::SetTimeouts& set) {
    if (set.timeouts.tcp != 0) timeouts.tcp = set.timeouts.tcp;
    if (set.timeouts.tcp_fin != 0) timeouts.tcp_fin = set.timeouts.tcp_fin;
    if (set.timeouts.udp != 0) timeouts.udp = set.timeouts.udp;
  }

  void run_for(core::Duration time) {
    const core::Instant end = now + time;
    while (machine.deadline() && *machine.deadline() <= end) {
      now = std::max(now, *machine.deadline());
      step(sync_event::Tick{});
    }
    now = end;
  }
  [[nodiscard]] std::string roles() const {
    std::string text;
    for (const auto& [role, daemon] : daemons) text += to_string(role) + " ";
    return text;
  }
};

Bench settled(bool here) {
  Bench bench;
  bench.step(sync_event::Held{here});
  bench.step(sync_event::Configured{following(), {}});
  bench.run_for(10s);
  bench.done.clear();
  return bench;
}

}  // namespace

TEST_CASE("sync: the role is that of the instance, and both without one") {
  CHECK(settled(false).roles() == "backup ");
  CHECK(settled(true).roles() == "master ");
  Bench both;
  SyncSettings settings = following();
  settings.instance.clear();
  both.step(sync_event::Configured{settings, {}});
  CHECK(both.roles() == "master backup ");
  CHECK(both.troubles.empty());
}

TEST_CASE(
    "sync: at a take-over the master begins at once, the backup hears for three seconds more") {
  Bench bench = settled(false);
  bench.step(sync_event::Held{true});
  CHECK(bench.roles() == "master backup ");
  bench.run_for(2900ms);
  CHECK(bench.roles() == "master backup ");
  bench.run_for(200ms);
  CHECK(bench.roles() == "master ");
  CHECK(bench.drifts == 0);
}

TEST_CASE("sync: who gives the addresses away goes on sending what the kernel has collected") {
  Bench bench = settled(true);
  bench.step(sync_event::Held{false});
  CHECK(bench.roles() == "master backup ");
  bench.run_for(kHandOver);
  CHECK(bench.roles() == "backup ");
  // There and back again within the time: nothing is stopped that has to run.
  bench.step(sync_event::Held{true});
  bench.run_for(1s);
  bench.step(sync_event::Held{false});
  bench.run_for(1s);
  bench.step(sync_event::Held{true});
  bench.run_for(10s);
  CHECK(bench.roles() == "master ");
}

TEST_CASE("sync: a stop ends the master last, three seconds after the addresses went") {
  Bench bench = settled(true);
  bench.step(sync_event::Held{false});
  bench.run_for(1s);
  bench.step(sync_event::Stopping{});
  bench.run_for(1900ms);
  CHECK(bench.roles() == "master ");
  CHECK_FALSE(bench.finished);
  bench.run_for(200ms);
  CHECK(bench.roles().empty());
  CHECK(bench.finished);
  CHECK_FALSE(bench.machine.deadline());

  Bench backup = settled(false);
  backup.step(sync_event::Stopping{});
  CHECK(backup.finished);
  CHECK(backup.roles().empty());

  Bench kept = settled(true);
  kept.step(sync_event::Stopping{.keep = true});
  CHECK(kept.finished);
  CHECK(kept.roles() == "master ");

  Bench nothing;
  nothing.step(sync_event::Stopping{});
  CHECK(nothing.finished);
  CHECK(nothing.reads == 0);
}

TEST_CASE("sync: a successor takes over what runs, without a gap") {
  Bench bench;
  bench.daemons = settled(true).daemons;
  bench.step(sync_event::Held{true});
  bench.step(sync_event::Configured{following(), {}});
  bench.run_for(20s);
  CHECK(bench.done.empty());
  CHECK(bench.drifts == 0);
}

TEST_CASE("sync: what others stop or change is put back and counted, what is not ours is left") {
  Bench bench = settled(true);
  bench.daemons.clear();
  bench.run_for(kSyncLookInterval);
  CHECK(bench.roles() == "master ");
  CHECK(bench.drifts == 1);
  bench.daemons.at(SyncRole::master).id = 9;
  bench.daemons[SyncRole::backup] = {.interface = "eth7"};
  bench.run_for(2 * kSyncLookInterval);
  CHECK(bench.roles() == "master ");
  CHECK(bench.daemons.at(SyncRole::master).id == 51);
  CHECK(bench.drifts == 2);

  Bench others;
  others.daemons[SyncRole::master] = {.interface = "eth7"};
  others.step(sync_event::Configured{{}, {.tcp = 100}});
  others.run_for(20s);
  others.step(sync_event::Stopping{});
  CHECK(others.roles() == "master ");
}

TEST_CASE("sync: a refusal is told once and tried again at growing distances") {
  Bench bench;
  bench.refuse = 5;
  bench.step(sync_event::Configured{following("eth9"), {}});
  bench.run_for(20s);
  CHECK(bench.done.size() == 3);  // at 0, 3 and 9 s
  CHECK(bench.troubles == std::vector<std::string>{"refused"});
  bench.run_for(3min);
  CHECK(bench.troubles == std::vector<std::string>{"refused", "over"});
  CHECK(bench.roles() == "backup ");
  CHECK(bench.drifts == 0);
}

TEST_CASE("sync: a kernel without IPVS is told once, and a stop does not wait for it") {
  Bench bench;
  bench.unreachable = true;
  bench.step(sync_event::Held{true});
  bench.step(sync_event::Configured{following(), {}});
  bench.run_for(1min);
  CHECK(bench.troubles == std::vector<std::string>{"no IPVS"});
  bench.step(sync_event::Stopping{});
  CHECK(bench.finished);
}

TEST_CASE("sync: a reload starts anew what has other settings, and stops what is not wanted") {
  Bench bench = settled(true);
  SyncSettings other = following();
  other.daemon.max_length = 1000;
  bench.step(sync_event::Configured{other, {}});
  bench.run_for(1s);
  CHECK(bench.done.size() == 2);
  CHECK(bench.daemons.at(SyncRole::master).max_length == 1000);
  bench.step(sync_event::Configured{following(), {}});
  bench.run_for(1s);
  CHECK(bench.daemons.at(SyncRole::master).max_length == 1472);
  bench.step(sync_event::Configured{following(), {}});
  CHECK(bench.done.size() == 4);
  bench.step(sync_event::Configured{});
  CHECK(bench.roles().empty());
  bench.run_for(1min);
  CHECK_FALSE(bench.machine.deadline());
}

TEST_CASE("timeouts: set, put back, and the kernel's own again when nobody wants them") {
  Bench bench;
  bench.step(sync_event::Configured{{}, {.tcp = 100, .udp = 60}});
  bench.run_for(1s);
  CHECK(bench.timeouts == Timeouts{100, 120, 60});
  bench.timeouts.tcp = 5;
  bench.timeouts.tcp_fin = 6;
  bench.run_for(kSyncLookInterval);
  CHECK(bench.timeouts == Timeouts{100, 6, 60});
  CHECK(bench.drifts == 1);
  bench.step(sync_event::Configured{{}, {.tcp = 100}});
  bench.run_for(1s);
  CHECK(bench.timeouts == Timeouts{100, 6, 300});
  bench.step(sync_event::Stopping{});
  CHECK(bench.timeouts == Timeouts{900, 6, 300});
  CHECK(bench.finished);
}

TEST_CASE("sync: lengths that the kernel chose are as asked") {
  const ipvs::SyncDaemon asked{.interface = "eth0", .max_length = 500};
  ipvs::SyncDaemon actual = asked;
  actual.max_length = 1024;
  CHECK(ipvs::is_as_asked(SyncRole::backup, actual, asked));
  CHECK_FALSE(ipvs::is_as_asked(SyncRole::master, actual, asked));
  CHECK(ipvs::is_as_asked(SyncRole::master, actual, {.interface = "eth0"}));
  CHECK_FALSE(ipvs::is_as_asked(SyncRole::master, actual, {.interface = "eth1"}));
}
