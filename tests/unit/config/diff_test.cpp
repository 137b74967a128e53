#include "config/compare/diff.hpp"

#include "config/compare/diff_fields.hpp"
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
        "vrrp_instance VI_1: advert_int 1 → 2; nopreempt no → yes\n");
  CHECK(changes(instance("", "A"), instance("", "B")) == "vrrp_instance B: name A → B\n");
  CHECK(changes(instance("", "A", 1), instance("", "A", 2)) ==
        "vrrp_instance A: removed\nvrrp_instance A: added\n");
}

TEST_CASE("diff: a password is never shown") {
  const auto with = [](const char* password) {
    return instance(fmt::format("authentication {{\nauth_type PASS\nauth_pass {}\n}}", password));
  };
  CHECK(changes(with("one"), with("two")) ==
        "vrrp_instance VI_1: authentication auth_pass differs\n");
}

TEST_CASE("diff: lines of a block come and go") {
  const std::string before = instance("virtual_ipaddress_excluded {\n10.0.0.1\n10.0.0.2\n}");
  const std::string after = instance("virtual_ipaddress_excluded {\n10.0.0.2\n10.0.0.3/24\n}");
  const std::string text = changes(before, after);
  CHECK(text.starts_with("vrrp_instance VI_1: virtual_ipaddress_excluded 10.0.0.1"));
  CHECK(text.find(" removed; virtual_ipaddress_excluded 10.0.0.3/24") != text.npos);
  CHECK(text.find("10.0.0.2") == text.npos);
}

TEST_CASE("diff: services and servers change apart") {
  CHECK(changes(service("lb_algo rr"), service("lb_algo wrr")) ==
        "virtual_server TCP 192.168.1.200:80: lb_algo rr → wrr\n");
  CHECK(changes(service("", "weight 1\nTCP_CHECK {\n}"), service("", "weight 3\nTCP_CHECK {\n}")) ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.67:80: weight 1 → 3\n");
  CHECK(changes(service(""), service("real_server 192.168.1.68 80 {\nTCP_CHECK {\n}\n}")) ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.68:80: added\n");
  CHECK(
      changes(service(""), service("", "TCP_CHECK {\nretry 9\n}")) ==
      "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.67:80: TCP_CHECK retry 1 → 9\n");
  CHECK(changes(service("") + instance(""), instance("")) ==
        "virtual_server TCP 192.168.1.200:80: removed\n");
}

TEST_CASE("diff: what differs alike in all servers is told once") {
  const auto two = [](const char* extra, const char* second = "TCP_CHECK {\n}") {
    return service(fmt::format("{}\nreal_server 192.168.1.68 80 {{\n{}\n}}", extra, second));
  };
  CHECK(changes(two("connect_timeout 3"), two("connect_timeout 4")) ==
        "virtual_server TCP 192.168.1.200:80: TCP_CHECK connect_timeout 3 → 4\n");
  CHECK(changes(two("connect_timeout 3"), two("connect_timeout 4", "weight 2\nTCP_CHECK {\n}")) ==
        "virtual_server TCP 192.168.1.200:80: TCP_CHECK connect_timeout 3 → 4\n"
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.68:80: weight 1 → 2\n");
}

TEST_CASE("diff: a second checker of a kind is another one") {
  const std::string text = changes(service("", "TCP_CHECK {\n}"),
                                   service("", "TCP_CHECK {\n}\nTCP_CHECK {\nconnect_port 81\n}"));
  CHECK(text ==
        "virtual_server TCP 192.168.1.200:80: real_server 192.168.1.67:80: TCP_CHECK {…} added\n");
}

TEST_CASE("diff: globals, and what follows from them in the instances") {
  const std::string text = changes(
      instance(""), "global_defs {\nrouter_id X\nvrrp_garp_master_repeat 2\n}\n" + instance(""));
  CHECK(text.starts_with("global_defs: "));
  CHECK(text.find("router_id X added") != text.npos);
  CHECK(text.find("vrrp_garp_master_repeat 5 → 2") != text.npos);
  CHECK(text.find("\nvrrp_instance VI_1: garp_master_repeat 5 → 2") != text.npos);
}

TEST_CASE("diff: groups, scripts and trackers are matched by name") {
  const auto with = [](const char* weight, const char* members = "VI_1") {
    return instance("track_script {\nalive\n}") +
           fmt::format("vrrp_script alive {{\nscript \"/bin/true\"\nweight {}\n}}\n", weight) +
           fmt::format("vrrp_sync_group G {{\ngroup {{\n{}\n}}\n}}\n", members);
  };
  CHECK(changes(with("2"), with("3")) == "vrrp_script alive: weight 2 → 3\n");
  const std::string grown = changes(with("2"), with("2", "VI_1\nVI_2") + instance("", "VI_2", 52));
  CHECK(grown == "vrrp_sync_group G: group VI_2 added\nvrrp_instance VI_2: added\n");
}

TEST_CASE("diff: static lines are the same or they are not") {
  const auto with = [](const char* line) {
    return instance("") + fmt::format("static_ipaddress {{\n{}\n}}\n", line);
  };
  CHECK(changes(with("10.0.0.1/24 dev eth0"), with("10.0.0.1/24 dev eth0")).empty());
  const std::string text = changes(with("10.0.0.1/24 dev eth0"), with("10.0.0.2/24 dev eth0"));
  CHECK(text.starts_with("static_ipaddress 10.0.0.1/24 dev eth0"));
  CHECK(text.find(": removed\nstatic_ipaddress 10.0.0.2/24 dev eth0") != text.npos);
}

TEST_CASE("diff: two objects with one key are both there") {
  Model before = load(service("")).model;
  before.services.push_back(before.services[0]);
  Model after = before;
  CHECK(diff(before, after).empty());
  after.services[1].scheduler = "rr";
  REQUIRE(diff(before, after).size() == 1);
  after.services.pop_back();
  CHECK(describe(diff(before, after).at(0)) == "virtual_server TCP 192.168.1.200:80: removed");
}
