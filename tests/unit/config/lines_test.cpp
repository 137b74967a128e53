// Address, route and rule lines.
#include "config/write/write.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

core::IpPrefix prefix(std::string_view text) {
  return *core::IpPrefix::parse(text);
}
core::IpAddress address(std::string_view text) {
  return *core::IpAddress::parse(text);
}

Loaded load_list(std::string_view word, std::string_view lines) {
  return load(fmt::format("{} {{\n{}\n}}\ntrack_group g {{\ngroup {{\nVI_1\n}}\n}}\n{}", word,
                          lines, instance("")));
}

// The findings about the lines; aside what the block itself says, that it is not set yet.
std::string about_lines(const Loaded& loaded) {
  Diagnostics rest;
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (one.kind == Kind::mistake || one.line > 1) rest.add(one);
  }
  return findings(rest);
}

VirtualAddress one_address(std::string_view line, std::string_view expected = "") {
  const Loaded loaded = load_list("static_ipaddress", line);
  CHECK(about_lines(loaded) == expected);
  REQUIRE(loaded.model.static_addresses.size() == 1);
  return loaded.model.static_addresses[0];
}

Route one_route(std::string_view line, std::string_view expected = "") {
  const Loaded loaded = load_list("static_routes", line);
  CHECK(about_lines(loaded) == expected);
  REQUIRE(loaded.model.static_routes.size() == 1);
  return loaded.model.static_routes[0];
}

Rule one_rule(std::string_view line, std::string_view expected = "") {
  const Loaded loaded = load_list("static_rules", line);
  CHECK(about_lines(loaded) == expected);
  REQUIRE(loaded.model.static_rules.size() == 1);
  return loaded.model.static_rules[0];
}

// "2:5 message" of the one finding about a line that is not loaded: how loud it is, and that the
// line is left out, are said for all of them alike.
std::string refused(std::string_view word, std::string_view line) {
  const Loaded loaded = load_list(word, line);
  CHECK(loaded.model.static_addresses.empty());
  CHECK(loaded.model.static_routes.empty());
  CHECK(loaded.model.static_rules.empty());
  std::string text;
  for (const Diagnostic& one : loaded.diagnostics.all()) {
    if (one.kind == Kind::hint) continue;
    if (one.message.starts_with("a rule without 'priority'")) continue;
    CHECK(text.empty());
    text = fmt::format("{}:{} {}", one.line, one.column, one.message);
  }
  for (const std::string_view end :
       {": this line is left out", ": it is left out", ", and is left out"}) {
    if (text.ends_with(end)) text.erase(text.size() - end.size());
  }
  return text;
}

}  // namespace

TEST_CASE("address line: every option reaches the model") {
  const VirtualAddress read = one_address(
      "10.0.0.1/24 dev eth1 brd + label eth1:a scope link peer 10.0.0.2/32 home -nodad mngtmpaddr "
      "noprefixroute autojoin preferred_lft 60 track_group g");

  VirtualAddress expected;
  expected.prefix = prefix("10.0.0.1/24");
  expected.interface = "eth1";
  expected.broadcast = address("10.0.0.255");
  expected.label = "eth1:a";
  expected.scope = core::kScopeLink;
  expected.peer = prefix("10.0.0.2/32");
  expected.home = expected.duplicate_detection = expected.manage_temporary = true;
  expected.no_prefix_route = expected.auto_join = true;
  expected.preferred_lifetime = 60;
  expected.track_group = "g";
  CHECK(read == expected);
}

