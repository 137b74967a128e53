// What status tells of counters, of the kernel's table and of a sorry server, without a kernel.
#include "checkers/status.hpp"
#include "tests/unit/checkers/engine_bench.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace json = boost::json;

namespace {

const Synchroniser kNoSync;
const SwitchState kNoSwitches;
const core::Orders kNoOrders;

/// A kernel that has exactly the desired table, or what was made of it.
void read_table(Reconciler& reconciler, const ipvs::Table& desired, const ipvs::Table& kernel) {
  TableActions actions;
  reconciler.step(table_event::Started{}, desired, t0, actions);
  reconciler.step(table_event::Opened{}, desired, t0, actions);
  reconciler.step(table_event::WasRead{kernel}, desired, t0, actions);
}

/// All that is left of a document, and how many turns that took.
std::string text_of(StatusDocument& document, int* turns = nullptr) {
  std::string text;
  while (const runtime::ControlPiece piece = document.next()) {
    piece(text);
    if (turns != nullptr) ++*turns;
  }
  return text;
}

json::object status_of(const Bench& bench, const Reconciler& reconciler,
                       const Counters& counters = {}, const Admission& admission = Admission(9)) {
  const std::uint64_t generation = 1;
  const std::map<ipvs::ServiceKey, ipvs::ServiceCounters> none;
  const ScriptRecords unused;
  StatusDocument document(StatusDocument::Subject{.engine = bench.engine,
                                                  .table = {reconciler, none},
                                                  .sync = kNoSync,
                                                  .switches = kNoSwitches,
                                                  .probes = {counters, admission},
                                                  .orders = kNoOrders,
                                                  .generation = generation,
                                                  .scripts = unused});
  return json::parse(text_of(document)).as_object();
}

/// One service with two servers, the second of which is its sorry server as well.
Settings with_sorry_server_among_the_real_ones() {
  ServiceSettings one = service(1, {1, 2});
  one.sorry_server = SorryServer{.endpoint = server_at(2), .entry = {.weight = 3}};
  return {{one}};
}

}  // namespace

TEST_CASE("status: probes are counted by what became of them") {
  Counters counters;
  counters.count(Result::passed);
  counters.count(Result::passed);
  counters.count(Result::failed);
  counters.count(Result::not_tried);

  Bench bench;
  const json::object told = status_of(bench, Reconciler{}, counters);

  const json::object& numbers = told.at("counters").as_object();
  CHECK(numbers.at("probes_passed") == 2);
  CHECK(numbers.at("probes_failed") == 1);
  CHECK(numbers.at("probes_not_tried") == 1);
}

TEST_CASE("status: probes that are open, and those that wait for a descriptor, are told") {
  Admission admission(2);
  for (std::uint64_t probe = 1; probe <= 5; ++probe)
    admission.enqueue(ProbeId{probe}, Lane::serving);
  while (admission.admit()) continue;

  Bench bench;
  const json::object told = status_of(bench, Reconciler{}, {}, admission);

  CHECK(told.at("probes_at_once") == 2);
  CHECK(told.at("probes_open") == 2);
  CHECK(told.at("probes_waiting") == 3);
}

TEST_CASE("status: a server that is also the sorry server counts as what it is in the table for") {
  Bench bench;
  bench.configure(with_sorry_server_among_the_real_ones());
  bench.run_for(10s);
  Reconciler met;
  read_table(met, bench.engine.desired(), bench.engine.desired());

  json::object service = status_of(bench, met).at("services").at(0).as_object();
  CHECK(service.at("quorum_up") == true);
  CHECK(service.at("servers").at(1).at("in_table") == true);
  CHECK(service.at("servers").at(1).at("weight") == 1);
  CHECK(service.at("sorry_server").at("in_table") == false);
  CHECK(service.at("sorry_server").at("in_use") == false);
  CHECK(service.at("sorry_server").at("weight") == 0);

  bench.answers = {{server_at(1), kBad}, {server_at(2), kBad}};
  bench.run_for(60s);
  Reconciler lost;
  read_table(lost, bench.engine.desired(), bench.engine.desired());

  service = status_of(bench, lost).at("services").at(0).as_object();
  CHECK(service.at("quorum_up") == false);
  CHECK(service.at("servers").at(1).at("in_table") == false);
  CHECK(service.at("sorry_server").at("in_table") == true);
  CHECK(service.at("sorry_server").at("in_use") == true);
  CHECK(service.at("sorry_server").at("weight") == 3);
}

TEST_CASE("status: a sorry server that only waits in the table is not in use") {
  Bench bench;
  ServiceSettings one = service(1, {1});
  one.sorry_server = SorryServer{.endpoint = server_at(9), .entry = {.weight = 3}, .inhibit = true};
  bench.configure({{one}});
  bench.run_for(10s);
  Reconciler reconciler;
  read_table(reconciler, bench.engine.desired(), bench.engine.desired());

  const json::object told = status_of(bench, reconciler);

  const json::value& sorry = told.at("services").at(0).at("sorry_server");
  CHECK(sorry.at("in_table") == true);
  CHECK(sorry.at("in_use") == false);
}

