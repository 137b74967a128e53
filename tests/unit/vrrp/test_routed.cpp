// Unicast instances without an interface: the kernel's routes decide which way adverts go.
#include "vrrp/core/driver.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;

namespace {

const Instant t0{1h};
IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}
const IpAddress kOwn = ip("192.0.2.1");
const IpAddress kPeer = ip("198.51.100.2");

InstanceSettings routed(std::optional<IpAddress> source = kOwn) {
  InstanceSettings settings;
  settings.name = "VI_1";
  settings.vrid = 51;
  settings.version = 3;
  VirtualAddress address;
  address.prefix = {ip("203.0.113.10"), 32};
  address.interface = std::string("lo");
  settings.addresses = {address};
  settings.source_address = source;
  settings.unicast = Unicast{.peers = {{kPeer}}};
  return settings;
}

InterfaceStatus host(std::map<IpAddress, IpAddress> sources_to = {}) {
  InterfaceStatus status{.exists = true, .up = true, .primary_address = {}};
  status.own_addresses = {kOwn};
  status.sources_to = std::move(sources_to);
  return status;
}

struct Bench {
  Driver driver;
  Actions out;

  explicit Bench(std::vector<InstanceSettings> settings, const InterfaceStatus& status = host())
      : driver(Router(std::move(settings))) {
    tell(status);
    driver.handle(InterfaceChanged{"eth0",
                                   {.exists = true,
                                    .up = true,
                                    .primary_address = ip("192.0.2.9"),
                                    .own_addresses = {ip("192.0.2.9")}}},
                  t0, out);
    driver.handle(Startup{}, t0, out);
  }
  void tell(const InterfaceStatus& status) { driver.handle(InterfaceChanged{"", status}, t0, out); }
  /// From a peer that is master.
  void hear(std::string_view interface, const IpAddress& destination,
            const IpAddress& source = kPeer) {
    InstanceSettings theirs = routed();
    std::vector<std::uint8_t> payload;
    encode_advert(make_advert(theirs, 200), payload, {3, source, destination});
    driver.begin(t0 + 1s, 0s, out);
    driver.receive({interface, core::Family::v4, source, destination, 62, payload}, out);
  }
  const Instance& instance(std::size_t at = 0) const { return *driver.router().instances()[at]; }
};

}  // namespace

TEST_CASE("no interface: the source has to be an address of this host, on whatever interface") {
  Bench bench({routed()});
  CHECK(bench.instance().state_name() == StateName::backup);
  CHECK(bench.instance().source_address() == kOwn);
  InterfaceStatus without = host();
  without.own_addresses.clear();
  bench.tell(without);
  CHECK(bench.instance().state_name() == StateName::fault);
  CHECK(bench.instance().why() == "no interface has the address 192.0.2.1 to send from");
}

TEST_CASE("no interface, no source: what the route to the first peer that has one gives") {
  InstanceSettings settings = routed(std::nullopt);
  settings.unicast->peers = {{ip("198.51.100.1")}, {kPeer}};
  Bench bench({settings}, host({{kPeer, kOwn}}));
  CHECK(bench.instance().source_address() == kOwn);
  bench.tell(host({{kPeer, kOwn}, {ip("198.51.100.1"), ip("10.0.0.1")}}));
  CHECK(bench.instance().source_address() == ip("10.0.0.1"));
  CHECK(bench.instance().state_name() == StateName::backup);
  bench.tell(host());
  CHECK(bench.instance().why() ==
        "no route of this host leads to a unicast peer: there is no address to send from");
}

TEST_CASE("no interface: it hears what comes to its source, by any interface") {
  Bench bench({routed()});
  bench.hear("", kOwn);
  REQUIRE(bench.instance().heard_master().has_value());
  CHECK(bench.instance().heard_master()->address == kPeer);
}

TEST_CASE("no interface: its socket hears others' packets, and theirs hear its: no word about it") {
  InstanceSettings bound = routed();
  bound.name = "VI_2";
  bound.interface = "eth0";
  bound.source_address = ip("192.0.2.9");
  Bench bench({routed(), bound});

  bench.hear("", ip("192.0.2.9"), ip("192.0.2.8"));  // for VI_2
  bench.hear("eth0", kOwn);                          // for VI_1

  for (std::size_t each : {0U, 1U}) {
    CHECK(bench.instance(each).counters().rejected[Objection::bad_destination] == 0);
    CHECK_FALSE(bench.instance(each).heard_master().has_value());
  }
  bench.hear("eth0", ip("192.0.2.9"));
  bench.hear("", kOwn);
  CHECK(bench.instance(0).heard_master().has_value());
  CHECK(bench.instance(1).heard_master().has_value());
}

TEST_CASE("no interface: a peer that sends to another address of this host is told") {
  Bench bench({routed()});
  bench.hear("", ip("192.0.2.7"));
  CHECK(bench.instance().counters().rejected[Objection::bad_destination] == 1);
}

TEST_CASE("no interface, no source: peers may still send to the former source") {
  Bench bench({routed(std::nullopt)}, host({{kPeer, ip("10.0.1.1")}}));
  bench.hear("", ip("10.0.0.1"));
  REQUIRE(bench.instance().heard_master().has_value());
  CHECK(bench.instance().counters().rejected[Objection::bad_destination] == 0);
  bench.hear("", ip("224.0.0.18"));
  CHECK(bench.instance().counters().rejected[Objection::bad_destination] == 1);
}

TEST_CASE("no interface, no source: what its peer sends to an instance with one is not its") {
  InstanceSettings bound = routed();
  bound.name = "VI_2";
  bound.interface = "eth0";
  bound.source_address = ip("192.0.2.9");
  Bench bench({routed(std::nullopt), bound}, host({{kPeer, kOwn}}));
  bench.hear("", ip("192.0.2.9"));
  CHECK_FALSE(bench.instance(0).heard_master().has_value());
  bench.hear("eth0", ip("192.0.2.7"));
  CHECK(bench.instance(1).counters().rejected[Objection::bad_destination] == 0);
}

TEST_CASE("no interface, no source: where the route gives a virtual address the fault says so") {
  InterfaceStatus status = host();
  status.virtual_sources_to = {{kPeer, ip("203.0.113.10")}};
  Bench bench({routed(std::nullopt)}, status);
  CHECK(bench.instance().why() ==
        "the route's source towards 198.51.100.2, 203.0.113.10, is a virtual address: write "
        "unicast_src_ip");
}

TEST_CASE("no interface: the key says so, for people and for the handover page") {
  CHECK(to_string(routed().key()) == "- 51 ipv4 192.0.2.1");
}
