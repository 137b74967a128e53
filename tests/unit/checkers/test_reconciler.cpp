// The table's keeper without a kernel: events in, actions out.
#include "checkers/core/reconciler.hpp"
#include "core/rng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

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

/// Many services: 192.0.2.0 … and on, each with one server.
ipvs::Table large_table(std::size_t services) {
  ipvs::Table table;
  for (std::size_t i = 0; i < services; ++i) {
    const ipvs::MarkKey key{.mark = static_cast<std::uint32_t>(i + 1)};
    ipvs::Service& service = table.services[key];
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
  std::size_t disagree{};          // so many readings contradict themselves
  bool in_one_piece = true;
  core::Duration cost{};                                              // of a look
  std::function<void(ipvs::Table&)> distort = [](ipvs::Table&) {};    // what a reading shows
  std::function<void(ipvs::Table&)> normalise = [](ipvs::Table&) {};  // what the kernel keeps
  std::size_t whole_reads{};
  std::size_t lists{};
  std::vector<std::vector<ipvs::ServiceKey>> looks{};  // services read by their keys
  std::vector<core::Instant> applied_at{};

  void send(const TableEvent& event) {
    TableActions actions;
    reconciler.step(event, desired, now, actions);
    for (const TableAction& action : actions) {
      if (std::holds_alternative<act::Open>(action)) {
        send(has_ipvs ? TableEvent{ev::Opened{}} : TableEvent{ev::OpenFailed{"no ip_vs"}});
      } else if (std::holds_alternative<act::Read>(action)) {
        ++whole_reads;
        answer([&] { return ev::WasRead{shown(), in_one_piece}; });
      } else if (const auto* some = std::get_if<act::ReadServices>(&action)) {
        looks.push_back(some->keys);
        answer([&] { return ev::ServicesWereRead{some->keys, shown(some->keys), cost}; });
      } else if (std::holds_alternative<act::ListServices>(action)) {
        ++lists;
        answer([&] { return ev::WasListed{listed()}; });
      } else if (const auto* apply = std::get_if<act::Apply>(&action)) {
        plans.push_back(apply->steps);
        applied_at.push_back(now);
        send(applied(apply->steps));
      } else {
        reports.push_back(action);
      }
    }
  }
  template <class Reading>
  void answer(Reading reading) {
    if (!has_ipvs) return send(ev::ReadFailed{"lost"});
    if (disagree != 0) {
      --disagree;
      return send(ev::ReadDisagreed{});
    }
    send(reading());
  }
  [[nodiscard]] ipvs::Table shown() const {
    ipvs::Table table = kernel;
    distort(table);
    return table;
  }
  [[nodiscard]] ipvs::Table shown(const std::vector<ipvs::ServiceKey>& keys) const {
    const ipvs::Table all = shown();
    ipvs::Table some;
    for (const auto& key : keys)
      if (const auto found = all.services.find(key); found != all.services.end())
        some.services.insert(*found);
    return some;
  }
  [[nodiscard]] ipvs::ServiceList listed() const {
    ipvs::ServiceList list;
    list.in_one_piece = in_one_piece;
    for (const auto& [key, service] : shown().services) list.services[key] = service.settings;
    return list;
  }
  ev::Applied applied(const ipvs::Plan& steps) {
    ev::Applied done;
    const auto refused = std::exchange(refuse, {});
    done.not_tried = std::exchange(lose, 0);
    for (std::size_t i = 0; i < steps.size() - done.not_tried; ++i) {
      if (refused.contains(i))
        done.failures.push_back({i, "refused"});
      else
        static_cast<void>(ipvs::apply_step(steps[i], kernel));
    }
    normalise(kernel);
    return done;
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

TEST_CASE("table: what is taken over is told with the number of changes it needs") {
  Bench bench{.desired = table_of({1, 2}), .kernel = table_of({1, 3})};
  bench.kernel.services[service_at(1)].servers[server_at(1)].weight = 7;
  bench.send(ev::Started{{service_at(3)}});
  // A weight; a service with its server and scheduler; a service that nobody wants any more.
  CHECK(bench.all<act::ReportAdopted>() == std::vector{act::ReportAdopted{1, 5}});
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

TEST_CASE("table: what others do to our entries is counted, told and put back by the next look") {
  Bench bench{.desired = table_of({1})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.kernel.services[service_at(1)].servers.erase(server_at(1));
  bench.kernel.services[service_at(1)].servers[server_at(9)] = {};
  const core::Instant before = bench.now;
  bench.run_to(bench.now + kLookInterval + kConfirmDelay);
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 2);
  CHECK(bench.reconciler.last_drift().value() > before);
  REQUIRE(bench.all<act::ReportDrift>().size() == 1);
  CHECK(bench.all<act::ReportDrift>()[0].differences.size() == 2);
}

TEST_CASE("table: a service of ours that somebody deleted comes back") {
  Bench bench{.desired = table_of({1, 2})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.kernel.services.clear();
  bench.run_to(bench.now + kLookInterval + kConfirmDelay);
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
  bench.run_to(bench.now + kLookInterval);
  CHECK(bench.reconciler.error() == "lost");
  CHECK_FALSE(bench.reconciler.is_available());
  bench.has_ipvs = true;
  bench.run_to(bench.now + kReopenInterval);
  CHECK(bench.reconciler.is_available());
  CHECK_FALSE(bench.reconciler.error());
}

TEST_CASE(
    "table: IPVS that can be opened but not read is one complaint, and no news of its return") {
  Bench bench{.desired = table_of({1})};
  TableActions actions;
  const auto send = [&](const TableEvent& event) {
    bench.reconciler.step(event, bench.desired, bench.now, actions);
  };
  send(ev::Started{});
  for (int i = 0; i < 5; ++i) {
    send(ev::Opened{});
    send(ev::ReadFailed{"not permitted"});
    bench.now += kReopenInterval;
    send(ev::Tick{});
  }
  std::erase_if(actions, [](const TableAction& action) {
    return !std::holds_alternative<act::ReportAccess>(action);
  });
  CHECK(actions == TableActions{act::ReportAccess{"not permitted"}});
  CHECK(bench.reconciler.error() == "not permitted");
  CHECK_FALSE(bench.reconciler.is_available());

  send(ev::Opened{});
  send(ev::WasRead{});
  CHECK(std::ranges::count(actions, TableAction{act::ReportAccess{std::nullopt}}) == 1);
}

TEST_CASE("table: a refused step is told once, tried again at growing distances, and is no drift") {
  Bench bench{.desired = table_of({1})};
  bench.refuse = {0, 1, 2};
  bench.send(ev::Started{});
  CHECK(bench.all<act::ReportFailedStep>().size() ==
        1);  // the service; its server follows from that
  while (bench.now < t0 + 10min) {
    bench.refuse = {0, 1, 2};
    bench.run_to(bench.now + 1s);
  }
  CHECK(bench.all<act::ReportFailedStep>().size() == 1);
  REQUIRE(bench.applied_at.size() >= 12);
  CHECK(bench.applied_at[1] == t0 + kFirstPause);
  CHECK(bench.applied_at[2] == t0 + 3 * kFirstPause);
  CHECK(bench.applied_at.size() <= 16);
  const auto differing = bench.reconciler.differing(bench.desired);
  REQUIRE(differing);
  CHECK(differing->since == t0);
  CHECK(differing->sentences.front() == "TCP 192.0.2.1:80 is missing");

  bench.refuse = {};
  bench.run_to(bench.now + kLongestPause + kReadBackDelay);
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 0);
  CHECK_FALSE(bench.reconciler.differing(bench.desired));
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
  bench.run_to(bench.now + kReadBackDelay + kConfirmDelay);
  CHECK(bench.kernel == bench.desired);
}

TEST_CASE("table: an orderly stop removes ours only, with -I nothing") {
  for (const bool keep : {false, true}) {
    CAPTURE(keep);
    Bench bench{.desired = table_of({1}), .kernel = table_of({7})};
    bench.send(ev::Started{});
    bench.run_to(t0 + 5s);
    bench.send(ev::Stopping{keep});
    bench.run_to(bench.now + kRestBeforeLastDeletion);
    CHECK(bench.kernel == (keep ? table_of({1, 7}) : table_of({7})));
    CHECK(bench.all<act::Finished>().size() == 1);
    CHECK(bench.reconciler.owned() == (keep ? ipvs::OwnedKeys{service_at(1)} : ipvs::OwnedKeys{}));
    CHECK_FALSE(bench.reconciler.deadline());
  }
}

TEST_CASE("table: services of others go at the start or at the stop where that is wanted") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1, 7})};
  bench.send(ev::Started{.owned = {}, .others = Others::go});
  bench.run_to(t0 + 10s);
  CHECK(bench.kernel == table_of({1}));
  CHECK(bench.plans == std::vector<ipvs::Plan>{{ipvs::DeleteService{service_at(7)}}});
  CHECK(bench.all<act::ReportFlushed>() == std::vector{act::ReportFlushed{{service_at(7)}}});
  CHECK(bench.reconciler.drift() == 0);
  CHECK(bench.reconciler.owned() == ipvs::OwnedKeys{service_at(1)});

  bench.kernel = table_of({1, 8});  // later ones stay
  bench.run_to(t0 + 60s);
  CHECK(bench.kernel == table_of({1, 8}));
  bench.kernel = table_of({1, 8, 9});  // nobody has seen this one yet
  bench.send(ev::Stopping{.others = Others::go});
  bench.run_to(bench.now + kRestBeforeLastDeletion);
  CHECK(bench.kernel == ipvs::Table{});
  CHECK(bench.all<act::Finished>().size() == 1);
}

