// The VRRP process's loop against the real kernel, in a network namespace of this process's own.
// Needs root; skipped with a printed reason otherwise.
#include "netlink_reflector/reflector.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/turn_meter.hpp"
#include "runtime/unique_fd.hpp"
#include "tests/unit/vrrp/support.hpp"
#include "vrrp/core/codec.hpp"
#include "vrrp/io/ipv4_header.hpp"
#include "vrrp/io/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <thread>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace holdfast::vrrp::test;

namespace {

bool enter_private_namespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    std::printf("skipped: cannot make a network namespace: %s\n", std::strerror(errno));
    return false;
  }
  if (std::system("ip link add eth0 type veth peer name peer0 && ip link set eth0 up && "
                  "ip link set peer0 up && ip addr add 192.0.2.1/24 dev eth0 && "
                  "sysctl -qw net.ipv4.igmp_max_memberships=3") != 0) {
    std::printf("skipped: cannot prepare the network namespace\n");
    return false;
  }
  return true;
}

/// eth0 has fe80::1, and the other end fe80::5.
bool add_link_locals() {
  if (std::system("ip link set eth0 addrgenmode none && ip -6 addr flush dev eth0 && "
                  "ip -6 addr add fe80::1/64 dev eth0 nodad && "
                  "ip -6 addr add fe80::5/64 dev peer0 nodad") == 0)
    return true;
  std::printf("skipped: no IPv6 here\n");
  return false;
}

InstanceSettings six() {
  InstanceSettings settings = everyday();
  settings.family = core::Family::v6;
  settings.version = 3;
  settings.priority = 255;  // is master at once
  settings.addresses = {};
  return settings;
}

/// One instance for each group 224.0.0.N.
std::vector<InstanceSettings> in_groups(int first, int count) {
  std::vector<InstanceSettings> all;
  for (int at = first; at < first + count; ++at) {
    InstanceSettings each = everyday();
    each.name = "VI_" + std::to_string(at);
    each.vrid = static_cast<std::uint8_t>(at);
    each.priority = 1;  // none becomes master while the test runs
    each.group = ip("224.0.0." + std::to_string(at));
    each.addresses = {};
    all.push_back(each);
  }
  return all;
}

/// What a master behind eth0 puts on the wire, an advert each 50 µs. A sleep takes longer.
void speak_much(const InstanceSettings& settings, int count) {
  const runtime::UniqueFd fd(::socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
  REQUIRE(fd);
  REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, "peer0", 6) == 0);
  const IpAddress source = ip("192.0.2.9");
  Departure departure{.source = source, .letters = {{ip("224.0.0.18"), {}}}};
  Letter& letter = departure.letters.front();
  encode_advert(advert_of(settings, 200), letter.payload, {2, source, letter.destination});
  std::vector<std::uint8_t> packet;
  encode_ipv4(departure, letter, 1, packet);
  sockaddr_in group{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  group.sin_addr.s_addr = ::inet_addr("224.0.0.18");
  const core::Instant began = runtime::now();
  for (int sent = 0; sent < count; ++sent) {
    while (runtime::now() < began + sent * 50us) continue;
    CHECK(::sendto(fd.get(), packet.data(), packet.size(), 0,
                   reinterpret_cast<const sockaddr*>(&group), sizeof group) > 0);
  }
}

struct Bench {
  boost::asio::io_context io;
  runtime::Logger logger{"test", {.to_stderr = false, .to_syslog = false}};
  netlink::Reflector reflector{io, logger, {}};
  netlink::Routing routing{io, logger, reflector, {}};
  netlink::Firewall firewall{io, logger, reflector, {}};
  netlink::Devices devices{io, logger, reflector, {}};
  std::optional<Runner> runner;

  Bench() {
    REQUIRE(reflector.load().has_value());
    REQUIRE(routing.load().has_value());
    REQUIRE(devices.load().has_value());
    auto announcements = AnnounceSocket::open();
    REQUIRE(announcements.has_value());
    runner.emplace(
        io, logger, reflector, routing, firewall, devices, std::move(*announcements), std::nullopt,
        [](const Notify&, const StateChanged*) {}, [](const GroupChanged&) {},
        [](const RouterKey&) {});
  }
  void reload(const std::vector<InstanceSettings>& next) {
    REQUIRE(runner->prepare(next).has_value());
    CHECK_FALSE(runner->commit(next, runtime::now()));
    run(50ms);
  }
  void run(core::Duration time) {
    io.restart();
    io.run_for(time);
  }
  [[nodiscard]] std::size_t count(StateName state) const {
    std::size_t found = 0;
    for (const Instance* each : runner->router().instances()) found += each->state_name() == state;
    return found;
  }
  [[nodiscard]] std::string why(std::uint8_t vrid) const {
    for (const Instance* each : runner->router().instances())
      if (each->key().vrid == vrid) return std::string(each->why());
    return "none";
  }
};

}  // namespace

