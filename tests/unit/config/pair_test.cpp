#include "config/compare/pair.hpp"

#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string director(std::string_view extra, int priority = 100, std::string_view name = "VI_1",
                     int vrid = 51, std::string_view address = "192.168.1.200") {
  return fmt::format(
      "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\npriority {}\n"
      "virtual_ipaddress {{\n{}\n}}\n{}\n}}\n",
      name, vrid, priority, address, extra);
}

// What the comparison finds, the directors' own findings left out.
std::string compared(const std::string& first, const std::string& second) {
  const Loaded a = load_text(first, "a.conf");
  const Loaded b = load_text(second, "b.conf");
  Diagnostics out;
  compare_directors({a, "a.conf"}, {b, "b.conf"}, out);
  std::string text;
  for (const Diagnostic& one : out.all()) {
    text += fmt::format("{}{}:{} {}: {}", text.empty() ? "" : "\n", one.file, one.line,
                        to_string(one.severity), one.message);
  }
  return text;
}

}  // namespace

TEST_CASE("pair: two directors that fit say nothing") {
  CHECK(compared(director("", 150) + service(""), director("", 100) + service("")).empty());
}

TEST_CASE("pair: the interval, the password, the version end in two masters") {
  CHECK(compared(director("advert_int 2", 150), director("")) ==
        "a.conf:1 error: vrrp_instance 'VI_1' has 'advert_int 2' here and 1 in b.conf line 1: each "
        "drops the other's adverts, and both become master");
  const auto password = [](std::string_view word) {
    return fmt::format("authentication {{\nauth_type PASS\nauth_pass {}\n}}", word);
  };
  const std::string findings = compared(director(password("one"), 150), director(password("two")));
  CHECK(
      findings ==
      "a.conf:1 error: the password of vrrp_instance 'VI_1' is not the one in b.conf line 1: each "
      "drops the other's adverts, and both become master");
  CHECK(compared(director(password("one"), 150), director(""))
            .starts_with("a.conf:1 error: vrrp_instance 'VI_1' has PASS here and no authentication "
                         "in b.conf line 1"));
  CHECK(compared(director("version 3", 150), director(""))
            .starts_with("a.conf:1 error: vrrp_instance 'VI_1' speaks VRRP version 3 here and 2 in "
                         "b.conf line 1"));
}

TEST_CASE("pair: version 3 learns the interval") {
  CHECK(compared(director("version 3\nadvert_int 2", 150), director("version 3")) ==
        "a.conf:1 warning: vrrp_instance 'VI_1' has 'advert_int 2' here and 1 in b.conf line 1: a "
        "backup takes the master's interval");
}

TEST_CASE("pair: router ids that are on one side only, or differ") {
  CHECK(
      compared(director("", 150) + director("", 150, "B", 52, "10.0.0.2"), director("")) ==
      "a.conf:10 warning: virtual_router_id 52 of vrrp_instance 'B' is not in b.conf: nobody takes "
      "over from this director");
  CHECK(
      compared(director(""), director("", 150) + director("", 150, "B", 52, "10.0.0.2")) ==
      "b.conf:10 warning: virtual_router_id 52 of vrrp_instance 'B' is not in a.conf: nobody takes "
      "over from this director");
  CHECK(compared(director("", 150), director("", 100, "VI_1", 52)) ==
        "a.conf:1 error: vrrp_instance 'VI_1' has virtual_router_id 51 here and 52 in b.conf line "
        "1: both directors become master of the same addresses");
}

TEST_CASE("pair: crossed router ids are one mistake") {
  const auto both = [](int first, int second, int priority, std::string_view extra) {
    return director(extra, priority, "VI_1", first) +
           director(extra, priority, "VI_2", second, "10.0.0.2");
  };
  CHECK(compared(both(51, 52, 150, "advert_int 2"), both(52, 51, 100, "")) ==
        "a.conf:1 error: virtual_router_id 51 is 'VI_1' here and 'VI_2' in b.conf line 10: each "
        "takes "
        "the other's adverts for those of other addresses, which may be on nobody or on both");
  // Other names and other addresses are no crossing.
  CHECK(compared(director("", 150), director("", 100, "other", 51, "10.0.0.2"))
            .starts_with("a.conf:1 warning: addresses of vrrp_instance 'VI_1'"));
}

TEST_CASE("pair: instances match by their router, whatever they and their interfaces are called") {
  std::string other = director("", 100, "other");
  other.replace(other.find("eth0"), 4, "ens3");
  CHECK(compared(director("", 150), other).empty());
}

TEST_CASE("pair: priorities, states and nopreempt") {
  CHECK(compared(director(""), director("")) ==
        "a.conf:1 warning: vrrp_instance 'VI_1' has priority 100 here and in b.conf line 1: "
        "whichever is there first stays master; of two at once, the higher address");
  CHECK(compared(director("state MASTER", 150), director("state MASTER")) ==
        "a.conf:1 note: vrrp_instance 'VI_1' has 'state MASTER' here and in b.conf line 1: the "
        "priority decides, and 'nopreempt' cannot work");
  CHECK(compared(director("", 150), director("nopreempt")) ==
        "a.conf:1 warning: 'nopreempt' of vrrp_instance 'VI_1' is only on the director of lower "
        "priority (the other is in b.conf line 1), where it changes nothing");
  CHECK(compared(director("nopreempt", 150), director("")).empty());
}

