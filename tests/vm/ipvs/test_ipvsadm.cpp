// ipvsadm as the second opinion, in both directions.
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"
#include "tests/vm/ipvs/fresh_kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::FreshKernel;
using test::shell;
using test::table_of;

namespace {

// ipvsadm has its own order of servers and services, and its saver leaves thresholds out.
std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// What ipvsadm can express: every service has a real scheduler; servers behind DR and tunnel have
// the service's port.
Table expressible(Table table) {
  for (auto& [key, service] : table.services) {
    if (service.settings.scheduler == kNoScheduler) service.settings.scheduler = "rr";
    std::map<core::Endpoint, Server> servers;
    for (const auto& [original, server] : service.servers) {
      auto endpoint = original;
      const auto* address = std::get_if<AddressKey>(&key);
      if (server.forwarding != Forwarding::masquerade && address != nullptr)
        endpoint.port = address->endpoint.port;
      if (server.forwarding != Forwarding::masquerade && address == nullptr) endpoint.port = 0;
      servers.insert_or_assign(endpoint, server);
    }
    service.servers = servers;
  }
  return table;
}

Table without_thresholds(Table table) {
  for (auto& [key, service] : table.services) {
    for (auto& [endpoint, server] : service.servers)
      server.upper_threshold = server.lower_threshold = 0;
  }
  return table;
}

}  // namespace

TEST_CASE("our text of a table is ipvsadm's, word for word") {
  FreshKernel kernel;
  Table actual;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    core::Rng rng(seed);
    const auto desired = without_thresholds(expressible(test::random_table(rng, 6, 4)));
    OwnedKeys owned;
    for (const auto& [key, service] : actual.services) owned.insert(key);
    CHECK(kernel.client.apply(plan(desired, actual, owned)).failures.empty());
    actual = kernel.table();

    CAPTURE(seed);
    CHECK(sorted_lines(write_text(actual)) == sorted_lines(shell("ipvsadm -Sn")));
    CHECK(table_of(shell("ipvsadm -Sn")) == actual);
  }
}

TEST_CASE("ipvsadm -R makes the same table of our text, thresholds included") {
  FreshKernel kernel;
  for (std::uint64_t seed = 101; seed <= 125; ++seed) {
    core::Rng rng(seed);
    const auto desired = expressible(test::random_table(rng, 6, 4));

    CAPTURE(seed);
    CHECK(shell("ipvsadm -C; ipvsadm -R", write_text(desired)) == "");
    CHECK(write_text(kernel.table()) == write_text(desired));
  }
}

TEST_CASE(
    "forms that the drawn tables do not have: one-packet, persistence engine, flags of other "
    "schedulers") {
  FreshKernel kernel;
  const auto text =
      "-A -u 192.0.2.1:53 -s rr -o\n"
      "-A -u 192.0.2.1:5060 -s wlc -p 360 --pe sip\n"
      "-A -f 9 -s wrr -b flag-1,flag-2,flag-3\n"
      "-a -f 9 -r 10.0.0.1:0 -g -w 1\n";

  CHECK(shell("modprobe ip_vs_pe_sip; ipvsadm -R", text) == "");

  CHECK(write_text(kernel.table()) == text);
  CHECK(sorted_lines(shell("ipvsadm -Sn")) == sorted_lines(text));
}
