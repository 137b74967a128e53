#include "config/diff.hpp"

#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string changes(const std::string& before, const std::string& after) {
  std::string out;
  for (const Change& change : diff(load(before).model, load(after).model)) {
    out += describe(change) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("diff: equal models have no difference, wherever their parts stand") {
  CHECK(changes(instance("") + service(""), "\n\n# moved\n" + service("") + instance("")).empty());
}

TEST_CASE("diff: instances are matched by interface and router id, so a new name is a change") {
  CHECK(changes(instance(""), instance("advert_int 2\nnopreempt")) ==
        "vrrp_instance VI_1: advert_int 1 s → 2 s; preempt yes → no\n");
  CHECK(changes(instance("", "A"), instance("", "B")) == "vrrp_instance B: name A → B\n");
  CHECK(changes(instance("", "A", 1), instance("", "A", 2)) ==
        "vrrp_instance A: removed\nvrrp_instance A: added\n");
}

TEST_CASE("diff: a password is never shown") {
  const auto with = [](const char* password) {
    return instance(fmt::format("authentication {{\nauth_type PASS\nauth_pass {}\n}}", password));
  };
  CHECK(changes(with("one"), with("two")) == "vrrp_instance VI_1: authentication differs\n");
}

TEST_CASE("diff: services and servers change apart") {
  CHECK(changes(service("lb_algo rr"), service("lb_algo wrr")) ==
        "virtual_server TCP 192.168.1.200:80: lb_algo rr → wrr\n");
  CHECK(changes(service("", "weight 1\nTCP_CHECK {\n}"), service("", "weight 3\nTCP_CHECK {\n}")) ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.67:80: weight 1 → 3\n");
  CHECK(changes(service(""), service("real_server 192.168.1.68 80 {\nTCP_CHECK {\n}\n}")) ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.68:80: added\n");
  CHECK(changes(service(""), service("", "TCP_CHECK {\nretry 9\n}")) ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.67:80: checks differs\n");
  CHECK(changes(service("") + instance(""), instance("")) ==
        "virtual_server TCP 192.168.1.200:80: removed\n");
}

TEST_CASE("diff: globals, and what follows from them in the instances") {
  CHECK(
      changes(instance(""),
              "global_defs {\nrouter_id X\nvrrp_garp_master_repeat 2\n}\n" + instance("")) ==
      "global_defs: router_id (none) → X; garp_master_repeat 5 → 2; garp_lower_prio_repeat 5 → 2\n"
      "vrrp_instance VI_1: garp_master_repeat 5 → 2; garp_lower_prio_repeat 5 → 2\n");
}