TEST_CASE("table: a table that cannot be read at the stop keeps what is not ours") {
  for (const bool reachable : {false, true}) {
    CAPTURE(reachable);
    Bench bench{.desired = table_of({1}), .kernel = table_of({7})};
    bench.send(ev::Started{});
    bench.run_to(t0 + 5s);
    bench.has_ipvs = reachable;
    bench.disagree = 1;
    bench.send(ev::Stopping{.others = Others::go});
    bench.run_to(bench.now + kRestBeforeLastDeletion);
    CHECK(bench.all<act::Finished>().size() == 1);
    CHECK(bench.kernel == (reachable ? table_of({7}) : table_of({1, 7})));
  }
}

TEST_CASE("table: what an interrupted stop could not remove stays ours, and is told once") {
  Bench bench{.desired = table_of({1, 2, 3})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 5s);
  bench.refuse = {0};
  bench.lose = 1;
  bench.send(ev::Stopping{});
  CHECK(bench.all<act::Finished>().size() == 1);
  CHECK(bench.plans.size() == 2);
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

TEST_CASE("table: at rest a look reads a few services, whatever the size of the table") {
  Bench bench{.desired = large_table(2000), .kernel = large_table(2000)};
  bench.send(ev::Started{});
  bench.looks.clear();
  bench.lists = bench.whole_reads = 0;

  bench.run_to(t0 + 10min);

  CHECK(bench.whole_reads == 0);
  CHECK(bench.lists == 10min / list_interval(2000));
  std::size_t services = 0;
  for (const auto& look : bench.looks) services = std::max(services, look.size());
  CHECK(services == kServicesPerLook);
  CHECK(bench.looks.size() == 10min / look_interval(2000));
  CHECK(bench.plans.empty());
}

TEST_CASE("table: the rolling window reaches every service, and finds what it does not list") {
  Bench bench{.desired = large_table(100), .kernel = large_table(100)};
  bench.send(ev::Started{});
  const core::Duration window = (100 / kServicesPerLook + 1) * look_interval(100);
  for (const std::uint32_t mark : {1U, 50U, 100U})
    bench.kernel.services[ipvs::MarkKey{mark}].servers[server_at(1)].weight = 9;

  bench.run_to(t0 + window + kConfirmDelay);

  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 3);
}