TEST_CASE("pair: weights that cannot move the addresses") {
  const auto tracking = [](int weight) {
    return fmt::format("vrrp_script c {{\nscript /bin/true\nweight {}\n}}\n", weight);
  };
  const std::string_view track = "track_script {\nc\n}";
  CHECK(
      compared(tracking(-20) + director(track, 150), tracking(-20) + director(track)) ==
      "a.conf:5 warning: the weights of vrrp_instance 'VI_1' are too small to move its addresses: "
      "with everything tracked failing this director still has priority 130, and b.conf line 5 at "
      "most 100");
  CHECK(compared(tracking(-60) + director(track, 150), tracking(-60) + director(track)).empty());
  CHECK(compared(tracking(2) + director(track, 101), tracking(2) + director(track)).empty());
}

TEST_CASE("pair: peers that do not point at each other") {
  const auto unicast = [](std::string_view source, std::string_view peer) {
    return fmt::format("unicast_src_ip {}\nunicast_peer {{\n{}\n}}", source, peer);
  };
  CHECK(compared(director(unicast("10.0.0.1", "10.0.0.2"), 150),
                 director(unicast("10.0.0.2", "10.0.0.1")))
            .empty());
  CHECK(compared(director(unicast("10.0.0.1", "10.0.0.2"), 150),
                 director(unicast("10.0.0.2", "10.0.0.3"))) ==
        "a.conf:1 error: vrrp_instance 'VI_1' sends from 10.0.0.1, which is not a unicast_peer in "
        "b.conf line 1: that director does not send to this one");
  CHECK(
      compared(director(unicast("10.0.0.1", "10.0.0.9"), 150),
               director(unicast("10.0.0.2", "10.0.0.1"))) ==
      "a.conf:10 error: 10.0.0.2, the source address of vrrp_instance 'VI_1' in b.conf line 1, is "
      "not among these peers: this director does not send to that one");
  CHECK(
      compared(director(unicast("10.0.0.1", "10.0.0.2"), 150), director("")) ==
      "a.conf:1 error: vrrp_instance 'VI_1' sends by unicast here and by multicast in b.conf line "
      "1: they do not hear each other, and both become master");
}

TEST_CASE("pair: addresses on one side only, and in another order") {
  const std::string_view two = "192.168.1.200\n192.168.1.201";
  CHECK(compared(director("", 150, "VI_1", 51, two), director("")) ==
        "a.conf:1 warning: addresses of vrrp_instance 'VI_1': 192.168.1.201 only here, not in "
        "b.conf line 1: a take-over loses them, and keepalived before 2.3.3 drops adverts with "
        "another number of addresses: two masters");
  CHECK(compared(director("", 150), director("", 100, "VI_1", 51, two)) ==
        "a.conf:1 warning: addresses of vrrp_instance 'VI_1': 192.168.1.201 only in b.conf line 1, "
        "not here: a take-over loses them, and keepalived before 2.3.3 drops adverts with another "
        "number of addresses: two masters");
  CHECK(compared(director("", 150), director("", 100, "VI_1", 51, "192.168.1.201"))
            .ends_with("only in b.conf line 1, not here: a take-over loses them"));
  CHECK(
      compared(director("", 150, "VI_1", 51, two),
               director("", 100, "VI_1", 51, "192.168.1.201\n192.168.1.200")) ==
      "a.conf:1 note: the addresses of vrrp_instance 'VI_1' stand in another order in b.conf line "
      "1: Holdfast and keepalived do not mind, other routers may");
}

TEST_CASE("pair: services and servers of one side only") {
  CHECK(compared(director("", 150) + service(""), director("")) ==
        "a.conf:10 warning: virtual_server TCP 192.168.1.200:80 is not in b.conf: it ends when the "
        "other director takes over");
  CHECK(compared(director(""), director("", 150) + service("")) ==
        "b.conf:10 warning: virtual_server TCP 192.168.1.200:80 is not in a.conf: it ends when the "
        "other director takes over");
  const std::string second = "real_server 192.168.1.68 80 {\nTCP_CHECK {\n}\n}";
  CHECK(compared(service(second), service("lb_algo rr")) ==
        "a.conf:1 warning: real servers of virtual_server TCP 192.168.1.200:80: 192.168.1.68:80 "
        "only here, not in b.conf line 1: the pool changes at a take-over\n"
        "a.conf:1 warning: virtual_server TCP 192.168.1.200:80 is not the same in b.conf line 1: "
        "lb_algo wlc and rr");
}

TEST_CASE("pair: sync groups of one side only, and their members") {
  const std::string both = director("", 150) + director("", 150, "B", 52, "10.0.0.2");
  const std::string backup = director("") + director("", 100, "B", 52, "10.0.0.2");
  const auto group = [](std::string_view members) {
    return fmt::format("vrrp_sync_group G {{\ngroup {{\n{}\n}}\n}}\n", members);
  };
  CHECK(compared(both + group("VI_1\nB"), backup) ==
        "a.conf:19 warning: vrrp_sync_group 'G' is not in b.conf: its instances part at a "
        "take-over");
  CHECK(compared(both + group("VI_1\nB"), backup + group("B")) ==
        "a.conf:19 warning: members of vrrp_sync_group 'G': VI_1 only here, not in b.conf line 19: "
        "the directors move different instances together");
}
