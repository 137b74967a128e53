// What a real kernel does with our requests: errors, traps and the promises of the planner.
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"
#include "tests/vm/ipvs/fresh_kernel.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cap-ng.h>
#include <cerrno>
#include <sys/wait.h>
#include <tuple>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::FreshKernel;
using test::shell;
using test::table_of;
using test::tcp;

namespace {

const auto kService = tcp("192.0.2.1:80");
const auto kServer = test::endpoint("10.0.0.1:80");
const Settings kRoundRobin{.scheduler = "rr"};

// 0 or the errno of the only step.
int result_of(Client& client, const Step& step) {
  const auto report = client.apply({step});
  return report.failures.empty() ? 0 : report.failures.front().system_errno;
}

}  // namespace

TEST_CASE("the kernel's numbers are those of the rehearsal, step by step") {
  FreshKernel kernel;
  Server thresholds;
  thresholds.upper_threshold = 4;
  thresholds.lower_threshold = 5;
  Server heavy;
  heavy.weight = 0x80000000;
  Server gue{.forwarding = Forwarding::tunnel};
  gue.tunnel.type = TunnelType::gue;
  const auto other = test::endpoint("10.0.0.2:80");
  const auto v6 = tcp("[2001:db8::80]:80");
  const Plan steps = {AddService{kService, kRoundRobin},
                      AddService{kService, kRoundRobin},
                      EditService{tcp("192.0.2.9:80"), kRoundRobin},
                      AddServer{tcp("192.0.2.9:80"), kServer, {}},
                      AddServer{kService, kServer, {}},
                      AddServer{kService, kServer, {}},
                      EditServer{kService, other, {}},
                      AddServer{kService, other, thresholds},
                      AddServer{kService, other, heavy},
                      AddServer{kService, other, gue},
                      AddServer{kService, test::endpoint("0.0.0.0:80"), {}},
                      AddServer{kService, test::endpoint("224.0.0.1:80"), {}},
                      AddServer{kService, test::endpoint("[2001:db8::1]:80"), {}},
                      AddService{v6, kRoundRobin},
                      AddServer{v6, test::endpoint("[fe80::1]:80"), {}},
                      AddServer{v6, kServer, Server{.forwarding = Forwarding::tunnel}},
                      DeleteServer{v6, kServer},
                      AddService{MarkKey{7}, kRoundRobin},
                      EditService{kService, {.scheduler = "wlc", .persistence = Persistence{}}},
                      EditServer{kService, kServer, thresholds},
                      EditServer{kService, kServer, Server{.weight = 9}}};
  Table rehearsed;
  for (const auto& step : steps) {
    CAPTURE(to_string(step));
    const int expected = apply_step(step, rehearsed);
    CHECK(result_of(kernel.client, step) == expected);
  }
  CHECK(write_text(kernel.table()) == write_text(rehearsed));
  CHECK(kernel.table() == rehearsed);
}

TEST_CASE("an unknown scheduler is explained, a known one is found by probing") {
  FreshKernel kernel;

  const auto report = kernel.client.apply({AddService{kService, {.scheduler = "nosuch"}}});

  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].sentence ==
        "cannot add service TCP 192.0.2.1:80: the kernel does not know the scheduler 'nosuch' "
        "(module ip_vs_nosuch is "
        "missing or cannot be loaded)");
  CHECK(kernel.client.has_scheduler("wlc").value());
  CHECK_FALSE(kernel.client.has_scheduler("nosuch").value());
  const auto schedulers = kernel.client.schedulers();
  REQUIRE(schedulers.has_value());
  CHECK(schedulers->size() >= 13);
  CHECK(kernel.table() == Table{});
  CHECK(kernel.client.info()->version == 0x010201);
}