TEST_CASE("table: a look at a large table comes as often as its cost allows") {
  struct Row {
    std::size_t services;
    core::Duration cost, interval;
  };
  const Row rows[] = {
      {2000, 0us, 15s},       {2000, 100us, 500ms}, {2000, 500us, 500ms}, {2000, 2ms, 2s},
      {2000, 15ms, 15s},      {2000, 1s, 15s},      {100, 500us, 500ms},  {32, 500us, 1500ms},
      {17, 500us, 2823529us}, {16, 1ms, 3200ms},    {1, 1ms, 3s},         {0, 1ms, 3s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.services);
    CAPTURE(row.cost.count());
    CHECK(look_interval(row.services, row.cost) == row.interval);
  }
}

TEST_CASE(
    "table: where looks are cheap, a stranger's change among 2,000 services stands a minute") {
  Bench bench{.desired = large_table(2000), .kernel = large_table(2000), .cost = 500us};
  bench.send(ev::Started{});
  bench.run_to(t0 + 15s);  // the first look tells what they cost
  for (const std::uint32_t mark : {1U, 1000U, 2000U})
    bench.kernel.services[ipvs::MarkKey{mark}].servers[server_at(1)].weight = 9;

  bench.run_to(bench.now + 15s + 2000 / kServicesPerLook * kQuickestLookInterval + kConfirmDelay);

  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 3);
  CHECK(bench.lists <= 1);
}

