// What the doctor takes from a status page, and how it speaks to people.
#include "ctl/doctor_configuration.hpp"
#include "ctl/doctor_view.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

boost::json::object page(std::string_view text) {
  return boost::json::parse(text).as_object();
}

}  // namespace

TEST_CASE("doctor: an instance of a status page becomes what is expected on the wire") {
  const auto all = expectations_of(page(R"({"instances":[{"name":"VI_1","interface":"eth0",
    "vrid":51,"family":"ipv4","channel":"224.0.0.99","version":3,"unicast_peers":null,
    "authentication":{"method":"password"},"advertises":["192.0.2.100","nonsense",7],"priority":150,
    "advert_interval_ms":250.0,"peer_problems":[
      {"peer":"192.0.2.2","reason":"bad_version","adverts":4,"heard_ms":1500.5,"what":"speaks"},
      {"peer":"192.0.2.3","reason":"bad_version","ended":true},
      {"peer":null,"reason":"bad_ttl"},{"peer":"192.0.2.4","reason":"of the future"},5]}]})"));

  REQUIRE(all.size() == 1);
  const vrrp::InstanceSettings& settings = all[0].settings;
  CHECK(settings.name == "VI_1");
  CHECK(settings.interface == "eth0");
  CHECK(settings.vrid == 51);
  CHECK(settings.version == 3);
  CHECK(settings.key().channel == core::IpAddress::parse("224.0.0.99"));
  CHECK(settings.advert_interval == std::chrono::milliseconds(250));
  CHECK(settings.authentication.type == vrrp::AuthenticationType::simple_password);
  CHECK_FALSE(all[0].knows_secret);
  REQUIRE(settings.addresses.size() == 1);
  REQUIRE(all[0].remembered.size() == 1);
  CHECK(all[0].remembered[0].peer == core::IpAddress::parse("192.0.2.2"));
  CHECK(all[0].remembered[0].ago == std::chrono::milliseconds(1500));
}

TEST_CASE("doctor: unicast peers and a page of another version") {
  const auto all = expectations_of(page(R"({"instances":[{"family":"ipv6","channel":"2001:db8::1",
    "unicast_peers":["2001:db8::2"]},"nonsense",{"vrid":-5,"priority":"high","channel":{}}]})"));
  REQUIRE(all.size() == 2);
  REQUIRE(all[0].settings.unicast.has_value());
  CHECK(all[0].settings.unicast->peers.at(0).address == core::IpAddress::parse("2001:db8::2"));
  CHECK(all[0].settings.key().channel == core::IpAddress::parse("2001:db8::1"));
  CHECK(all[1].settings.vrid == 1);
  CHECK(expectations_of({}).empty());
}

TEST_CASE("doctor: a finding has its sentence, and a line for each program that can mend it") {
  Examination examination;
  examination.interfaces = {"eth0", "eth1"};
  examination.listened = std::chrono::seconds(5);
  CHECK(render_examination(examination, Colours::no) ==
        "nothing was heard in 5 s on: eth0 eth1\n"
        "compared with each other only: no director answers here and no file was given\n"
        "nothing is wrong as far as can be heard\n");

  examination.compared_with = "the running director";
  examination.lost = 7;
  examination.findings = {{.interface = "eth0",
                           .subject = "VI_1 (VRID 51, IPv4)",
                           .speaker = "192.0.2.2",
                           .reason = "bad_version",
                           .sentence = "192.0.2.2 speaks VRRP version 3",
                           .cure = {"version 2", "vrrp 51 version 2"}},
                          {.interface = "eth1",
                           .subject = "HSRP group 7",
                           .reason = "hsrp",
                           .sentence = "192.0.2.9 speaks HSRP",
                           .is_problem = false}};
  CHECK(examination.has_problems());
  CHECK(render_examination(examination, Colours::no) ==
        "nothing was heard in 5 s on: eth0 eth1\n"
        "compared with the running director\n"
        "7 packets came faster than they could be read\n"
        "  ✗ eth0, VI_1 (VRID 51, IPv4): 192.0.2.2 speaks VRRP version 3\n"
        "      keepalived or Holdfast on 192.0.2.2:  version 2\n"
        "      FRR on 192.0.2.2:  vrrp 51 version 2\n"
        "  · eth1, HSRP group 7: 192.0.2.9 speaks HSRP\n");
}
