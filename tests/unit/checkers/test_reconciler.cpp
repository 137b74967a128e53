// The table's keeper without a kernel: events in, actions out.
#include "checkers/core/reconciler.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::checkers;
namespace ev = holdfast::checkers::table_event;
namespace act = holdfast::checkers::table_action;

namespace {

const core::Instant t0{std::chrono::hours(1)};
using namespace std::chrono_literals;

ipvs::ServiceKey service_at(std::uint8_t last) {
  return ipvs::AddressKey{ipvs::Protocol::tcp, {core::IpAddress::v4({192, 0, 2, last}), 80}};
}
core::Endpoint server_at(std::uint8_t last) {
  return {core::IpAddress::v4({10, 0, 0, last}), 80};
}

ipvs::Table table_of(std::initializer_list<std::uint8_t> services) {
  ipvs::Table table;
  for (const std::uint8_t last : services) {
    ipvs::Service& service = table.services[service_at(last)];
    service.settings.scheduler = "rr";
    service.servers[server_at(1)] = {};
  }
  return table;
}

/// A reconciler with a pretended kernel that does what it is asked at once.
struct Bench {
  Reconciler reconciler{};
  ipvs::Table desired{};
  ipvs::Table kernel{};
  core::Instant now = t0;
  std::vector<TableAction> reports{};  // everything but open, read and apply
  std::vector<ipvs::Plan> plans{};
  bool has_ipvs = true;
  std::set<std::size_t> refuse{};  // indices of steps of the next plan
  std::size_t lose{};              // the kernel cannot be reached for the last so many of them

  void send(const TableEvent& event) {
    TableActions actions;
    reconciler.step(event, desired, now, actions);
    for (const TableAction& action : actions) {
      if (std::holds_alternative<act::Open>(action)) {
        send(has_ipvs ? TableEvent{ev::Opened{}} : TableEvent{ev::OpenFailed{"no ip_vs"}});
      } else if (std::holds_alternative<act::Read>(action)) {
        send(has_ipvs ? TableEvent{ev::WasRead{kernel}} : TableEvent{ev::ReadFailed{"lost"}});
      } else if (const auto* apply = std::get_if<act::Apply>(&action)) {
        plans.push_back(apply->steps);
        ev::Applied applied;
        const auto refused = std::exchange(refuse, {});
        applied.not_tried = std::exchange(lose, 0);
        for (std::size_t i = 0; i < apply->steps.size() - applied.not_tried; ++i) {
          if (refused.contains(i))
            applied.failures.push_back({i, "refused"});
          else
            static_cast<void>(ipvs::apply_step(apply->steps[i], kernel));
        }
        send(applied);
      } else {
        reports.push_back(action);
      }
    }
  }
  /// Lets time pass until `until`, ticking at every deadline.
  void run_to(core::Instant until) {
    while (reconciler.deadline() && *reconciler.deadline() <= until) {
      now = *reconciler.deadline();
      send(ev::Tick{});
    }
    now = until;
  }
  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const TableAction& action : reports)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
};

}  // namespace

TEST_CASE("table: at start the desired services are made, and written down as ours before that") {
  Bench bench{.desired = table_of({1, 2})};
  bench.send(ev::Started{});
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.all<act::SaveOwned>() == std::vector{act::SaveOwned{{service_at(1), service_at(2)}}});
  CHECK(bench.reconciler.drift() == 0);
}

TEST_CASE("table: an equal table in the kernel is adopted without touching it") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1})};
  bench.send(ev::Started{{service_at(1)}});
  CHECK(bench.plans.empty());
  CHECK(bench.all<act::ReportAdopted>() == std::vector{act::ReportAdopted{1, 0}});
}

TEST_CASE("table: services of others are reported once and stay for ever") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({7})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 60s);
  CHECK(bench.kernel == table_of({1, 7}));
  CHECK(bench.all<act::ReportForeign>() == std::vector{act::ReportForeign{{service_at(7)}}});
  CHECK(bench.reconciler.foreign() == ipvs::OwnedKeys{service_at(7)});
  bench.send(ev::Stopping{});
  CHECK(bench.kernel == table_of({7}));
}

TEST_CASE("table: what a former process owned and nobody wants any more is removed and forgotten") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1, 2, 7})};
  bench.send(ev::Started{{service_at(1), service_at(2), service_at(3)}});
  bench.run_to(t0 + 10s);
  CHECK(bench.kernel == table_of({1, 7}));
  CHECK(bench.reconciler.owned() == ipvs::OwnedKeys{service_at(1)});
  CHECK(bench.all<act::SaveOwned>().back() == act::SaveOwned{{service_at(1)}});
  CHECK(bench.reconciler.drift() == 0);
}