TEST_CASE("without CAP_NET_ADMIN even reading is refused, with its remedy") {
  FreshKernel kernel;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    capng_clear(CAPNG_SELECT_BOTH);
    std::ignore = capng_apply(CAPNG_SELECT_BOTH);
    auto client = Client::open();
    const auto observed =
        client.has_value() ? client->read() : core::Result<Observed>(client.error());
    const bool refused = !observed.has_value() && observed.error().system_errno == EPERM &&
                         observed.error().message.find("CAP_NET_ADMIN") != std::string::npos;
    const auto report =
        client.has_value() ? client->apply({AddService{kService, {}}}) : ApplyReport{};
    const bool told = report.failures.size() == 1 && report.failures[0].system_errno == EPERM;
    ::_exit(refused && told ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("hundreds of services and servers come back complete from a dump of many pieces") {
  FreshKernel kernel;
  Table desired;
  for (int i = 0; i < 350; ++i) {
    auto& service = desired.services[tcp(fmt::format("10.{}.{}.1:80", 1 + i / 200, i % 200))];
    service.settings = kRoundRobin;
    service.servers[kServer] = {};
  }
  auto& large = desired.services[tcp("192.0.2.1:80")];
  large.settings = kRoundRobin;
  for (int i = 0; i < 400; ++i)
    large.servers[test::endpoint(fmt::format("10.9.{}.{}:80", i / 200, 1 + i % 200))] = {};

  const auto report = kernel.client.apply(plan(desired, {}, {}));

  CHECK(report.failures.empty());
  CHECK(kernel.table() == desired);
  const auto list = kernel.client.list();
  REQUIRE(list.has_value());
  CHECK_FALSE(list->in_one_piece);
  CHECK(list->services.size() == desired.services.size());

  // By their keys, with one among them that is not there.
  std::vector<ServiceKey> keys{tcp("192.0.2.99:80"), MarkKey{7}};
  for (const auto& [key, service] : desired.services) keys.push_back(key);
  ReadServicesJob job(kernel.client, keys);
  auto progress = job.run_slice();
  while (progress && *progress == Progress::more) progress = job.run_slice();
  REQUIRE_MESSAGE(progress.has_value(), progress.error().message);
  CHECK(job.take().table == desired);
}

TEST_CASE("property: services of every kind are the same read by their keys as in the whole") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    core::Rng rng(seed);
    FreshKernel kernel;
    static_cast<void>(kernel.client.apply(plan(test::random_table(rng, 10, 9), {}, {})));
    const Table whole = kernel.table();
    std::vector<ServiceKey> keys;
    for (const auto& [key, service] : whole.services) keys.push_back(key);
    ReadServicesJob job(kernel.client, keys);
    const auto progress = job.run_slice();
    REQUIRE_MESSAGE(progress.has_value(), progress.error().message);
    CHECK(job.take().table == whole);
  }
}

TEST_CASE("a refusal in the middle of a batch does not stop the steps after it") {
  FreshKernel kernel;
  Plan steps;
  for (std::uint32_t mark = 1; mark <= 100; ++mark)
    steps.push_back(AddService{MarkKey{mark == 50 ? 49 : mark}, kRoundRobin});

  const auto report = kernel.client.apply(steps);

  CHECK(report.done == 99);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].index == 49);
  CHECK(report.failures[0].system_errno == EEXIST);
  CHECK(kernel.table().services.size() == 99);
}

TEST_CASE("a server that was deleted and comes back is added again without complaint") {
  FreshKernel kernel;
  const auto desired =
      table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n");
  CHECK(kernel.client.apply(plan(desired, {}, {})).failures.empty());

  const auto report = kernel.client.apply(
      {DeleteServer{kService, kServer}, DeleteServer{kService, kServer},
       AddServer{kService, kServer, desired.services.at(kService).servers.at(kServer)}});

  CHECK(report.done == 3);
  CHECK(kernel.table() == desired);
}

TEST_CASE("on the way to a published pool the kernel shows scheduler none, then everything") {
  FreshKernel kernel;
  const auto desired = table_of(
      "-A -t 192.0.2.1:80 -s mh -b mh-port\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n"
      "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1\n");
  const auto steps = plan(desired, {}, {});
  REQUIRE(steps.size() == 4);

  CHECK(kernel.client.apply(Plan(steps.begin(), steps.end() - 1)).failures.empty());
  CHECK_FALSE(is_serving(kernel.table().services.at(kService)));
  CHECK(kernel.client.apply(plan(desired, kernel.table(), {})).done == 1);
  CHECK(kernel.table() == desired);
}

TEST_CASE("what others made is adopted where it is desired and untouched where it is not") {
  FreshKernel kernel;
  CHECK(shell("ipvsadm -A -t 192.0.2.1:80 -s wlc; ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.1 -g -w 5;"
              "ipvsadm -A -u 192.0.2.2:53 -s rr; ipvsadm -a -u 192.0.2.2:53 -r 10.0.0.1 -m -w 2") ==
        "");
  const auto desired =
      table_of("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n");

  const auto report = kernel.client.apply(plan(desired, kernel.table(), {}));

  CHECK(report.done == 2);
  CHECK(write_text(kernel.table()) ==
        "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1\n"
        "-A -u 192.0.2.2:53 -s rr\n-a -u 192.0.2.2:53 -r 10.0.0.1:53 -m -w 2\n");
}

TEST_CASE("property: the kernel ends where the rehearsal ends, from any table to any other") {
  FreshKernel kernel;
  Table actual;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    core::Rng rng(seed);
    const auto desired = test::random_table(rng, 8, 5);
    OwnedKeys owned;
    for (const auto& [key, service] : actual.services) owned.insert(key);
    const auto steps = plan(desired, actual, owned);

    const auto report = kernel.client.apply(steps);

    CAPTURE(seed);
    for (const auto& failure : report.failures) {
      CAPTURE(failure.sentence);
      CHECK(failure.system_errno == 0);
    }
    CHECK(write_text(kernel.table()) == write_text(desired));
    actual = kernel.table();
    CHECK(actual == desired);
  }
}