TEST_CASE("table: where looks become dear they come less often at once") {
  Bench bench{.desired = large_table(2000), .kernel = large_table(2000), .cost = 500us};
  bench.send(ev::Started{});
  bench.run_to(t0 + 60s);
  bench.cost = 10ms;
  bench.run_to(bench.now + 1s);
  bench.looks.clear();

  bench.run_to(bench.now + 100s);

  CHECK(bench.looks.size() == 100s / (10ms * kLookShare));
}

TEST_CASE("table: the window goes on where services were removed and added under it") {
  Bench bench{.desired = large_table(40), .kernel = large_table(40)};
  bench.send(ev::Started{});
  bench.run_to(t0 + look_interval(40));  // 1 to 16
  std::vector<ipvs::ServiceKey> changed;
  for (std::uint32_t mark = 13; mark <= 20; ++mark) {
    bench.desired.services.erase(ipvs::MarkKey{mark});
    changed.push_back(ipvs::MarkKey{mark});
  }
  bench.send(ev::DesiredChanged{changed});
  bench.run_to(bench.now + 1s);
  bench.looks.clear();
  bench.run_to(bench.now + 2 * look_interval(40));
  REQUIRE(bench.looks.size() >= 2);
  CHECK(bench.looks[0].front() == ipvs::ServiceKey{ipvs::MarkKey{21}});
  CHECK(bench.looks[0].back() == ipvs::ServiceKey{ipvs::MarkKey{36}});
  CHECK(bench.looks[1].back() == ipvs::ServiceKey{ipvs::MarkKey{12}});
}

TEST_CASE("table: after a change only what was touched is read back, once for changes close by") {
  Bench bench{.desired = large_table(2000), .kernel = large_table(2000)};
  bench.send(ev::Started{});
  bench.run_to(t0 + 61s);
  bench.looks.clear();
  const ipvs::ServiceKey key = ipvs::MarkKey{1000};
  for (std::uint32_t i = 2; i <= 21; ++i) {  // a server that flaps, ten times a second
    bench.desired.services[key].servers[server_at(1)].weight = i;
    bench.send(ev::DesiredChanged{{key}});
    bench.run_to(bench.now + 100ms);
  }
  std::size_t read_backs = 0;
  for (const auto& look : bench.looks) read_backs += look == std::vector{key} ? 1 : 0;
  CHECK(read_backs >= 2s / (kReadBackDelay + 100ms));
  CHECK(read_backs <= 2s / kReadBackDelay);
  CHECK(bench.plans.size() == 20);
  CHECK(bench.kernel == bench.desired);
}

TEST_CASE("table: a difference that only one reading shows changes nothing") {
  for (const bool whole : {true, false}) {
    CAPTURE(whole);
    Bench bench{.desired = table_of({1, 2}), .kernel = table_of({1, 2})};
    bench.send(ev::Started{});
    bench.plans.clear();
    int lies = 1;
    bench.distort = [&lies](ipvs::Table& table) {
      if (lies-- > 0) table.services.erase(service_at(2));
    };
    if (whole) bench.send(ev::LookWanted{});
    bench.run_to(t0 + 1min);
    CHECK(lies < 0);
    CHECK(bench.plans.empty());
    CHECK(bench.reconciler.drift() == 0);
    CHECK(bench.reconciler.actual() == bench.desired);
  }
}

