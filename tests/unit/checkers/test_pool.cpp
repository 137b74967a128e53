// Verdicts in, table entry out.
#include "checkers/core/pool.hpp"
#include "core/rng.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

core::Endpoint server_at(std::uint8_t last) {
  return {core::IpAddress::v4({10, 0, 0, last}), 80};
}

const ipvs::ServiceKey kKey =
    ipvs::AddressKey{ipvs::Protocol::tcp, {core::IpAddress::v4({192, 0, 2, 1}), 80}};

ServiceSettings three_servers() {
  ServiceSettings service;
  service.keys = {kKey};
  service.settings.scheduler = "rr";
  for (std::uint8_t i = 1; i <= 3; ++i)
    service.servers.push_back({.endpoint = server_at(i), .entry = {.weight = i}});
  return service;
}

const SorryServer kSorry{.endpoint = server_at(99), .entry = {.weight = 1}};

using S = ServerState;

std::map<core::Endpoint, std::uint32_t> weights(const ipvs::Service& service) {
  std::map<core::Endpoint, std::uint32_t> out;
  for (const auto& [endpoint, server] : service.servers) out[endpoint] = server.weight;
  return out;
}
using Weights = std::map<core::Endpoint, std::uint32_t>;

}  // namespace

TEST_CASE("pool: a failed server leaves the table, its neighbours stay") {
  const std::array states{S::up, S::down, S::up};
  CHECK(weights(desired_service(three_servers(), kKey, states, true)) ==
        Weights{{server_at(1), 1}, {server_at(3), 3}});
}

TEST_CASE("pool: inhibit_on_failure keeps a failed server with weight 0") {
  ServiceSettings service = three_servers();
  service.servers[1].inhibit_on_failure = true;
  const std::array states{S::up, S::down, S::up};
  CHECK(weights(desired_service(service, kKey, states, true)) ==
        Weights{{server_at(1), 1}, {server_at(2), 0}, {server_at(3), 3}});
}

TEST_CASE(
    "pool: an alpha server is not in the table before its first success, not even inhibited") {
  ServiceSettings service = three_servers();
  service.servers[1].inhibit_on_failure = true;
  const std::array states{S::up, S::awaited, S::up};
  CHECK(weights(desired_service(service, kKey, states, true)) ==
        Weights{{server_at(1), 1}, {server_at(3), 3}});
}

TEST_CASE("pool: without quorum the sorry server serves alone") {
  ServiceSettings service = three_servers();
  service.sorry_server = kSorry;
  const std::array states{S::up, S::down, S::down};
  CHECK(weights(desired_service(service, kKey, states, false)) == Weights{{server_at(99), 1}});
}

TEST_CASE("pool: without quorum and without a sorry server whatever is up goes on") {
  const std::array states{S::up, S::down, S::down};
  CHECK(weights(desired_service(three_servers(), kKey, states, false)) ==
        Weights{{server_at(1), 1}});
}

TEST_CASE("pool: with quorum the sorry server is gone, or idle with sorry_server_inhibit") {
  ServiceSettings service = three_servers();
  service.sorry_server = kSorry;
  const std::array states{S::up, S::up, S::up};
  CHECK_FALSE(desired_service(service, kKey, states, true).servers.contains(server_at(99)));
  service.sorry_server->inhibit = true;
  CHECK(desired_service(service, kKey, states, true).servers.at(server_at(99)).weight == 0);
}

TEST_CASE("pool: inhibited servers stay with weight 0 beside a serving sorry server") {
  ServiceSettings service = three_servers();
  service.sorry_server = kSorry;
  for (auto& server : service.servers) server.inhibit_on_failure = true;
  const std::array states{S::up, S::down, S::awaited};
  CHECK(weights(desired_service(service, kKey, states, false)) ==
        Weights{{server_at(1), 0}, {server_at(2), 0}, {server_at(99), 1}});
}

TEST_CASE("pool: a sorry server may be one of the real servers") {
  ServiceSettings service = three_servers();
  service.sorry_server =
      SorryServer{.endpoint = server_at(3), .entry = {.weight = 7}, .inhibit = true};
  const std::array up{S::up, S::up, S::up};
  CHECK(desired_service(service, kKey, up, true).servers.at(server_at(3)).weight == 3);
  service.servers[2].inhibit_on_failure = true;
  const std::array down{S::down, S::down, S::down};
  CHECK(weights(desired_service(service, kKey, down, false)) == Weights{{server_at(3), 7}});
}

TEST_CASE("pool: quorum with hysteresis, truth table") {
  struct Row {
    bool was;
    std::uint64_t weight;
    std::uint32_t quorum, hysteresis;
    bool is;
  };
  const Row rows[] = {
      {false, 0, 1, 0, false}, {false, 1, 1, 0, true},  {true, 1, 1, 0, true},
      {true, 0, 1, 0, false},  {false, 4, 3, 2, false}, {false, 5, 3, 2, true},
      {true, 2, 3, 2, true},   {true, 1, 3, 2, true},   {true, 0, 3, 2, false},
      {true, 1, 3, 1, false},  {true, 2, 3, 1, true},   {false, 3, 3, 1, false},
      {false, 4, 3, 1, true},  {true, 0, 1, 5, false},  {false, ~0ull, 3, 1, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.weight);
    CAPTURE(row.quorum);
    CAPTURE(row.hysteresis);
    CHECK(quorum_after(row.was, row.weight, row.quorum, row.hysteresis) == row.is);
  }
}

TEST_CASE("pool: weights of many servers add up beyond 32 bits") {
  ServiceSettings service = three_servers();
  for (auto& server : service.servers) server.entry.weight = 2'000'000'000;
  const std::array states{S::up, S::up, S::up};
  CHECK(up_weight(service, states) == 6'000'000'000);
}

TEST_CASE("pool: an up server with weight above 0 serves in every state with quorum (property)") {
  core::Rng rng(7);
  for (int round = 0; round < 5000; ++round) {
    ServiceSettings service = three_servers();
    std::array<ServerState, 3> states{};
    for (std::size_t i = 0; i < 3; ++i) {
      states[i] = static_cast<ServerState>(rng.below(std::uint64_t{3}));
      service.servers[i].inhibit_on_failure = rng.chance(50);
    }
    if (rng.chance(50)) service.sorry_server = kSorry;
    const bool quorum = quorum_after(false, up_weight(service, states), 1, 0);

    const ipvs::Service entry = desired_service(service, kKey, states, quorum);

    CHECK(is_serving(entry) == (quorum || service.sorry_server.has_value()));
    for (std::size_t i = 0; i < 3; ++i) {
      const auto found = entry.servers.find(service.servers[i].endpoint);
      if (states[i] == S::up && quorum) CHECK(found->second == service.servers[i].entry);
      if (states[i] == S::awaited) CHECK(found == entry.servers.end());
      if (states[i] == S::down && found != entry.servers.end()) CHECK(found->second.weight == 0);
    }
  }
}
