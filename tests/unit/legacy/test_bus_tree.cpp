// Paths, words and lines of keepalived's D-Bus service.
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include "legacy/dbus/tree.hpp"

namespace holdfast::legacy {

TEST_CASE("bus: an instance is where keepalived has it") {
  CHECK(instance_path({}, "eth0", 51, "ipv4") == "/org/keepalived/Vrrp1/Instance/eth0/51/IPv4");
  CHECK(instance_path({}, "bond0.7", 1, "ipv6") == "/org/keepalived/Vrrp1/Instance/bond0_7/1/IPv6");
  CHECK(instance_path({}, "", 9, "ipv4") == "/org/keepalived/Vrrp1/Instance/none/9/IPv4");
  CHECK(instance_path({.no_interface = "any where"}, "", 9, "ipv4") ==
        "/org/keepalived/Vrrp1/Instance/any_where/9/IPv4");
  CHECK(service_path({.instance = "one"}) == "/org/keepalived/Vrrp1/one/Vrrp");
  const BusNames inside{.net_namespace = "blue-1"};
  CHECK(instance_path(inside, "eth0", 51, "ipv4") ==
        "/org/keepalived/Vrrp1/blue_1/Instance/eth0/51/IPv4");
  CHECK(service_path(inside) == "/org/keepalived/Vrrp1/blue_1/Vrrp");
}

TEST_CASE("bus: a line of a pipe is a state of an instance, or nothing") {
  const auto told = state_line_of("INSTANCE \"VI_1\" MASTER 100");
  REQUIRE(told);
  CHECK(told->name == "VI_1");
  CHECK(told->state == State::master);
  CHECK(state_line_of("INSTANCE \"a \" b\" FAULT 0")->name == "a \" b");
  CHECK(state_line_of("INSTANCE \"x\" DELETED 0")->state == State::deleted);
  for (const char* other : {"GROUP \"G\" MASTER 0", "INSTANCE \"VI_1\" MASTER_PRIORITY 90", "",
                            "INSTANCE \"VI_1", "INSTANCE \"VI_1\" ", "RELOADED"})
    CHECK_MESSAGE(!state_line_of(other), other);
}

TEST_CASE("bus: states have keepalived's numbers and words") {
  CHECK(static_cast<int>(State::stop) == 98);
  CHECK(static_cast<int>(State::deleted) == 97);
  CHECK(word_of(*bus_state_named("BACKUP")) == "Backup");
  CHECK(!bus_state_named("Backup"));
}

TEST_CASE("bus: a status document is read as far as it makes sense") {
  const auto instances = instances_of(
      {}, boost::json::parse(R"({"instances": [{"name": "VI_1", "interface": "eth0", "vrid": 51,
            "family": "ipv4", "state": "MASTER"}, 7, {"name": "odd"}]})")
              .as_object());
  REQUIRE(instances.size() == 2);
  CHECK(instances.at("VI_1") ==
        BusInstance{"/org/keepalived/Vrrp1/Instance/eth0/51/IPv4", State::master});
  CHECK(instances.at("odd").state == State::init);
  CHECK(instances_of({}, {}).empty());
}

}  // namespace holdfast::legacy