TEST_CASE("runner: a group that cannot be joined is a fault of its instances alone") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.reload(in_groups(101, 4));
  CHECK(bench.count(StateName::backup) == 3);
  CHECK(bench.count(StateName::fault) == 1);
  CHECK(bench.why(104) == "the group 224.0.0.104 could not be joined on interface eth0");

  SUBCASE("a reload that adds one takes none of the others down") {
    bench.reload(in_groups(101, 6));
    CHECK(bench.count(StateName::backup) == 3);
    CHECK(bench.count(StateName::fault) == 3);
  }
  SUBCASE("it is over when others leave") {
    bench.reload(in_groups(102, 3));
    CHECK(bench.count(StateName::backup) == 3);
  }
  SUBCASE("it is tried again") {
    REQUIRE(std::system("sysctl -qw net.ipv4.igmp_max_memberships=20") == 0);
    bench.run(1200ms);
    CHECK(bench.count(StateName::backup) == 4);
  }
}

TEST_CASE("runner: a link-local address counts on the interface of its instance only") {
  if (!enter_private_namespace() || !add_link_locals()) return;
  Bench bench;
  InstanceSettings settings = six();
  settings.source_address = ip("fe80::5");
  bench.reload({settings});
  CHECK(bench.count(StateName::fault) == 1);
  CHECK(
      bench.why(51) ==
      "interface eth0 has no address fe80::5 to send from, or its duplicate detection is not over");
  settings.source_address = ip("fe80::1");
  bench.reload({settings});
  CHECK(bench.count(StateName::backup) + bench.count(StateName::master) == 1);
}

TEST_CASE("runner: an address that another host has on its link gets its unicast advert") {
  if (!enter_private_namespace() || !add_link_locals()) return;
  Bench bench;
  InstanceSettings settings = six();
  settings.source_address = ip("fe80::1");
  settings.unicast = Unicast{.peers = {{ip("fe80::5"), 0, 255}}};
  bench.reload({settings});
  const auto departure = bench.runner->router().instances().front()->next_departure();
  REQUIRE(departure.has_value());
  CHECK(departure->letters.size() == 1);
}

TEST_CASE("runner: an IPv6 master resigns from the address that was taken away") {
  if (!enter_private_namespace() || !add_link_locals()) return;
  Bench bench;
  bench.reload({six()});
  REQUIRE(bench.count(StateName::master) == 1);
  REQUIRE(std::system("ip -6 addr del fe80::1/64 dev eth0") == 0);
  bench.run(200ms);
  CHECK(bench.count(StateName::fault) == 1);
  CHECK(bench.runner->router().instances().front()->counters().priority_zero_sent == 1);
  CHECK(bench.runner->router().instances().front()->counters().adverts_refused == 0);
}

TEST_CASE("runner: a source that comes to another interface ends the fault") {
  if (!enter_private_namespace()) return;
  Bench bench;
  InstanceSettings settings = everyday();
  settings.source_address = ip("192.0.2.77");
  settings.source_tracking = SourceTracking::yes;
  bench.reload({settings});
  REQUIRE(bench.count(StateName::fault) == 1);
  REQUIRE(std::system("ip addr add 192.0.2.77/32 dev peer0") == 0);
  bench.run(200ms);
  CHECK(bench.count(StateName::backup) == 1);
}

TEST_CASE("runner: adverts that come one after the other wake the loop for many, and all count") {
  if (!enter_private_namespace()) return;
  Bench bench;
  bench.reload({everyday()});
  constexpr std::uint64_t kAdverts = 1000;
  runtime::count_turns();
  const core::Instant began = runtime::now();

  std::jthread master([] { speak_much(everyday(), kAdverts); });
  const auto heard = [&] {
    return bench.runner->router().instances().front()->counters().adverts_received;
  };
  while (heard() < kAdverts && runtime::now() - began < 5s) bench.run(1ms);

  CHECK(heard() == kAdverts);
  // Each half millisecond one turn to hear and one to watch again, and those of run().
  const auto half_milliseconds = static_cast<std::uint64_t>((runtime::now() - began) / 500us);
  CHECK(runtime::turns().count < 20 + 4 * half_milliseconds);  // 1,000 without gathering
}
