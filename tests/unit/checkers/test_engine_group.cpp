// Services with several entries in the kernel's table: one pool, probed once, the same everywhere.
#include "tests/unit/checkers/engine_bench.hpp"

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

const ipvs::ServiceKey kMark = ipvs::MarkKey{7, core::Family::v4};

ipvs::ServiceKey address_at(std::uint8_t last, std::uint16_t port) {
  return ipvs::AddressKey{ipvs::Protocol::tcp, {core::IpAddress::v4({192, 0, 2, last}), port}};
}
core::Endpoint six(std::uint16_t port) {
  return {*core::IpAddress::parse("2001:db8::6"), port};
}

ServiceSettings group(std::vector<ipvs::ServiceKey> keys,
                      std::initializer_list<std::uint8_t> servers) {
  ServiceSettings to = service(1, servers);
  to.group = "TCP group web";
  to.keys = std::move(keys);
  to.quorum_up = Script{.argv = {"/up"}};
  to.quorum_down = Script{.argv = {"/down"}};
  for (ServerSettings& one : to.servers) {
    one.notify_up = Script{.argv = {"/server-up"}};
    one.notify_down = Script{.argv = {"/server-down"}};
  }
  return to;
}

std::vector<core::Endpoint> servers_in(const Bench& bench, const ipvs::ServiceKey& key) {
  std::vector<core::Endpoint> found;
  for (const auto& [endpoint, entry] : bench.engine.desired().services.at(key).servers)
    found.push_back(endpoint);
  return found;
}
using Servers = std::vector<core::Endpoint>;

}  // namespace

TEST_CASE("group: a server is probed once and is in or out of all entries, told once") {
  Bench bench;
  const std::vector<ipvs::ServiceKey> keys = {service_at(1), service_at(2), kMark};
  bench.configure({{group(keys, {1, 2})}});
  bench.run_for(10s);
  CHECK(bench.engine.probe_count() == 2);
  for (const auto& key : keys) CHECK(servers_in(bench, key) == Servers{server_at(1), server_at(2)});
  CHECK(bench.take<Notify>().size() == 1);  // the quorum
  CHECK(bench.take<TableChanged>().size() == keys.size());

  bench.answers[server_at(1)] = kBad;
  bench.run_for(60s);

  for (const auto& key : keys) CHECK(servers_in(bench, key) == Servers{server_at(2)});
  CHECK(bench.take<Notify>().size() == 1);
  CHECK(bench.take<TableChanged>().size() == keys.size());

  bench.answers[server_at(2)] = kBad;
  bench.run_for(60s);
  CHECK(bench.take<Notify>().size() == 2);  // the server, the quorum
  CHECK(bench.take<QuorumChanged>().size() == 2);
}

TEST_CASE("group: an entry that comes or goes with a reload touches no other and keeps verdicts") {
  Bench bench;
  bench.configure({{group({service_at(1), service_at(2)}, {1, 2})}});
  bench.answers[server_at(1)] = kBad;
  bench.run_for(60s);
  bench.actions.clear();

  bench.configure({{group({service_at(3), service_at(2)}, {1, 2})}});

  CHECK(bench.actions == Actions{TableChanged{service_at(3)}, TableChanged{service_at(1)}});
  CHECK(servers_in(bench, service_at(3)) == Servers{server_at(2)});
  CHECK_FALSE(bench.engine.desired().services.contains(service_at(1)));
}

TEST_CASE("group: an address that was a service of its own goes over as it is") {
  Bench bench;
  bench.configure({{service(1, {1, 2})}});
  bench.run_for(10s);
  bench.actions.clear();

  bench.configure({{group({service_at(1), service_at(2)}, {1, 2})}});

  CHECK(bench.take<TableChanged>() == std::vector{TableChanged{service_at(2)}});
}

TEST_CASE("group: with DR a server has the port of the entry, with NAT its own") {
  ServiceSettings one = group({address_at(1, 80), address_at(1, 443), kMark}, {1, 2});
  one.servers[0].entry.forwarding = ipvs::Forwarding::direct_route;
  one.servers[1].entry.forwarding = ipvs::Forwarding::masquerade;
  one.servers[1].endpoint.port = 8080;
  one.sorry_server = SorryServer{.endpoint = server_at(9),
                                 .entry = {.forwarding = ipvs::Forwarding::direct_route}};
  Bench bench;
  bench.configure({{one}});
  bench.run_for(10s);
  const auto with_port = [](std::uint8_t last, std::uint16_t port) {
    return core::Endpoint{server_at(last).address, port};
  };
  CHECK(servers_in(bench, address_at(1, 80)) == Servers{with_port(1, 80), with_port(2, 8080)});
  CHECK(servers_in(bench, address_at(1, 443)) == Servers{with_port(1, 443), with_port(2, 8080)});
  CHECK(servers_in(bench, kMark) == Servers{with_port(1, 80), with_port(2, 8080)});

  bench.answers = {{server_at(1), kBad}, {server_at(2), kBad}};
  bench.run_for(120s);

  CHECK(servers_in(bench, address_at(1, 443)) == Servers{with_port(9, 443)});
}

TEST_CASE("group: of both families, each entry has the servers that can be reached from it") {
  const ipvs::ServiceKey entry_six = ipvs::AddressKey{ipvs::Protocol::tcp, six(80)};
  ServiceSettings one = group({service_at(1), entry_six}, {1, 2});
  one.servers[0].entry.forwarding = ipvs::Forwarding::masquerade;
  one.servers[1].entry.forwarding = ipvs::Forwarding::tunnel;
  ServerSettings third = server(3);
  third.endpoint = six(8080);
  third.entry.forwarding = ipvs::Forwarding::masquerade;
  one.servers.push_back(third);
  one.settings.persistence = ipvs::Persistence{60s, 0xffffff00};
  Bench bench;
  bench.configure({{one}});
  bench.run_for(10s);

  CHECK(servers_in(bench, service_at(1)) == Servers{server_at(1), server_at(2)});
  CHECK(servers_in(bench, entry_six) == Servers{server_at(2), six(8080)});
  const auto& table = bench.engine.desired().services;
  CHECK(table.at(service_at(1)).settings.persistence->netmask == 0xffffff00);
  CHECK(table.at(entry_six).settings.persistence->netmask == 128);
}

TEST_CASE(
    "group: a successor knows its verdicts by the group's name, whatever entries it has now") {
  Bench bench;
  bench.configure({{group({service_at(1)}, {1, 2})}});
  bench.answers[server_at(1)] = kBad;
  bench.run_for(60s);

  Bench successor;
  successor.configure({{group({service_at(2), service_at(3)}, {1, 2})}}, bench.page);

  CHECK(servers_in(successor, service_at(3)) == Servers{server_at(2)});
  CHECK(successor.take<Notify>().empty());
}
