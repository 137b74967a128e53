#include "ctl/real_server_record.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

core::IpAddress address(std::string_view text) {
  return *core::IpAddress::parse(text);
}

RealServerRecord full_record() {
  return {
      .network_namespace = 4026531840,
      .addresses = {{address("192.0.2.1"), "lo", true}, {address("2001:db8::1"), "sit0", false}},
      .switches = {{"ipv4/conf/all/arp_ignore", 0, 1}, {"ipv4/conf/tunl0/rp_filter", 1, 2}},
      .devices = {{"sit0", false, false}, {"tunl0", true, true}, {"ip6tnl0", false, true, 41}},
      .gue_port = 6080};
}

std::vector<std::string> paths(const RealServerRecord& record) {
  std::vector<std::string> out;
  for (const WantedSwitch& one : wanted_switches(record)) out.push_back(one.path);
  return out;
}

}  // namespace

TEST_CASE("a record of a real server reads back as it was written") {
  const auto back = parse_record(write_record(full_record()));

  REQUIRE(back.has_value());
  CHECK((*back == full_record()));
}

TEST_CASE("a record that would write elsewhere, or is cut anywhere, is refused") {
  const std::string text = write_record(full_record());
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(parse_record(text.substr(0, length)).has_value());
  }
  for (const char* path :
       {"ipv4/conf/../arp_ignore", "ipv4/conf/a/b/arp_ignore", "ipv4/arp_ignore",
        "ipv4/conf//arp_ignore", "ipv4/conf/all/forwarding", "kernel/core_pattern"}) {
    CAPTURE(path);
    RealServerRecord record = full_record();
    record.switches.front().path = path;
    CHECK_FALSE(parse_record(write_record(record)).has_value());
  }
  RealServerRecord record = full_record();
  record.devices.front().name = "../x";
  CHECK_FALSE(parse_record(write_record(record)).has_value());
}

TEST_CASE(
    "IPv4 needs ARP's switches of all and the device, a tunnel loose filtering, IPv6 nothing") {
  RealServerRecord record;
  record.addresses = {{address("2001:db8::1"), "lo", false}};
  CHECK(paths(record).empty());

  record.addresses.push_back({address("192.0.2.1"), "lo", false});
  record.addresses.push_back({address("192.0.2.2"), "tunl0", false});
  record.devices = {{"tunl0", false, false}};
  CHECK(paths(record) ==
        std::vector<std::string>{"ipv4/conf/all/arp_ignore", "ipv4/conf/all/arp_announce",
                                 "ipv4/conf/lo/arp_ignore", "ipv4/conf/lo/arp_announce",
                                 "ipv4/conf/tunl0/arp_ignore", "ipv4/conf/tunl0/arp_announce",
                                 "ipv4/conf/tunl0/rp_filter"});
}

TEST_CASE("only values that keep a server silent are good enough") {
  RealServerRecord record;
  record.addresses = {{address("192.0.2.1"), "lo", false}};
  const WantedSwitch ignore = wanted_switches(record).front();

  // 3 keeps silent about addresses of host scope only. linux: ip-sysctl.rst, arp_ignore.
  for (const int value : {0, 3, 4, 7}) CHECK_FALSE(ignore.accepts(value));
  for (const int value : {1, 2, 8}) CHECK(ignore.accepts(value));
}

TEST_CASE("each tunnel has the kernel's device for everybody, or carries no such packets") {
  using core::Family;
  CHECK(tunnel_device(ServerTunnel::ipip, Family::v4)->name == "tunl0");
  CHECK(tunnel_device(ServerTunnel::ipip, Family::v6)->name == "ip6tnl0");
  CHECK(tunnel_device(ServerTunnel::gue, Family::v6)->name == "sit0");
  CHECK_FALSE(tunnel_device(ServerTunnel::sit, Family::v4).has_value());
  CHECK_FALSE(tunnel_device(ServerTunnel::none, Family::v4).has_value());
  for (const char* word : {"ipip", "sit", "ip6tnl", "gre", "ip6gre", "gue"}) {
    const auto tunnel = parse_tunnel(word);
    REQUIRE(tunnel.has_value());
    CHECK(tunnel_device(*tunnel, Family::v6).has_value());
  }
  CHECK_FALSE(parse_tunnel("vxlan").has_value());
}