TEST_CASE("address line: broadcast and scope in their forms") {
  CHECK(one_address("10.1.2.3/20 dev e brd -").broadcast == address("10.1.0.0"));
  CHECK(one_address("10.1.2.3/20 dev e broadcast 10.1.1.1").broadcast == address("10.1.1.1"));
  CHECK(one_address("10.1.2.3 dev e scope 77").scope == 77);
  CHECK(one_address("10.1.2.3 dev e scope nowhere").scope == core::kScopeNowhere);
  CHECK(refused("static_ipaddress", "10.1.2.3 dev e scope 256")
            .starts_with("2:22 'scope' must be global, site, link, host, nowhere or a "
                         "number from 0 to 255, not '256'"));
  CHECK(refused("static_ipaddress", "10.1.2.3 dev e brd fe80::1") ==
        "2:20 'brd' must be an IPv4 address, + or -, not 'fe80::1'");
  CHECK(refused("static_ipaddress", "10.1.2.3 dev e label e:345678901234567") ==
        "2:22 the label 'e:345678901234567' is longer than 15 characters");
  CHECK(refused("static_ipaddress", "10.1.2.3 dev e peer fe80::1") ==
        "2:21 'peer' must be an address of the same family, not 'fe80::1'");
}

TEST_CASE("address line: words that are no option are ignored with a warning, as in keepalived") {
  const VirtualAddress misspelt =
      one_address("10.0.0.1 lable eth0:1 dev e",
                  "2:10 warning: 'lable' is ignored: not an option of an address");
  CHECK(misspelt.label.empty());
  CHECK(misspelt.interface == "e");
  CHECK(one_address("10.0.0.1 10.0.0.2 dev e",
                    "2:10 warning: '10.0.0.2' is ignored: a second address on one line")
            .prefix == prefix("10.0.0.1"));
  CHECK(one_address("10.0.0.1/33 dev e",
                    "2:1 warning: '10.0.0.1/33' has no usable prefix length and is taken as "
                    "10.0.0.1/32")
            .prefix == prefix("10.0.0.1"));
}

TEST_CASE("address line: a word without its value is an error of that line only") {
  const Loaded loaded =
      load_list("static_ipaddress", "10.0.0.1 dev e scope\n10.0.0.2 dev e\nnonsense\n10.0.0.3");

  CHECK(loaded.model.static_addresses.size() == 1);
  const std::string text = findings(loaded.diagnostics);
  CHECK(text.find("'scope' needs global, site, link, host, nowhere or a number from 0 to 255") !=
        std::string::npos);
  CHECK(text.find("'nonsense' is not an IP address") != std::string::npos);
  CHECK(text.find("the static address 10.0.0.3/32 has no interface") != std::string::npos);
}

TEST_CASE("address line: static addresses take default_interface, wherever it is written") {
  const Loaded loaded = load("static_ipaddress {\n10.0.0.1\n}\n" + instance("") +
                             "global_defs {\ndefault_interface eth7\n}\n");

  REQUIRE(loaded.model.static_addresses.size() == 1);
  CHECK(loaded.model.static_addresses[0].interface == "eth7");
}

TEST_CASE("route line: destination, gateway, interface, source, table") {
  const Route read = one_route(
      "src 10.9.0.1 to 10.1.0.0/16 via 10.0.0.1 dev eth1 table 100 scope link metric 7 mtu lock "
      "1400 onlink no_track");

  Route expected;
  expected.destination = prefix("10.1.0.0/16");
  expected.source = address("10.9.0.1");
  expected.via = address("10.0.0.1");
  expected.interface = "eth1";
  expected.table = "100";
  expected.scope = core::kScopeLink;
  expected.metric = 7;
  expected.mtu = 1400;
  expected.mtu_locked = expected.on_link = expected.no_track = true;
  CHECK(read == expected);
  CHECK(one_route("10.1.0.0/16 gw 10.0.0.1 oif eth1 preference 7") ==
        one_route("10.1.0.0/16 via 10.0.0.1 dev eth1 metric 7"));
}

TEST_CASE("route line: default is of the family that the other addresses have") {
  CHECK(one_route("default via 10.0.0.1").destination == prefix("0.0.0.0/0"));
  CHECK(one_route("default via fe80::1 dev e").destination == prefix("::/0"));
  CHECK(one_route("default via inet6 fe80::1 dev e").destination == prefix("::/0"));
  CHECK(one_route("inet6 default dev e").destination == prefix("::/0"));
  CHECK(one_route("default nexthop via fe80::1 dev e").destination == prefix("::/0"));
  CHECK(one_route("default6 dev e") == one_route("::/0 dev e"));
  CHECK(one_route("default6 via inet 10.0.0.1 dev e").destination == prefix("::/0"));
  CHECK(refused("static_routes", "default6 via 10.0.0.1") == "2:14 this route mixes IPv4 and IPv6");
  CHECK(one_rule("from default6 table 9 priority 7") ==
        one_rule("inet6 from all table 9 priority 7"));
  CHECK(one_route("0.0.0.0/0 gw 10.0.0.1") == one_route("default via 10.0.0.1"));
}