TEST_CASE(
    "table: a first list in pieces, which may have lost services, is confirmed before acting") {
  Bench bench{.desired = large_table(300), .kernel = large_table(300)};
  bench.in_one_piece = false;
  bench.kernel.services.erase(ipvs::MarkKey{7});
  int resizes = 1;
  bench.distort = [&resizes](ipvs::Table& table) {
    if (resizes-- > 0) table.services.erase(ipvs::MarkKey{200});
  };
  bench.send(ev::Started{{ipvs::MarkKey{301}}});
  CHECK(bench.plans.empty());
  bench.run_to(t0 + kConfirmDelay);
  REQUIRE(bench.plans.size() == 1);
  for (const ipvs::Step& step : bench.plans[0])
    CHECK(ipvs::key_of(step) == ipvs::ServiceKey{ipvs::MarkKey{7}});
  CHECK(bench.kernel == bench.desired);
  CHECK_FALSE(bench.reconciler.owned().contains(ipvs::MarkKey{301}));
}

TEST_CASE("table: a list in pieces is believed about services of others when it comes twice") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1, 7, 8})};
  bench.in_one_piece = false;
  bench.send(ev::Started{});
  bench.reports.clear();
  int resizes = 1;
  bench.distort = [&resizes](ipvs::Table& table) {
    if (!table.services.contains(service_at(9)) && resizes-- > 0)
      table.services.erase(service_at(7));
  };
  bench.run_to(t0 + 20s);
  CHECK(bench.all<act::ReportForeign>().empty());
  bench.kernel.services[service_at(9)];
  bench.run_to(t0 + 40s);
  CHECK(bench.all<act::ReportForeign>() ==
        std::vector{act::ReportForeign{{service_at(7), service_at(8), service_at(9)}}});
}

TEST_CASE("table: a value that the kernel changes is given three times, told once, then rarely") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1})};
  bench.normalise = [](ipvs::Table& table) {
    table.services[service_at(1)].servers[server_at(1)].upper_threshold = 5;
  };
  bench.send(ev::Started{});
  bench.desired.services[service_at(1)].servers[server_at(1)].upper_threshold = 4;
  bench.send(ev::DesiredChanged{{service_at(1)}});

  bench.run_to(t0 + 2s);
  CHECK(bench.plans.size() == 1 + kMaxRounds);
  bench.run_to(t0 + 10min);

  CHECK(bench.plans.size() <= 1 + kMaxRounds + 15);
  CHECK(bench.all<act::ReportDrift>().empty());
  REQUIRE(bench.all<act::ReportStubborn>().size() == 1);
  CHECK(bench.all<act::ReportStubborn>()[0].differences ==
        std::vector<std::string>{"TCP 192.0.2.1:80: server 10.0.0.1:80 has -g -w 1 -x 5, should "
                                 "have -g -w 1 -x 4"});
  const auto differing = bench.reconciler.differing(bench.desired);
  REQUIRE(differing);
  CHECK(differing->since < t0 + 2s);

  bench.desired.services[service_at(1)].servers[server_at(1)].upper_threshold = 5;
  bench.send(ev::DesiredChanged{{service_at(1)}});
  bench.run_to(bench.now + kReadBackDelay);
  CHECK_FALSE(bench.reconciler.differing(bench.desired));
}

TEST_CASE("table: drift that was put back is history, not the present") {
  Bench bench{.desired = table_of({1})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.kernel.services.clear();
  bench.run_to(t0 + 20s);
  CHECK(bench.reconciler.drift() == 2);
  CHECK_FALSE(bench.reconciler.differing(bench.desired));
}

TEST_CASE(
    "table: readings that contradict themselves are repeated at growing distances, told once") {
  Bench bench{.desired = table_of({1})};
  bench.disagree = 20;
  bench.send(ev::Started{});
  bench.desired.services[service_at(1)].servers[server_at(1)].weight = 5;
  bench.send(ev::DesiredChanged{{service_at(1)}});
  CHECK(bench.plans.empty());  // nothing is known yet
  CHECK(bench.whole_reads == 1);
  bench.run_to(t0 + kConfirmDelay);
  CHECK(bench.whole_reads == 2);
  bench.run_to(t0 + 3s);
  CHECK(bench.whole_reads <= 7);
  CHECK(bench.all<act::ReportUnsteady>().size() == 1);
  CHECK(bench.all<act::ReportAccess>().empty());

  bench.run_to(t0 + 2min);
  CHECK(bench.kernel == bench.desired);
}

TEST_CASE("table: of services that cannot be read steadily nothing is concluded") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1})};
  bench.send(ev::Started{});
  bench.kernel.services.clear();
  bench.disagree = 1000;
  bench.run_to(t0 + 1min);
  CHECK(bench.plans.empty());
  CHECK(bench.all<act::ReportUnsteady>().size() == 1);
  bench.disagree = 0;
  bench.run_to(bench.now + kReopenInterval + kConfirmDelay);
  CHECK(bench.kernel == bench.desired);
}

