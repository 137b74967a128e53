#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

TEST_CASE("validate: two instances of one name, and of one router id on an interface") {
  const Loaded names = load(instance("", "A", 1) + instance("", "A", 2));
  CHECK(findings(names.diagnostics) ==
        "10:1 error: a second vrrp_instance 'A'; the first is on line 1");
  CHECK(names.model.instances.size() == 1);

  const Loaded routers = load(instance("", "A", 1) + instance("", "B", 1));
  CHECK(findings(routers.diagnostics) ==
        "10:1 error: vrrp_instance 'B' and 'A' (line 1) both use virtual_router_id 1 on eth0");
}

TEST_CASE("validate: one service twice, but TCP and UDP apart") {
  CHECK(findings(load(service("") + service("")).diagnostics) ==
        "9:1 error: a second virtual_server TCP 192.168.1.200:80; the first is on line 1");
  const std::string udp =
      "virtual_server 192.168.1.200 80 {\nprotocol UDP\nsorry_server 10.0.0.1\n}\n";
  CHECK(findings(load(service("") + udp).diagnostics).empty());
}

TEST_CASE("validate: one server twice in a service") {
  CHECK(findings(load(service("real_server 192.168.1.67 80 {\nTCP_CHECK {\n}\n}")).diagnostics) ==
        "7:1 error: real_server 192.168.1.67:80 is given twice in one service; the first is on "
        "line 3");
}

TEST_CASE("validate: an address twice in an instance is held once") {
  const Loaded loaded = load(instance("virtual_ipaddress_excluded {\n192.168.1.200/24\n}"));
  CHECK(findings(loaded.diagnostics) ==
        "9:1 warning: 192.168.1.200 is already on line 6 and is ignored here");
  CHECK(loaded.model.instances.at(0).virtual_addresses_excluded.empty());
}

TEST_CASE("validate: a quorum above the weights, hysteresis above the quorum") {
  const Loaded loaded = load(service("quorum 5"));
  CHECK(findings(loaded.diagnostics) ==
        "1:1 warning: 'quorum 5' is more than the weights of all servers together (1): 1 is taken");
  CHECK(loaded.model.services.at(0).quorum == 1);
  CHECK(findings(load(service("quorum 1\nhysteresis 1")).diagnostics) ==
        "1:16 warning: 'hysteresis' must be below 'quorum': 0 is taken");
}

TEST_CASE("validate: a service without servers and a server without checker are said") {
  CHECK(findings(load("virtual_server 10.0.0.1 80 {\nprotocol TCP\n}\n").diagnostics) ==
        "1:1 warning: virtual_server TCP 10.0.0.1:80 has no real servers: it refuses every "
        "connection");
  CHECK(findings(load(service("", "weight 1")).diagnostics) ==
        "4:1 note: real_server 192.168.1.67:80 has no checker: it counts as always up");
}

TEST_CASE("validate: an unknown scheduler is a warning, another spelling an error") {
  CHECK(findings(load(service("lb_algo conhash")).diagnostics) ==
        "3:9 warning: 'conhash' is not a scheduler of the Linux kernel known to Holdfast");
  CHECK(
      findings(load(service("lb_algo RR")).diagnostics) ==
      "3:9 error: 'lb_algo' must be the name of a scheduler such as rr, wrr, lc or wlc, not 'RR'");
}

TEST_CASE("validate: the interfaces that a model names") {
  const Loaded loaded =
      load(instance("virtual_ipaddress_excluded {\n10.0.0.1 dev eth9\n10.0.0.2 dev eth1\n}"));
  CHECK(interfaces_named_in(loaded.model) == std::vector<std::string>{"eth0", "eth1", "eth9"});
}
