#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

VrrpInstance only(std::string_view extra, std::string_view expected = "") {
  const Loaded loaded = load(instance(extra));
  CHECK(findings(loaded.diagnostics) == expected);
  REQUIRE(loaded.model.instances.size() == 1);
  return loaded.model.instances[0];
}

}  // namespace

TEST_CASE("vrrp_instance: defaults are keepalived's") {
  const VrrpInstance one = only("");

  VrrpInstance expected;
  expected.name = "VI_1";
  expected.interface = "eth0";
  expected.virtual_router_id = 51;
  VirtualAddress address;
  address.prefix = *core::IpPrefix::parse("192.168.1.200/32");
  address.interface = "eth0";
  expected.virtual_addresses = {address};
  CHECK(one == expected);
  CHECK(one.priority == 100);
  CHECK(one.advert_int == 1s);
  CHECK(one.preempt);
  CHECK(one.garp.master_delay == 5s);
  CHECK(one.garp.master_repeat == 5);
}

TEST_CASE("vrrp_instance: every word of it reaches the model") {
  const VrrpInstance one = only(
      "state BACKUP\nadvert_int 2\nnopreempt\npreempt_delay 1.5\nmcast_src_ip 192.168.1.179\n"
      "garp_master_delay 1\ngarp_master_repeat 2\ngarp_master_refresh "
      "60\ngarp_master_refresh_repeat 3\n"
      "garp_lower_prio_delay 4\ngarp_lower_prio_repeat 6\n"
      "authentication {\nauth_type PASS\nauth_pass 1111\n}\n"
      "notify_master \"/bin/m 'a b' c\" nobody nogroup\nnotify_backup /bin/b\nnotify_fault /bin/f\n"
      "notify_stop /bin/s\nnotify /bin/n\ndebug 2\n");

  CHECK(one.state == InitialState::backup);
  CHECK(one.advert_int == 2s);
  CHECK_FALSE(one.preempt);
  CHECK(one.preempt_delay == 1500ms);
  CHECK(one.mcast_src_ip == core::IpAddress::v4({192, 168, 1, 179}));
  CHECK(one.garp == GarpSettings{1s, 2, 60s, 3, 4s, 6, 0s});
  CHECK(one.authentication == Authentication{AuthType::pass, "1111"});
  REQUIRE(one.notify_master);
  CHECK(one.notify_master->argv == std::vector<std::string>{"/bin/m", "a b", "c"});
  CHECK(one.notify_master->user == "nobody");
  CHECK(one.notify_master->group == "nogroup");
  CHECK(one.notify_backup->argv == std::vector<std::string>{"/bin/b"});
  CHECK(one.notify_fault->argv == std::vector<std::string>{"/bin/f"});
  CHECK(one.notify_stop->argv == std::vector<std::string>{"/bin/s"});
  CHECK(one.notify->argv == std::vector<std::string>{"/bin/n"});
  CHECK(one.debug == 2);
}

TEST_CASE("vrrp_instance: globals count wherever they stand") {
  const std::string globals =
      "global_defs {\nvrrp_garp_master_repeat 7\nvrrp_garp_master_delay 2\nvrrp_garp_interval "
      "0.5\n}\n";

  const Loaded before = load(globals + instance(""));
  const Loaded after = load(instance("") + globals);

  CHECK(before.model == after.model);
  CHECK(after.model.instances[0].garp == GarpSettings{2s, 7, 0s, 1, 2s, 7, 500ms});
}

