// Announcements that wait: in which order they leave, and how far apart.
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/announce_queue.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

VirtualAddress address(std::string_view text, std::string_view interface = "") {
  VirtualAddress made;
  made.prefix = {ip(text), static_cast<std::uint8_t>(ip(text).is_v4() ? 32 : 128)};
  if (!interface.empty()) made.interface = std::string(interface);
  return made;
}

Announce announcement(std::uint8_t vrid, AddressList addresses, std::uint32_t repeat,
                      const std::string& interface = "eth0") {
  InstanceSettings settings = everyday();
  settings.vrid = vrid;
  settings.interface = interface;
  return {core::Shared<Subject>(Subject{settings.key(), "VI_" + std::to_string(vrid)}),
          std::move(addresses), repeat};
}

/// A shell with a virtual clock, which wakes when the queue asks for it.
struct Bench {
  AnnounceQueue queue;
  Instant began{1h};
  Instant now = began;
  std::vector<std::string> sent{};  // "milliseconds address"
  std::string away{};               // the kernel does not have this address

  void run(Duration time, std::size_t at_once = 256) {
    const Instant until = now + time;
    while (queue.deadline() && std::max(*queue.deadline(), now) <= until) {
      now = std::max(*queue.deadline(), now);
      queue.take(now, at_once, [this](const AnnounceQueue::Candidate& candidate) {
        const std::string text = candidate.address.prefix.address.to_string();
        if (text == away) return false;
        sent.push_back(fmt::format("{} {}", (now - began) / 1ms, text));
        return true;
      });
    }
    now = until;
  }
};

}  // namespace

TEST_CASE("pace: without one a burst leaves at once, round by round over all instances") {
  Bench bench;
  bench.queue.add(announcement(1, {address("10.0.0.1"), address("10.0.0.2")}, 2));
  bench.queue.add(announcement(2, {address("10.0.0.3")}, 2));

  bench.run(0ms);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "0 10.0.0.2", "0 10.0.0.3",
                                               "0 10.0.0.1", "0 10.0.0.2", "0 10.0.0.3"});
  CHECK(bench.queue.empty());
  CHECK_FALSE(bench.queue.deadline());
}

TEST_CASE("pace: vrrp_garp_interval keeps its distance on each interface, not between them") {
  Bench bench;
  bench.queue.set_pace({.arp = 200ms});
  bench.queue.add(announcement(1, {address("10.0.0.1"), address("10.0.0.2")}, 2));
  bench.queue.add(announcement(2, {address("10.1.0.1")}, 2, "eth1"));

  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "0 10.1.0.1", "200 10.0.0.2",
                                               "200 10.1.0.1", "400 10.0.0.1", "600 10.0.0.2"});
}

TEST_CASE("pace: vrrp_gna_interval counts for neighbour advertisements alone") {
  Bench bench;
  bench.queue.set_pace({.na = 100ms});
  bench.queue.add(announcement(1, {address("10.0.0.1")}, 2));
  bench.queue.add(announcement(2, {address("2001:db8::1")}, 3));

  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "0 2001:db8::1", "0 10.0.0.1",
                                               "100 2001:db8::1", "200 2001:db8::1"});
}

TEST_CASE("pace: interfaces of a garp_group follow one another, others have the general pace") {
  Bench bench;
  bench.queue.set_pace(
      {.arp = 1s, .groups = {{.interfaces = {"eth0", "eth1"}, .arp = 100ms, .na = {}}}});
  bench.queue.add(announcement(1, {address("10.0.0.1")}, 2, "eth0"));
  bench.queue.add(announcement(2, {address("10.0.0.2"), address("10.0.0.9", "eth2")}, 2, "eth1"));

  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "0 10.0.0.9", "100 10.0.0.2",
                                               "200 10.0.0.1", "300 10.0.0.2", "1000 10.0.0.9"});
}

TEST_CASE("pace: the distance counts from one burst to the next") {
  Bench bench;
  bench.queue.set_pace({.arp = 500ms});
  bench.queue.add(announcement(1, {address("10.0.0.1")}, 1));
  bench.run(100ms);

  bench.queue.add(announcement(1, {address("10.0.0.1")}, 1));
  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "500 10.0.0.1"});
}

TEST_CASE("pace: an address that is not there takes nobody's time") {
  Bench bench{.queue = {}, .away = "10.0.0.1"};
  bench.queue.set_pace({.arp = 1s});
  bench.queue.add(announcement(1, {address("10.0.0.1"), address("10.0.0.2")}, 1));

  bench.run(0ms);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.2"});
}

TEST_CASE("pace: who gives addresses up announces none of those that wait") {
  Bench bench;
  bench.queue.set_pace({.arp = 100ms});
  const Announce leaving = announcement(1, {address("10.0.0.1"), address("10.2.0.1", "eth2")}, 5);
  bench.queue.add(leaving);
  bench.queue.add(announcement(2, {address("10.0.0.2")}, 1));
  bench.run(0ms);

  bench.queue.forget(leaving.router->key);
  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "0 10.2.0.1", "100 10.0.0.2"});
}

TEST_CASE("pace: a newer list takes the place of one that waits") {
  Bench bench;
  bench.queue.set_pace({.arp = 100ms});
  bench.queue.add(announcement(1, {address("10.0.0.1"), address("10.0.0.2")}, 2));
  bench.run(0ms);

  bench.queue.add(announcement(1, {address("10.0.0.3")}, 1));
  bench.run(10s);

  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "100 10.0.0.3", "200 10.0.0.3"});
}

TEST_CASE("pace: a list that takes longer than the refresh comes to its end all the same") {
  Bench bench;
  bench.queue.set_pace({.arp = 100ms});
  const AddressList three = {address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3")};
  for (int refresh = 0; refresh < 3; ++refresh) {
    bench.queue.add(announcement(1, three, 1));
    bench.run(150ms);
  }
  CHECK(bench.sent == std::vector<std::string>{"0 10.0.0.1", "100 10.0.0.2", "200 10.0.0.3",
                                               "300 10.0.0.1", "400 10.0.0.2"});
}

TEST_CASE("pace: a reload that changes it counts for what waits") {
  Bench bench;
  bench.queue.set_pace({.arp = 1s});
  bench.queue.add(announcement(1, {address("10.0.0.1"), address("10.0.0.2")}, 2));
  bench.run(0ms);

  bench.queue.set_pace({});
  bench.run(0ms);

  CHECK(bench.sent.size() == 5);
  CHECK(bench.queue.empty());
}

TEST_CASE("pace: 20,000 announcements leave in pieces, all of them within a fifth of a second") {
  Bench bench;
  for (int network = 0; network < 80; ++network) {
    std::vector<VirtualAddress> addresses;
    for (int host = 0; host < 250; ++host)
      addresses.push_back(address(fmt::format("10.3.{}.{}", network, host)));
    bench.queue.add(announcement(static_cast<std::uint8_t>(network + 1), std::move(addresses), 1));
  }

  bench.queue.take(bench.now, 256, [](const auto&) { return true; });
  bench.run(0ms);
  CHECK(bench.sent.size() == 1024 - 256);  // then the wire has a moment for others
  CHECK(*bench.queue.deadline() > bench.now);
  CHECK(*bench.queue.deadline() <= bench.now + 1ms);
  bench.run(189ms);
  CHECK_FALSE(bench.queue.empty());
  bench.run(1ms);
  CHECK(bench.queue.empty());
  CHECK(bench.sent.size() == 20'000 - 256);
}