TEST_CASE("route line: types, and a gateway of the other family") {
  CHECK(one_route("blackhole 10.1.0.0/16").type == RouteType::blackhole);
  CHECK(one_route("to throw 10.1.0.0/16").type == RouteType::throw_);
  CHECK(one_route("brd 10.1.0.255 dev e").type == RouteType::broadcast);
  const Route mixed = one_route("10.1.0.0/16 via inet6 fe80::1 dev e");
  CHECK(mixed.destination == prefix("10.1.0.0/16"));
  CHECK(mixed.via == address("fe80::1"));
  CHECK(refused("static_routes", "10.1.0.0/16 via fe80::1 dev e") ==
        "2:17 this route mixes IPv4 and IPv6");
}

TEST_CASE("route line: several legs, with nexthop and with the old or") {
  const Route legs = one_route(
      "10.1.0.0/16 nexthop via 10.0.0.1 dev eth0 onlink weight 3 encap ip id 5 dst 10.7.0.1 "
      "nexthop via 10.0.0.2 realms 4 congctl reno table 9");
  const Route old = one_route("10.1.0.0/16 via 10.0.0.1 or 10.0.0.2 dev e",
                              "2:26 warning: 'or' of a route is an old word: write 'nexthop via "
                              "ADDRESS' for each gateway");

  NextHop first;
  first.via = address("10.0.0.1");
  first.interface = "eth0";
  first.weight = 3;
  first.on_link = true;
  first.others = {{"encap", {"ip", "id", "5", "dst", "10.7.0.1"}}};
  NextHop second;
  second.via = address("10.0.0.2");
  second.others = {{"realms", {"4"}}};
  CHECK(legs.next_hops == std::vector{first, second});
  CHECK(legs.others == std::vector<LineOption>{{"congctl", {"reno"}}});
  CHECK(legs.table == "9");
  REQUIRE(old.next_hops.size() == 2);
  CHECK(old.next_hops[0].via == address("10.0.0.1"));
  CHECK(old.next_hops[1].interface == "e");
  CHECK(!old.via);
}

TEST_CASE("route line: the remaining words are kept as they are written, under one name") {
  const Route read = one_route(
      "10.1.0.0/16 dev e dsfield 0x04 protocol 112 hoplimit 9 advmss lock 101 rtt 102 rttvar 1.5s "
      "ssthresh lock 107 realms cosmos/0x14 features ecn ttl-propagate disabled append");

  CHECK(read.others == std::vector<LineOption>{{"tos", {"0x04"}},
                                               {"protocol", {"112"}},
                                               {"hoplimit", {"9"}},
                                               {"advmss", {"lock", "101"}},
                                               {"rtt", {"102"}},
                                               {"rttvar", {"1.5s"}},
                                               {"ssthresh", {"lock", "107"}},
                                               {"realms", {"cosmos/0x14"}},
                                               {"features", {"ecn"}},
                                               {"ttl-propagate", {"disabled"}},
                                               {"append", {}}});
}