TEST_CASE("table: whoever asks gets one whole reading, also while a plan is under way") {
  Bench bench{.desired = large_table(500), .kernel = large_table(500)};
  bench.send(ev::Started{});
  CHECK(bench.whole_reads == 1);
  bench.send(ev::LookWanted{});
  CHECK(bench.whole_reads == 2);

  TableActions actions;
  bench.desired.services[ipvs::MarkKey{1}].servers[server_at(1)].weight = 5;
  bench.reconciler.step(ev::DesiredChanged{{ipvs::MarkKey{1}}}, bench.desired, bench.now, actions);
  bench.reconciler.step(ev::LookWanted{}, bench.desired, bench.now, actions);
  REQUIRE(actions.size() == 1);
  bench.reconciler.step(ev::Applied{}, bench.desired, bench.now, actions);
  CHECK(actions.back() == TableAction{act::Read{}});
}

TEST_CASE("table: before the last of several services goes there is a rest") {
  for (const bool by_stop : {true, false}) {
    CAPTURE(by_stop);
    Bench bench{.desired = table_of({1, 2, 3})};
    bench.send(ev::Started{});
    bench.run_to(t0 + 10s);
    const core::Instant began = bench.now;
    bench.plans.clear();
    if (by_stop) {
      bench.send(ev::Stopping{});
    } else {
      bench.desired = {};
      bench.send(ev::DesiredChanged{{service_at(1), service_at(2), service_at(3)}});
    }
    CHECK(bench.kernel.services.size() == 1);
    bench.run_to(began + kRestBeforeLastDeletion);
    CHECK(bench.kernel.services.empty());
    CHECK(bench.plans.size() == 2);
    CHECK(bench.applied_at.back() == began + kRestBeforeLastDeletion);
  }
}

TEST_CASE("table: a service that is wanted again during the rest stays") {
  Bench bench{.desired = table_of({1, 2})};
  bench.send(ev::Started{});
  bench.run_to(t0 + 10s);
  bench.desired = {};
  bench.send(ev::DesiredChanged{{service_at(1), service_at(2)}});
  REQUIRE(bench.kernel == table_of({2}));
  bench.desired = table_of({2});
  bench.send(ev::DesiredChanged{{service_at(2)}});
  bench.run_to(bench.now + 10s);
  CHECK(bench.kernel == table_of({2}));
  for (const ipvs::Plan& plan : bench.plans)
    CHECK(std::ranges::count(plan, ipvs::Step{ipvs::DeleteService{service_at(2)}}) == 0);
}

TEST_CASE(
    "table: a stop during the rest, or before the first reading succeeded, removes all of ours") {
  Bench resting{.desired = table_of({1, 2})};
  resting.send(ev::Started{});
  resting.run_to(t0 + 10s);
  resting.desired = {};
  resting.send(ev::DesiredChanged{{service_at(1), service_at(2)}});
  resting.send(ev::Stopping{});
  resting.run_to(resting.now + 1s);
  CHECK(resting.kernel.services.empty());
  CHECK(resting.all<act::Finished>().size() == 1);

  Bench unread{.desired = table_of({1}), .kernel = table_of({1, 2, 7})};
  unread.disagree = 1000;
  unread.send(ev::Started{{service_at(1), service_at(2)}});
  unread.send(ev::Stopping{});
  unread.run_to(unread.now + 1s);
  CHECK(unread.kernel == table_of({7}));
  CHECK(unread.all<act::Finished>().size() == 1);
}

