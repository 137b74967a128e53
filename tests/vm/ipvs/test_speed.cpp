// Cost of the large table. Times under emulation mean nothing by themselves, so ipvsadm runs in the
// same boot.
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"
#include "tests/vm/ipvs/fresh_kernel.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::FreshKernel;
using test::shell;
using test::tcp;

namespace {

template <class Work>
std::chrono::milliseconds time_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

}  // namespace

TEST_CASE(
    "2,000 services of 4 servers: programmed in well under ipvsadm's time, one weight in one "
    "message") {
  Table desired;
  for (int i = 0; i < 2000; ++i) {
    auto& service = desired.services[tcp(fmt::format("10.{}.{}.1:80", 1 + i / 200, i % 200))];
    service.settings.scheduler = "rr";
    for (int j = 1; j <= 4; ++j)
      service.servers[test::endpoint(fmt::format("10.99.0.{}:80", j))] = {};
  }
  FreshKernel kernel;
  ApplyReport report;
  Table read_back;
  Plan change;

  const auto planned = time_of([&] { change = plan(desired, {}, {}); });
  const auto programmed = time_of([&] { report = kernel.client.apply(change); });
  const auto read = time_of([&] { read_back = kernel.table(); });
  CHECK(report.failures.empty());
  CHECK(read_back == desired);
  desired.services.begin()->second.servers.begin()->second.weight = 2;
  const auto changed = time_of([&] {
    change = plan(desired, read_back, {});
    report = kernel.client.apply(change);
  });
  CHECK(change.size() == 1);
  CHECK(report.done == 1);
  FreshKernel other;
  const auto text = write_text(desired);
  const auto by_ipvsadm = time_of([&] { CHECK(shell("ipvsadm -R", text) == ""); });
  const auto again = time_of([&] { CHECK(other.table() == desired); });

  MESSAGE(
      fmt::format("planned {} ms, programmed {} ms, read {} ms (again {} ms), one weight {} ms; "
                  "ipvsadm -R {} ms",
                  planned.count(), programmed.count(), read.count(), again.count(), changed.count(),
                  by_ipvsadm.count()));
  CHECK(programmed < by_ipvsadm);
  CHECK(changed * 10 < programmed);
}