TEST_CASE("vrrp_instance: address lines with every option") {
  const VrrpInstance one = only(
      "virtual_ipaddress_excluded {\n10.0.0.1/24 dev eth1 label eth1:vip brd 10.0.0.255 scope "
      "link\n"
      "10.0.1.1/24 brd +\n10.0.2.1/20 broadcast -\n}");

  REQUIRE(one.virtual_addresses_excluded.size() == 3);
  const VirtualAddress& first = one.virtual_addresses_excluded[0];
  CHECK(first.prefix == *core::IpPrefix::parse("10.0.0.1/24"));
  CHECK(first.interface == "eth1");
  CHECK(first.label == "eth1:vip");
  CHECK(first.broadcast == core::IpAddress::v4({10, 0, 0, 255}));
  CHECK(first.scope == kScopeLink);
  CHECK(one.virtual_addresses_excluded[1].broadcast == core::IpAddress::v4({10, 0, 1, 255}));
  CHECK(one.virtual_addresses_excluded[1].interface == "eth0");
  CHECK(one.virtual_addresses_excluded[2].broadcast == core::IpAddress::v4({10, 0, 0, 0}));
}

TEST_CASE("vrrp_instance: state MASTER cancels nopreempt and preempt_delay, and says so") {
  const VrrpInstance one =
      only("state MASTER\nnopreempt\npreempt_delay 3",
           "9:1 warning: 'nopreempt' does not work with 'state MASTER' and is ignored\n"
           "10:1 warning: 'preempt_delay' does not work with 'state MASTER' and is ignored");
  CHECK(one.preempt);
  CHECK(one.preempt_delay == 0s);
}

TEST_CASE("vrrp_instance: a password of more than 8 bytes is cut, with a warning") {
  const VrrpInstance one = only("authentication {\nauth_type PASS\nauth_pass 123456789\n}",
                                "10:11 warning: the password is longer than 8 bytes and is cut to "
                                "8, as every VRRP version 2 router does");
  CHECK(one.authentication.password == "12345678");
}

TEST_CASE("vrrp_instance: a fraction of a second is rounded, with a warning") {
  CHECK(only("advert_int 0.3",
             "8:12 warning: VRRP version 2 counts whole seconds: 'advert_int' is taken as 1")
            .advert_int == 1s);
  CHECK(only("advert_int 2.6",
             "8:12 warning: VRRP version 2 counts whole seconds: 'advert_int' is taken as 3")
            .advert_int == 3s);
}

TEST_CASE("vrrp_instance: state MASTER without a priority owns the address") {
  const Loaded loaded = load(
      "vrrp_instance A {\nstate MASTER\ninterface eth0\nvirtual_router_id 1\n"
      "virtual_ipaddress {\n10.0.0.1\n}\n}\n");
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].priority == 255);
  CHECK(loaded.diagnostics.warnings() == 0);
  CHECK(loaded.diagnostics.all().size() == 1);
}

TEST_CASE("vrrp_instance: what is not done yet is said plainly and the rest is loaded") {
  CHECK(
      only("version 3",
           "8:9 warning: Holdfast does not do VRRP version 3 yet: this instance speaks version 2, "
           "which directors with version 3 do not hear")
          .version == 2);
  only("unicast_peer {\n10.0.0.2\n}",
       "8:1 warning: Holdfast does not do unicast peers yet: this instance sends its adverts by "
       "multicast");
  CHECK(only("authentication {\nauth_type AH\nauth_pass x\n}",
             "9:11 warning: Holdfast does not do AH yet: adverts go without authentication, and "
             "directors with AH "
             "refuse them")
            .authentication == Authentication{});
}

TEST_CASE("vrrp_instance: an IPv6 instance is not started, an IPv6 address is not held") {
  const Loaded six = load(
      "vrrp_instance S {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress "
      "{\nfe80::1\n}\n}\n");
  CHECK(six.model.instances.empty());
  CHECK(findings(six.diagnostics) ==
        "1:15 warning: Holdfast does not do IPv6 yet: vrrp_instance 'S' is not started");

  const VrrpInstance mixed =
      only("virtual_ipaddress_excluded {\n2001:db8::1/64\n}",
           "9:1 warning: Holdfast does not hold IPv6 addresses yet: this address is not held");
  CHECK(mixed.virtual_addresses_excluded.empty());
}
