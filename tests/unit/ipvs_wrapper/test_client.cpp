#include "ipvs_wrapper/client.hpp"
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/fake_kernel.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::FakeKernel;
using test::kFamily;
using test::tcp;

namespace {

Client client_of(FakeKernel& kernel) {
  return {test::link_to(kernel), kFamily};
}

Plan many_services(std::uint32_t count) {
  Plan steps;
  for (std::uint32_t mark = 1; mark <= count; ++mark)
    steps.push_back(AddService{MarkKey{mark}, {}});
  return steps;
}

}  // namespace

TEST_CASE("the whole table is read back as it was programmed, for any table") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    core::Rng rng(seed);
    FakeKernel kernel;
    auto client = client_of(kernel);
    const auto desired = test::random_table(rng, 10, 9);

    const auto report = client.apply(plan(desired, {}, {}));

    CAPTURE(seed);
    CHECK(report.failures.empty());
    CHECK(kernel.table == desired);
    const auto observed = client.read();
    REQUIRE_MESSAGE(observed.has_value(), observed.error().message);
    CHECK(observed->table == desired);
    CHECK(observed->counters.size() == desired.services.size());
  }
}

TEST_CASE("a plan travels in batches of at most 64 requests, one answer each") {
  FakeKernel kernel;
  auto client = client_of(kernel);

  const auto report = client.apply(many_services(200));

  CHECK(report.done == 200);
  CHECK(kernel.table.services.size() == 200);
  CHECK(kernel.datagrams == 4);
  CHECK(kernel.largest_batch == kRequestsPerSlice);
  CHECK(kernel.answers.empty());
}

TEST_CASE("a refusal in the middle of a batch stops nothing and is told by its step") {
  FakeKernel kernel;
  kernel.table.services[MarkKey{3}];
  auto client = client_of(kernel);

  const auto report = client.apply(many_services(5));

  CHECK(report.done == 4);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].index == 2);
  CHECK(report.failures[0].system_errno == EEXIST);
  CHECK(report.failures[0].sentence ==
        "cannot add service FWM 3: it is there already; something else added it meanwhile");
  CHECK(kernel.table.services.size() == 5);
}

TEST_CASE("a refusal of the last request is also the end of the batch") {
  FakeKernel kernel;
  kernel.table.services[MarkKey{5}];
  auto client = client_of(kernel);

  const auto report = client.apply(many_services(5));

  CHECK(report.done == 4);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].index == 4);
}

TEST_CASE("deleting what is not there counts as done") {
  FakeKernel kernel;
  kernel.table.services[tcp("192.0.2.1:80")];
  auto client = client_of(kernel);

  const auto report = client.apply(
      {DeleteService{MarkKey{9}}, DeleteServer{MarkKey{9}, test::endpoint("10.0.0.1:80")},
       DeleteServer{tcp("192.0.2.1:80"), test::endpoint("10.0.0.1:80")}});

  CHECK(report.done == 3);
  CHECK(report.failures.empty());
}

TEST_CASE("without the right to use IPVS the rest of a plan is not tried") {
  FakeKernel kernel;
  kernel.refuse_all = EPERM;
  auto client = client_of(kernel);

  const auto report = client.apply(many_services(200));

  CHECK(report.done == 0);
  CHECK(report.failures.size() == 64);
  CHECK(report.not_tried == 136);
  CHECK(report.failures[0].sentence.find("CAP_NET_ADMIN") != std::string::npos);
  const auto observed = client.read();
  REQUIRE_FALSE(observed.has_value());
  CHECK(observed.error().system_errno == EPERM);
  CHECK(observed.error().message.starts_with("cannot read the IPVS table: not permitted"));
}

TEST_CASE("lost answers make the batch uncertain, never done, and do not disturb the next one") {
  FakeKernel kernel;
  kernel.receive_error = ENOBUFS;
  auto client = client_of(kernel);

  auto report = client.apply(many_services(3));
  CHECK(report.done == 0);
  REQUIRE(report.failures.size() == 3);
  CHECK(report.failures[0].system_errno == ENOBUFS);

  report = client.apply(
      {AddService{MarkKey{10}, {}}});  // the old answer is still in the queue and comes first
  CHECK(report.done == 1);
  CHECK(report.failures.empty());
}

TEST_CASE("an answer that never comes ends in time and is told") {
  FakeKernel kernel;
  kernel.receive_error = ETIMEDOUT;
  auto client = client_of(kernel);

  const auto info = client.info();

  REQUIRE_FALSE(info.has_value());
  CHECK(info.error().message ==
        "cannot ask for the version of IPVS: the kernel did not answer in time");
}

TEST_CASE("a table that changes while it is read is read again") {
  FakeKernel kernel;
  kernel.table.services[MarkKey{1}];
  int lists = 0;
  kernel.before_list = [&lists](Table& table) {
    if (++lists == 2) table.services[MarkKey{2}];
  };
  auto client = client_of(kernel);

  const auto observed = client.read();

  REQUIRE(observed.has_value());
  CHECK(observed->table == kernel.table);
  CHECK(lists == 4);
}

TEST_CASE("a table that never stands still is a failed reading, not a picture of what never was") {
  FakeKernel kernel;
  std::uint32_t mark = 0;
  kernel.before_list = [&mark](Table& table) { table.services[MarkKey{++mark}]; };
  auto client = client_of(kernel);

  const auto observed = client.read();

  REQUIRE_FALSE(observed.has_value());
  CHECK(observed.error().system_errno == EAGAIN);
  CHECK(observed.error().message == "the IPVS table changed while it was read");
  CHECK(mark == 2 * kReadAttempts);
}