TEST_CASE("route line: each mistake is one error at its word") {
  const auto finding = [](std::string_view line) { return refused("static_routes", line); };

  CHECK(finding("via 10.0.0.1") == "2:1 this route has no destination");
  CHECK(finding("10.1.0.0/16 dev e link src 10.0.0.1") ==
        "2:19 'link' is neither an option nor a destination of a route");
  CHECK(finding("10.1.0.0/16 via") == "2:13 'via' needs an IP address");
  CHECK(finding("10.1.0.0/16 dev e metric x") ==
        "2:26 'metric' must be a number from 0 to 4294967295, not 'x'");
  CHECK(finding("10.1.0.0/16 dev e mtu lock") == "2:19 'mtu' needs a number from 0 to 4294967295");
  CHECK(finding("10.1.0.0/16 nexthop weight 3") == "2:13 this 'nexthop' leads nowhere");
  CHECK(finding("10.1.0.0/16 nexthop dev e weight 300") ==
        "2:34 'weight' must be a number from 1 to 256, not '300'");
  for (const char* time : {"7", "7s", "1.5sec", "2secs", "7MS", "7msec", "7msecs"}) {
    for (const char* word : {"rtt", "rttvar", "rto_min", "rto_min lock"})
      CHECK(one_route(fmt::format("10.1.0.0/16 dev e {} {}", word, time)).others.size() == 1);
  }
  CHECK(finding("10.1.0.0/16 dev e rto_min 7min") ==
        "2:27 'rto_min' must be a time such as 100ms or 1.5s, not '7min'");
  CHECK(finding("10.1.0.0/16 dev e rtt fast") ==
        "2:23 'rtt' must be a time such as 100ms or 1.5s, not 'fast'");
  CHECK(finding("10.1.0.0/16 dev e encap") == "2:19 'encap' needs options");
}

TEST_CASE("route line: what the kernel refuses is said") {
  CHECK(one_route("10.1.0.0/16", "2:1 warning: this route leads nowhere: the kernel refuses it")
            .via == std::nullopt);
  CHECK(one_route("10.1.0.0/16 10.2.0.0/16 dev e",
                  "2:13 warning: a second destination on one line; the last one counts")
            .destination == prefix("10.2.0.0/16"));
}

TEST_CASE("rule line: every kind of word reaches the model") {
  const Rule read = one_rule(
      "not from 10.1.0.0/16 to all table 100 preference 5 iif lo oif eth1 fwmark 0x10/0xff "
      "dsfield 22 realms 30/20 uidrange 10-19 sport 80 dport 80-90 ipproto tcp no_track "
      "track_group g");

  Rule expected;
  expected.from = prefix("10.1.0.0/16");
  expected.table = "100";
  expected.priority = 5;
  expected.in_interface = "lo";
  expected.out_interface = "eth1";
  expected.fwmark = 16;
  expected.fwmask = 255;
  expected.inverted = expected.no_track = true;
  expected.track_group = "g";
  expected.others = {{"tos", {"22"}},   {"realms", {"30/20"}}, {"uidrange", {"10-19"}},
                     {"sport", {"80"}}, {"dport", {"80-90"}},  {"ip_proto", {"tcp"}}};
  CHECK(read == expected);
}

TEST_CASE("rule line: actions beside a table, and families") {
  CHECK(one_rule("from all type blackhole priority 8").others ==
        std::vector<LineOption>{{"blackhole", {}}});
  CHECK(one_rule("from 10.0.0.0/8 goto 9 priority 8").others ==
        std::vector<LineOption>{{"goto", {"9"}}});
  CHECK(one_rule("from default l3mdev priority 8").from == std::nullopt);
  CHECK(one_rule("to 2001:db8::/32 lookup main priority 8").family == core::Family::v6);
  CHECK(one_rule("inet6 iif eth0 table 7 priority 8").family == core::Family::v6);
  CHECK(one_rule("iif eth0 table 7 priority 8").family == core::Family::v4);
}

TEST_CASE("rule line: without a priority it counts down, and that is said") {
  const Rule read = one_rule("from 10.0.0.0/8 table 5",
                             "2:1 warning: a rule without 'priority' gets one counted down from "
                             "16384 in the order of the files");
  CHECK(read.priority == std::nullopt);
}

