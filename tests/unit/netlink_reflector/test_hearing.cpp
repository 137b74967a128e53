// Which links of this host take frames away from others.
#include "netlink_reflector/core/hearing.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

constexpr std::uint32_t kPrivate = 1;
constexpr std::uint32_t kVepa = 2;
constexpr std::uint32_t kBridge = 4;

Link eth0(InterfaceIndex master = 0) {
  Link link{.index = 2, .name = "eth0", .up = true, .running = true};
  link.master = master;
  return link;
}

Link master_of(std::string_view kind) {
  Link link{.index = 7, .name = "above0", .up = true};
  link.kind = kind;
  return link;
}

Link macvlan(std::uint32_t mode, std::string_view mac = "00:00:5e:00:01:33") {
  Link link{.index = 9, .name = "vrrp.51", .up = true};
  link.kind = "macvlan";
  link.mode = mode;
  link.mac = core::MacAddress::parse(mac);
  link.lower = 2;
  return link;
}

}  // namespace

TEST_CASE(
    "hearing: a port of a bridge hears nothing, nor does a part of a bond; one in a VRF does") {
  CHECK(unheard_on(eth0(), {}).empty());
  const Link bridge = master_of("bridge");
  const Unheard on_port = unheard_on(eth0(7), {&bridge, 1});
  REQUIRE(on_port.contains(""));
  CHECK(on_port.at("") ==
        "interface eth0 is a port of the bridge above0, which takes all that comes in: no advert "
        "is heard on eth0, and each director is master; write 'interface above0'");
  const Link bond = master_of("bond");
  CHECK(unheard_on(eth0(7), {&bond, 1})
            .at("")
            .starts_with("interface eth0 is a part of bond above0, which"));
  const Link driver = master_of("");  // the real one behind a virtual machine's
  CHECK(unheard_on(eth0(7), {&driver, 1})
            .at("")
            .starts_with("interface eth0 is a part of above0, which"));
  const Link vrf = master_of("vrf");
  CHECK(unheard_on(eth0(7), {&vrf, 1}).empty());
  CHECK(unheard_on(eth0(8), {&bridge, 1}).empty());
}

TEST_CASE("hearing: a private macvlan with a virtual router's MAC takes what comes from it") {
  const Link taker = macvlan(kPrivate);
  const Unheard unheard = unheard_on(eth0(), {&taker, 1});
  REQUIRE(unheard.contains("00:00:5e:00:01:33"));
  CHECK(
      unheard.at("00:00:5e:00:01:33").find("remove it (ip link del vrrp.51), or change its mode") !=
      std::string::npos);

  for (const Link& harmless :
       {macvlan(kVepa), macvlan(kBridge), macvlan(kPrivate, "02:00:00:00:00:01")})
    CHECK(unheard_on(eth0(), {&harmless, 1}).empty());
  Link down = macvlan(kPrivate);
  down.up = false;
  CHECK(unheard_on(eth0(), {&down, 1}).empty());
  Link elsewhere = macvlan(kPrivate);
  elsewhere.lower = 3;
  CHECK(unheard_on(eth0(), {&elsewhere, 1}).empty());
}

TEST_CASE("hearing: a port of Open vSwitch is told of the internal port of its bridge") {
  Link datapath = master_of("openvswitch");
  datapath.name = "ovs-system";
  const std::string why = unheard_on(eth0(7), {&datapath, 1}).at("");
  CHECK(why.find("interface eth0 is a port of Open vSwitch") == 0);
  CHECK(why.find("ovs-vsctl port-to-br eth0") != std::string::npos);
  CHECK(why.find("'interface ovs-system'") == std::string::npos);
}

TEST_CASE("hearing: a macvlan or macvtap in mode passthru takes all but what is sent to a group") {
  for (const char* kind : {"macvlan", "macvtap"}) {
    Link taker = macvlan(8, "02:00:00:00:00:01");
    taker.kind = kind;
    taker.name = "guest0";
    const Unheard unheard = unheard_on(eth0(), {&taker, 1});
    REQUIRE(unheard.contains("unicast"));
    CHECK(unheard.at("unicast").find(
              fmt::format("the {} guest0 of this host, in mode passthru", kind)) == 0);
    taker.lower = 3;
    CHECK(unheard_on(eth0(), {&taker, 1}).empty());
  }
}