TEST_CASE("a list in which a service comes twice is thrown away") {
  FakeKernel kernel;
  for (std::uint32_t mark = 1; mark <= 9; ++mark) kernel.table.services[MarkKey{mark}];
  int resizes = 1;
  kernel.moved_list = [&resizes](Plan& entries) {
    // The seventh is lost and the third comes in its place, once more.
    if (resizes-- > 0) entries[6] = entries[2];
  };
  auto client = client_of(kernel);

  CHECK(client.list().error().system_errno == EAGAIN);
  resizes = 1;
  ReadJob job(client);
  CHECK(job.run_slice().error().system_errno == EAGAIN);
  resizes = 1;
  const auto observed = client.read();
  REQUIRE(observed.has_value());
  CHECK(observed->table == kernel.table);
}

TEST_CASE("a list in pieces that lost a service disagrees with the next list") {
  FakeKernel kernel;
  for (std::uint32_t mark = 1; mark <= 9; ++mark) kernel.table.services[MarkKey{mark}];
  int resizes = 1;
  kernel.moved_list = [&resizes](Plan& entries) {
    if (resizes-- > 0) entries.erase(entries.begin() + 6);
  };
  auto client = client_of(kernel);

  ReadJob job(client);
  auto progress = job.run_slice();
  while (progress && *progress == Progress::more) progress = job.run_slice();

  CHECK(progress.error().system_errno == EAGAIN);
  CHECK_FALSE(job.in_one_piece());
}

TEST_CASE("services are read by their keys: the cost is theirs, not the table's") {
  FakeKernel kernel;
  for (std::uint32_t mark = 1; mark <= 500; ++mark)
    kernel.table.services[MarkKey{mark}].servers[test::endpoint("10.0.0.1:80")] = {.weight = mark};
  auto client = client_of(kernel);
  ReadServicesJob job(client, {MarkKey{7}, MarkKey{1000}, MarkKey{8}});

  CHECK(*job.run_slice() == Progress::finished);

  const auto observed = job.take();
  Table expected;
  for (const std::uint32_t mark : {7U, 8U})
    expected.services[MarkKey{mark}] = kernel.table.services[MarkKey{mark}];
  CHECK(observed.table == expected);
  CHECK(observed.counters.size() == 2);
  CHECK(kernel.service_lists == 0);
  CHECK(kernel.server_lists == 2);
  CHECK(kernel.services_asked == 3);
  CHECK(kernel.datagrams == 3);
}

TEST_CASE("no services at all are read without asking") {
  FakeKernel kernel;
  auto client = client_of(kernel);
  ReadServicesJob job(client, {});

  CHECK(*job.run_slice() == Progress::finished);

  CHECK(job.take().table == Table{});
  CHECK(kernel.datagrams == 0);
}

TEST_CASE("many services are read by their keys in slices") {
  FakeKernel kernel;
  std::vector<ServiceKey> keys;
  for (std::uint32_t mark = 1; mark <= 100; ++mark) {
    kernel.table.services[MarkKey{mark}];
    keys.push_back(MarkKey{mark});
  }
  auto client = client_of(kernel);
  ReadServicesJob job(client, keys);

  int slices = 1;
  while (*job.run_slice() == Progress::more) ++slices;

  CHECK(slices == 4);
  CHECK(job.take().table == kernel.table);
}

TEST_CASE("a service that goes before its servers are listed is not one without servers") {
  FakeKernel kernel;
  kernel.table.services[MarkKey{1}].servers[test::endpoint("10.0.0.1:80")] = {};
  kernel.table.services[MarkKey{2}];  // truly without
  kernel.before_servers = [](Table& table) { table.services.erase(MarkKey{1}); };
  auto client = client_of(kernel);

  ReadServicesJob job(client, {MarkKey{1}, MarkKey{2}});
  CHECK(job.run_slice().error().system_errno == EAGAIN);

  ReadServicesJob again(client, {MarkKey{1}, MarkKey{2}});
  CHECK(*again.run_slice() == Progress::finished);
  CHECK(again.take().table == kernel.table);
}

TEST_CASE("without the right to use IPVS services cannot be read by their keys either") {
  FakeKernel kernel;
  kernel.refuse_all = EPERM;
  auto client = client_of(kernel);
  ReadServicesJob job(client, {MarkKey{1}});

  CHECK(job.run_slice().error().system_errno == EPERM);
}

TEST_CASE("jobs work in slices and may alternate on one client") {
  FakeKernel kernel;
  auto client = client_of(kernel);
  static_cast<void>(client.apply(many_services(130)));
  ReadJob reading(client);
  ApplyJob changing(client, {EditService{MarkKey{1}, {.scheduler = "rr"}}});

  int slices = 1;
  for (; *reading.run_slice() == Progress::more; ++slices) {
    if (slices == 2) CHECK(changing.run_slice() == Progress::finished);
  }

  CHECK(slices == 5);  // list, 64 + 64 + 2 services, list
  CHECK(changing.report().done == 1);
  CHECK(reading.take().table.services.size() == 130);
}

TEST_CASE("kernel information and schedulers") {
  FakeKernel kernel;
  kernel.schedulers = {"rr", "mh"};
  kernel.table.services[MarkKey{0xfffffffe}];  // somebody uses the first probe mark
  auto client = client_of(kernel);

  const auto info = client.info();
  REQUIRE(info.has_value());
  CHECK(info->version_text() == "1.2.1");
  CHECK(info->connection_table_size == 4096);
  CHECK(*client.schedulers() == std::vector<std::string>{"rr", "mh"});
  CHECK(kernel.table.services.size() == 1);
}