TEST_CASE(
    "status: a table that differs is told with since when, and told no more when it is right") {
  Bench bench;
  bench.configure({{service(1, {1})}});
  const ipvs::Table& desired = bench.engine.desired();
  Reconciler reconciler;
  read_table(reconciler, desired, {});
  TableActions actions;
  table_event::Applied refused;
  for (std::size_t i = 0; i < 3; ++i) refused.failures.push_back({i, "refused"});
  reconciler.step(refused, desired, t0 + 1s, actions);

  json::object told = status_of(bench, reconciler).at("ipvs").as_object();
  CHECK(told.at("differs").at("places") == 2);
  CHECK(told.at("differs").at("entries").at(0) == "TCP 192.0.2.1:80 is missing");
  CHECK(told.at("drift") == 0);
  CHECK(told.at("last_drift_at").is_null());

  reconciler.step(table_event::Tick{}, desired, t0 + 10s, actions);
  reconciler.step(table_event::ServicesWereRead{{service_at(1)}, desired}, desired, t0 + 10s,
                  actions);
  CHECK(status_of(bench, reconciler).at("ipvs").at("differs").is_null());
}

TEST_CASE("status: what others changed is told as history, with its last time") {
  Bench bench;
  bench.configure({{service(1, {1})}});
  const ipvs::Table& desired = bench.engine.desired();
  Reconciler reconciler;
  read_table(reconciler, desired, desired);
  TableActions actions;
  const table_event::ServicesWereRead without{{service_at(1)}, {}};
  for (const core::Duration at : {kLookInterval, kLookInterval + kConfirmDelay}) {
    reconciler.step(table_event::Tick{}, desired, t0 + at, actions);
    reconciler.step(without, desired, t0 + at, actions);
  }
  reconciler.step(table_event::Applied{}, desired, t0 + 2 * kLookInterval, actions);

  const json::object told = status_of(bench, reconciler).at("ipvs").as_object();

  CHECK(told.at("differs").is_null());
  CHECK(told.at("drift") == 2);
  CHECK(told.at("last_drift_at").is_string());
}

TEST_CASE("status: many servers are told in several turns, in their order") {
  ServiceSettings large = service(1, {});
  for (std::uint8_t i = 1; i <= 200; ++i) large.servers.push_back(server(i));
  Bench bench;
  bench.configure({{large, service(2, {}), service(3, {7})}});
  const Reconciler reconciler;
  const std::map<ipvs::ServiceKey, ipvs::ServiceCounters> none;
  const ScriptRecords unused;
  const Counters counters;
  const Admission admission(9);
  const std::uint64_t generation = 1;
  StatusDocument document(StatusDocument::Subject{.engine = bench.engine,
                                                  .table = {reconciler, none},
                                                  .sync = kNoSync,
                                                  .switches = kNoSwitches,
                                                  .probes = {counters, admission},
                                                  .orders = kNoOrders,
                                                  .generation = generation,
                                                  .scripts = unused});

  int turns = 0;
  const json::object told = json::parse(text_of(document, &turns)).as_object();

  CHECK(turns >= 5);
  const json::array& services = told.at("services").as_array();
  REQUIRE(services.size() == 3);
  CHECK(services[0].at("servers").as_array().size() == 200);
  CHECK(services[0].at("servers").at(199).at("address") == "10.0.0.200");
  CHECK(services[1].at("servers").as_array().empty());
  CHECK(services[2].at("servers").as_array().size() == 1);
}

TEST_CASE("status: a reload between two turns begins it anew") {
  Bench bench;
  bench.configure({{service(1, {1}), service(2, {2})}});
  const Reconciler reconciler;
  const std::map<ipvs::ServiceKey, ipvs::ServiceCounters> none;
  const ScriptRecords unused;
  const Counters counters;
  const Admission admission(9);
  std::uint64_t generation = 1;
  StatusDocument document(StatusDocument::Subject{.engine = bench.engine,
                                                  .table = {reconciler, none},
                                                  .sync = kNoSync,
                                                  .switches = kNoSwitches,
                                                  .probes = {counters, admission},
                                                  .orders = kNoOrders,
                                                  .generation = generation,
                                                  .scripts = unused});
  std::string text;
  document.next()(text);
  document.next()(text);

  generation = 2;
  bench.configure({{service(3, {3})}});
  while (const runtime::ControlPiece piece = document.next()) piece(text);

  const json::object told = json::parse(text).as_object();
  CHECK(told.at("generation") == 2);
  CHECK(told.at("services").as_array().size() == 1);
}

TEST_CASE("status: a group is told by its name, its entries and the sum of its connections") {
  Bench bench;
  ServiceSettings one = service(1, {1, 2});
  one.group = "TCP group web";
  one.keys = {service_at(1), service_at(2)};
  bench.configure({{one}});
  bench.run_for(10s);
  ipvs::Table kernel = bench.engine.desired();
  kernel.services.at(service_at(2)).servers.erase(server_at(2));
  Reconciler reconciler;
  read_table(reconciler, bench.engine.desired(), kernel);

  const json::object told = status_of(bench, reconciler).at("services").at(0).as_object();

  CHECK(told.at("group") == "TCP group web");
  CHECK(told.at("entry_count") == 2);
  CHECK(told.at("entries").at(1).at("address") == "192.0.2.2");
  CHECK_FALSE(told.contains("port"));
  CHECK(told.at("servers").at(0).at("in_table") == true);
  CHECK(told.at("servers").at(1).at("in_table") == false);
}