TEST_CASE("table: a service of others that becomes ours is looked at before it is changed") {
  Bench bench{.desired = table_of({1}), .kernel = table_of({1, 7})};
  bench.send(ev::Started{});
  bench.kernel.services[service_at(7)].servers[server_at(3)] = {};
  bench.desired = table_of({1, 7});
  bench.send(ev::DesiredChanged{{service_at(7)}});
  REQUIRE(bench.plans.size() == 1);
  CHECK(bench.plans[0] == ipvs::Plan{ipvs::DeleteServer{service_at(7), server_at(3)}});
  CHECK(bench.kernel == bench.desired);
  CHECK(bench.reconciler.drift() == 0);
}

TEST_CASE(
    "property: whatever happens to the kernel, the table is right a minute after the last of it") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    Bench bench{.desired = table_of({1, 2, 3, 4, 5}), .kernel = table_of({2, 5, 9})};
    bench.in_one_piece = rng.below(2) == 0;
    const ipvs::Table foreign = table_of({9});
    bench.send(ev::Started{});
    for (int i = 0; i < 60; ++i) {
      const auto one = static_cast<std::uint8_t>(1 + rng.below(5));
      const auto key = service_at(one);
      switch (rng.below(8)) {
        case 0:
          bench.kernel.services.erase(key);
          break;
        case 1:
          if (bench.reconciler.owned().contains(key))  // else it would be a service of others
            bench.kernel.services[key].servers[server_at(2)] = {};
          break;
        case 2:
          bench.desired.services.erase(key);
          bench.send(ev::DesiredChanged{{key}});
          break;
        case 3:
          bench.desired.services[key].servers[server_at(1)].weight =
              static_cast<std::uint32_t>(rng.below(4));
          bench.send(ev::DesiredChanged{{key}});
          break;
        case 4:
          bench.refuse = {0, 1};
          break;
        case 5:
          bench.disagree = rng.below(4);
          break;
        case 6:
          bench.send(ev::LookWanted{});
          break;
        default:
          bench.has_ipvs = rng.below(4) != 0;
      }
      bench.run_to(bench.now + std::chrono::milliseconds(rng.below(3000)));
    }
    bench.has_ipvs = true;
    bench.refuse = {};
    bench.disagree = 0;

    bench.run_to(bench.now + kLongestPause + 10s);

    ipvs::Table expected = bench.desired;
    expected.services.insert(foreign.services.begin(), foreign.services.end());
    REQUIRE(bench.kernel == expected);
    CHECK_FALSE(bench.reconciler.differing(bench.desired));
    ipvs::OwnedKeys ours;
    for (const auto& [key, service] : bench.desired.services) ours.insert(key);
    CHECK(bench.reconciler.owned() == ours);
  }
}

TEST_CASE("table: what the kernel has of a server that is held stays, and so does its absence") {
  Bench bench;
  bench.desired = table_of({1});
  bench.kernel = table_of({1});
  bench.kernel.services[service_at(1)].servers[server_at(2)] = {.weight = 5};
  bench.reconciler.hold({{service_at(1), {server_at(2), server_at(3)}}});
  bench.send(ev::Started{{service_at(1)}});
  bench.run_to(t0 + 60s);
  CHECK(bench.plans.empty());
  CHECK(bench.reconciler.drift() == 0);

  // The operator's hand is no drift there; changes beside it leave it alone.
  bench.kernel.services[service_at(1)].servers[server_at(3)] = {.weight = 9};
  bench.kernel.services[service_at(1)].servers.erase(server_at(2));
  bench.run_to(t0 + 120s);
  bench.desired.services[service_at(1)].servers[server_at(1)].weight = 7;
  bench.send(ev::DesiredChanged{{service_at(1)}});
  bench.run_to(t0 + 180s);
  CHECK(bench.reconciler.drift() == 0);
  CHECK(bench.plans.size() == 1);
  CHECK(bench.kernel.services[service_at(1)].servers ==
        std::map<core::Endpoint, ipvs::Server>{{server_at(1), {.weight = 7}},
                                               {server_at(3), {.weight = 9}}});

  bench.reconciler.hold({});  // a reload without it
  bench.run_to(t0 + 240s);
  CHECK_FALSE(bench.kernel.services[service_at(1)].servers.contains(server_at(3)));
  CHECK(bench.reconciler.drift() == 0);
}