TEST_CASE("table: a change of ours is sent at once, alone, and is no drift when read back") {
  Bench bench{.desired = table_of({1, 2})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.plans.clear();
  bench.desired.services[service_at(2)].servers[server_at(1)].weight = 5;
  bench.send(ev::DesiredChanged{{service_at(2)}});
  REQUIRE(bench.plans.size() == 1);
  CHECK(bench.plans[0] == ipvs::Plan{ipvs::EditServer{service_at(2), server_at(1), {.weight = 5}}});
  bench.run_to(t0 + 20s);
  CHECK(bench.plans.size() == 1);
  CHECK(bench.reconciler.drift() == 0);
}

TEST_CASE(
    "table: what others do to our entries is counted, told and put back within the compare "
    "interval") {
  Bench bench{.desired = table_of({1})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.kernel.services[service_at(1)].servers.erase(server_at(1));
  bench.kernel.services[service_at(1)].servers[server_at(9)] = {};
  bench.run_to(bench.now + kCompareInterval);
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 2);
  REQUIRE(bench.all<act::ReportDrift>().size() == 1);
  CHECK(bench.all<act::ReportDrift>()[0].differences.size() == 2);
}

TEST_CASE("table: a service of ours that somebody deleted comes back") {
  Bench bench{.desired = table_of({1, 2})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.kernel.services.clear();
  bench.run_to(bench.now + kCompareInterval);
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() >= 2);
}

TEST_CASE("table: without ip_vs there is one complaint, and the table is made when it comes") {
  Bench bench{.desired = table_of({1}), .has_ipvs = false};
  bench.send(ev::Started{});
  CHECK_FALSE(bench.reconciler.is_available());
  bench.run_to(t0 + 60s);
  CHECK(bench.all<act::ReportAccess>() == std::vector{act::ReportAccess{"no ip_vs"}});
  bench.desired = table_of({1, 2});
  bench.send(ev::DesiredChanged{{service_at(2)}});

  bench.has_ipvs = true;
  bench.run_to(bench.now + kReopenInterval);

  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.is_available());
  CHECK(bench.all<act::ReportAccess>().back() == act::ReportAccess{std::nullopt});
}

TEST_CASE("table: a reader that fails later is reopened") {
  Bench bench{.desired = table_of({1})};
  bench.send(ev::Started{});
  bench.has_ipvs = false;
  bench.run_to(bench.now + kCompareInterval);
  CHECK(bench.reconciler.error() == "lost");
  bench.has_ipvs = true;
  bench.run_to(bench.now + kReopenInterval);
  CHECK(bench.reconciler.is_available());
  CHECK_FALSE(bench.reconciler.error());
}

TEST_CASE("table: a refused step is told once, tried every few seconds, and is no drift") {
  Bench bench{.desired = table_of({1})};
  bench.refuse = {0, 1, 2};
  bench.send(ev::Started{});
  CHECK(bench.all<act::ReportFailedStep>().size() ==
        1);  // the service; its server follows from that
  for (int i = 0; i < 5; ++i) {
    bench.refuse = {0, 1, 2};
    bench.run_to(bench.now + kCompareInterval);
  }
  CHECK(bench.all<act::ReportFailedStep>().size() == 1);
  CHECK(bench.plans.size() <= 7);
  bench.refuse = {};
  bench.run_to(bench.now + 2 * kCompareInterval);
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 0);
}

TEST_CASE("table: a plan made from a stale picture corrects itself soon") {
  Bench bench{.desired = table_of({1})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 1s);
  bench.kernel.services.clear();  // somebody, just now
  bench.desired.services[service_at(1)].servers[server_at(1)].weight = 5;
  bench.refuse = {0};
  bench.send(ev::DesiredChanged{{service_at(1)}});
  CHECK(bench.all<act::ReportFailedStep>().empty());
  bench.run_to(bench.now + 2 * kReadBackDelay);
  CHECK(bench.kernel == bench.desired);
}

TEST_CASE("table: an orderly stop removes ours only, with -I nothing") {
  for (const bool keep : {false, true}) {
    CAPTURE(keep);
    Bench bench{.desired = table_of({1}), .kernel = table_of({7})};
    bench.send(ev::Started{});
    bench.run_to(t0 + 5s);
    bench.send(ev::Stopping{keep});
    CHECK(bench.kernel == (keep ? table_of({1, 7}) : table_of({7})));
    CHECK(bench.all<act::Finished>().size() == 1);
    CHECK(bench.reconciler.owned() == (keep ? ipvs::OwnedKeys{service_at(1)} : ipvs::OwnedKeys{}));
    CHECK_FALSE(bench.reconciler.deadline());
  }
}

TEST_CASE("table: what an interrupted stop could not remove stays ours, and is told once") {
  Bench bench{.desired = table_of({1, 2, 3})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 5s);
  bench.refuse = {0, 1};
  bench.lose = 1;
  bench.send(ev::Stopping{});
  CHECK(bench.all<act::Finished>().size() == 1);
  CHECK(bench.kernel == table_of({1, 2, 3}));
  CHECK(bench.reconciler.owned() == ipvs::OwnedKeys{service_at(1), service_at(2), service_at(3)});
  CHECK(bench.all<act::ReportFailedStep>().size() == 1);
}

TEST_CASE("table: stopping without ip_vs, or before the start, ends at once") {
  Bench never_started;
  never_started.send(ev::Stopping{});
  CHECK(never_started.all<act::Finished>().size() == 1);
  Bench closed{.has_ipvs = false};
  closed.send(ev::Started{});
  closed.send(ev::Stopping{});
  CHECK(closed.all<act::Finished>().size() == 1);
}

TEST_CASE("table: stopping while a read or a plan is under way waits for its answer") {
  for (const bool while_reading : {true, false}) {
    CAPTURE(while_reading);
    Reconciler reconciler;
    const ipvs::Table desired = table_of({1});
    TableActions actions;
    reconciler.step(ev::Started{}, desired, t0, actions);
    reconciler.step(ev::Opened{}, desired, t0, actions);
    if (!while_reading) reconciler.step(ev::WasRead{{}}, desired, t0, actions);
    actions.clear();

    reconciler.step(ev::Stopping{}, desired, t0, actions);
    CHECK(actions.empty());
    if (while_reading)
      reconciler.step(ev::WasRead{{}}, desired, t0, actions);
    else
      reconciler.step(ev::Applied{}, desired, t0, actions);

    if (while_reading) {
      CHECK(std::holds_alternative<act::Finished>(actions.back()));
    } else {
      CHECK(actions == TableActions{act::Apply{{ipvs::DeleteService{service_at(1)}}}});
      reconciler.step(ev::Applied{}, desired, t0, actions);
      CHECK(std::holds_alternative<act::Finished>(actions.back()));
    }
  }
}
