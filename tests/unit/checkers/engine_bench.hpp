// A small configuration and a driver for the engine's tests: no network, no clock.
#pragma once

#include "checkers/core/engine.hpp"
#include "checkers/core/identity.hpp"
#include "checkers/core/schedule.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

namespace holdfast::checkers::test {

using namespace std::chrono_literals;

inline const core::Instant t0{std::chrono::hours(1)};
inline const Outcome kGood = passed("connected");
inline const Outcome kBad = failed(Cause::refused, "connection refused");

inline core::Endpoint server_at(std::uint8_t last) {
  return {core::IpAddress::v4({10, 0, 0, last}), 80};
}
inline ipvs::ServiceKey service_at(std::uint8_t last) {
  return ipvs::AddressKey{ipvs::Protocol::tcp, {core::IpAddress::v4({192, 0, 2, last}), 80}};
}

/// A TCP check as in the article: 3 retries, 3 s apart, every 6 s.
inline CheckSettings tcp_check(std::uint8_t server) {
  return {.probe = {.target = server_at(server), .timeout = 3s, .dialogue = TcpProbe{}},
          .pace = {.delay_loop = 6s, .delay_before_retry = 3s, .retry = 3, .warmup = 0s}};
}

inline ServerSettings server(std::uint8_t last) {
  return {.endpoint = server_at(last), .entry = {.weight = 1}, .checks = {tcp_check(last)}};
}

inline ServiceSettings service(std::uint8_t last, std::initializer_list<std::uint8_t> servers) {
  ServiceSettings to;
  to.keys = {service_at(last)};
  to.settings.scheduler = "rr";
  for (const std::uint8_t one : servers) to.servers.push_back(server(one));
  return to;
}

/// Drives an engine; every probe ends at once with what `answers` says about its target (default:
/// passed).
struct Bench {
  Engine engine{core::Rng(1)};
  core::Instant now = t0;
  std::map<core::Endpoint, Outcome> answers;
  std::map<core::Endpoint, int> runs;
  Actions actions;  // all of them, in order
  Memory page;      // what Remember and Forget left

  void step(const Event& event) {
    Actions out;
    engine.step(event, now, out);
    for (const Action& action : out) {
      if (const auto* keep = std::get_if<Remember>(&action)) page[keep->key] = keep->record;
      if (const auto* drop = std::get_if<Forget>(&action)) page.erase(drop->key);
    }
    actions.insert(actions.end(), out.begin(), out.end());
    for (const Action& action : out) {
      const auto* start = std::get_if<StartProbe>(&action);
      if (!start) continue;
      const core::Endpoint target = engine.probe_settings(start->probe).target;
      ++runs[target];
      const auto found = answers.find(target);
      step(ProbeFinished{start->probe, found == answers.end() ? kGood : found->second});
    }
  }
  void configure(Settings settings, Memory memory = {}) {
    step(Configure{std::move(settings), std::move(memory)});
  }
  void run_for(core::Duration time) {
    const core::Instant until = now + time;
    while (engine.deadline() && *engine.deadline() <= until) {
      now = *engine.deadline();
      step(Tick{});
    }
    now = until;
  }
  /// Actions of one type, and then none of them any more.
  template <class T>
  [[nodiscard]] std::vector<T> take() {
    std::vector<T> found;
    for (const Action& action : actions)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    std::erase_if(actions, [](const Action& action) { return std::holds_alternative<T>(action); });
    return found;
  }
  [[nodiscard]] std::map<core::Endpoint, std::uint32_t> weights(std::uint8_t service_number) const {
    std::map<core::Endpoint, std::uint32_t> out;
    for (const auto& [endpoint, entry] :
         engine.desired().services.at(service_at(service_number)).servers)
      out[endpoint] = entry.weight;
    return out;
  }
};

using Weights = std::map<core::Endpoint, std::uint32_t>;

}  // namespace holdfast::checkers::test