TEST_CASE("rule line: each mistake is one error at its word") {
  const auto finding = [](std::string_view line) { return refused("static_rules", line); };

  CHECK(finding("from 10.0.0.0/8 priority 5") ==
        "2:1 this rule does not say what to do with its packets");
  CHECK(finding("from 10.0.0.0/8 to fe80::/10 table 5 priority 5") ==
        "2:20 this rule mixes IPv4 and IPv6");
  CHECK(finding("from 10.0.0.0/8 tabel 5 priority 5").find("2:17 unknown option 'tabel'") == 0);
  CHECK(finding("fwmark x table 5 priority 5") ==
        "2:8 'fwmark' must be a number, with or without a mask such as 0x10/0xff, not 'x'");
  CHECK(finding("iif lo sport 90-80 table 5 priority 5") ==
        "2:14 'sport' must be a number or a range such as 1000-1999, not '90-80'");
  CHECK(finding("iif lo goto 5 priority 9") ==
        "2:13 'goto 5' leads back: the rule itself has priority 9");
  CHECK(finding("to 192.168.100./24 table 1 priority 9")
            .find("2:4 'to' must be an IP address with or without a prefix length") == 0);
}

TEST_CASE("lines: a track_group that is not there is said, and nobody follows") {
  const Loaded loaded = load(
      "static_ipaddress {\n10.0.0.1 dev e track_group no\n}\n"
      "static_routes {\n10.1.0.0/16 dev e track_group no\n}\n"
      "static_rules {\niif e table 5 priority 5 track_group no\n}\n" +
      instance(""));

  std::vector<std::string> said;
  for (const Diagnostic& one : loaded.diagnostics.all()) said.push_back(one.message);
  CHECK(said == std::vector<std::string>{
                    "there is no track_group 'no': nobody follows when 10.0.0.1 goes",
                    "there is no track_group 'no': nobody follows when the route to 10.1.0.0/16 "
                    "goes",
                    "there is no track_group 'no': nobody follows when this rule goes"});
  CHECK(loaded.model.static_addresses.at(0).track_group.empty());
  CHECK(loaded.model.static_routes.at(0).track_group.empty());
  CHECK(loaded.model.static_rules.at(0).track_group.empty());
}

TEST_CASE("lines: track_group belongs to static lists only") {
  const Loaded loaded =
      load(instance("virtual_ipaddress_excluded {\n10.0.0.1 track_group g\n}\nvirtual_routes {\n"
                    "default dev e track_group g\n}\nvirtual_rules {\niif e table 5 priority 5 "
                    "track_group g\n}"));

  std::size_t ignored = 0;
  for (const Diagnostic& one : loaded.diagnostics.all())
    ignored += one.message.starts_with("'track_group' is ignored") ? 1 : 0;
  CHECK(ignored == 3);
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].virtual_routes.size() == 1);
  CHECK(loaded.model.instances[0].virtual_rules.size() == 1);
}

TEST_CASE("lines: what is written is read as the same lines") {
  const Loaded loaded = load(
      "static_ipaddress {\n10.0.0.1/24 dev e brd + label e:1 scope 9 peer 10.0.0.2 -nodad "
      "preferred_lft forever use_vmac track_group g\n2001:db8::1 dev e preferred_lft 0\n}\n"
      "static_routes {\ndefault via fe80::1 dev e\ninet default via inet6 fe80::1 dev e\n"
      "inet6 default dev e\n10.1.0.0/16 via inet6 fe80::1 dev e\nblackhole 10.2.0.0/16 metric 3\n"
      "10.3.0.1 dev e scope link encap ip id 3 table 4 tos 7 mtu 1400 advmss lock 9\n"
      "10.4.0.0/16 table 9 nexthop via 10.0.0.1 dev e weight 2 encap mpls 100 nexthop via inet6 "
      "fe80::1 dev f realms 7 congctl reno\n}\n"
      "static_rules {\nnot from 10.0.0.0/8 fwmark 010/3 table 7 priority 1\ninet6 iif lo "
      "l3mdev\nto 2001:db8::1 goto 9 priority 8 suppress_prefixlength 0\n}\n"
      "track_group g {\ngroup {\nVI_1\n}\n}\n" +
      instance(""));
  REQUIRE_MESSAGE(!loaded.diagnostics.has_errors(), findings(loaded.diagnostics));

  const std::string text = print_keepalived(document_of(loaded.model));
  CAPTURE(text);
  CHECK(loaded.model.static_routes.size() == 7);
  CHECK(load(text).model == loaded.model);
}
