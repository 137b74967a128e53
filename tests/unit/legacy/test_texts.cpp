// The dumps as texts, from a configuration and what the processes would say.
#include "config/load.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include "legacy/banner.hpp"
#include "legacy/data_text.hpp"
#include "legacy/dump_request.hpp"
#include "legacy/dump_settings.hpp"
#include "legacy/json_text.hpp"
#include "legacy/phrases.hpp"
#include "legacy/stats_text.hpp"
#include <csignal>
#include <string>

using namespace holdfast;
using namespace holdfast::legacy;

namespace {

constexpr std::string_view kConfig = R"(
vrrp_instance out {
    interface eth0
    virtual_router_id 51
    priority 120
    garp_master_delay 1.5
    authentication {
        auth_type PASS
        auth_pass sesam
    }
    virtual_ipaddress {
        192.0.2.10/24
        192.0.2.11
    }
}
vrrp_instance ns/name/2 {
    interface eth0
    virtual_router_id 52
    version 3
    advert_int 0.25
    virtual_ipaddress {
        2001:db8::1/64
    }
}
)";

constexpr std::string_view kStatus = R"({"process":"vrrp","instances":[{"name":"out",
"state":"BACKUP","since_at":"2026-11-21T00:42:03.120Z","effective_priority":100,
"sync_group":null,"device":{"name":"vrrp.51"},
"master":{"address":"192.0.2.3","priority":200,"interval_ms":1000.0},
"addresses":[{"address":"192.0.2.10/24","interface":"eth0","held":true},
{"address":"192.0.2.11/32","interface":"eth0","held":false}],"trackers":[],
"counters":{"adverts_received":7,"became_master":2,"errors":{"truncated":1,"bad_length":2,
"bad_ttl":4}}}]})";

struct Scene {
  config::Model model = config::load_text(kConfig, "a.conf").model;
  boost::json::object status = boost::json::parse(kStatus).as_object();
  std::vector<InstanceFacts> facts = facts_of(model, status);
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("dumps: an instance is what is configured, beside what its process says") {
  const Scene scene;

  REQUIRE(scene.facts.size() == 2);
  const InstanceFacts& out = scene.facts[0];
  CHECK(out.state == State::backup);
  CHECK(out.since == 1'795'221'723'120'000);
  CHECK(out.effective_priority == 100);
  CHECK(out.master_address == "192.0.2.3");
  CHECK(out.master_priority == 200);
  CHECK(out.holds(out.settings->virtual_addresses[0]));
  CHECK_FALSE(out.holds(out.settings->virtual_addresses[1]));
  CHECK(contains(json_text(scene.model, scene.facts), R"("vmac_ifname":"vrrp.51")"));
  CHECK(contains(json_text(scene.model, scene.facts), R"("vmac_ifname":"")"));  // the other one
  CHECK(out.statistics.packet_length == 3);
  CHECK(out.statistics.ttl == 4);
  CHECK(out.statistics.received == 7);
}

TEST_CASE("dumps: an instance that is not started is INIT, and in all files") {
  const Scene scene;

  CHECK(scene.facts[1].state == State::init);
  CHECK(scene.facts[1].effective_priority == 100);
  CHECK(contains(stats_text(scene.facts), "VRRP Instance: ns/name/2\n"));
  CHECK(contains(vrrp_text(scene.model, scene.facts, scene.status),
                 " VRRP Instance = ns/name/2\n   VRRP Version = 3\n"));
  CHECK(contains(json_text(scene.model, scene.facts), R"("iname":"ns/name/2")"));
}

TEST_CASE("dumps: documents of another shape are no more than missing facts") {
  const Scene scene;
  for (const std::string_view text :
       {R"({})", R"({"instances":7})", R"({"instances":[1,null,{"name":3}]})",
        R"({"instances":[{"name":"out","state":5,"since_at":"x","master":[],"addresses":{},
            "trackers":[7],"counters":{"errors":3,"adverts_sent":-5}}]})"}) {
    const auto facts = facts_of(scene.model, boost::json::parse(text).as_object());
    REQUIRE(facts.size() == 2);
    CHECK(facts[0].state == State::init);
    CHECK(facts[0].statistics.sent == 0);
    CHECK_FALSE(stats_text(facts).empty());
    CHECK_FALSE(check_text(scene.model, boost::json::parse(text).as_object()).empty());
  }
}

TEST_CASE("dumps: whole numbers have no fraction, and no password is told") {
  const Scene scene;
  const std::string data = vrrp_text(scene.model, scene.facts, scene.status);
  const std::string json = json_text(scene.model, scene.facts);

  CHECK(contains(data, "   Gratuitous ARP delay = 1\n"));
  CHECK(contains(data, "   Advert interval = 250 milli-sec\n"));
  CHECK(contains(data,
                 "   Virtual IP (2):\n     192.0.2.10/24 dev eth0 scope global set\n"
                 "     192.0.2.11 dev eth0 scope global\n"));
  CHECK(contains(data, "     2001:db8::1/64 dev eth0 scope global preferred_lft forever\n"));
  CHECK(contains(json, R"("garp_delay":1.5,)"));
  CHECK(contains(json, R"("adver_int":1,)"));
  CHECK(contains(json, R"("adver_int":0.25,)"));
  CHECK(contains(json, R"("last_transition":1795221723.120000,)"));
  CHECK(contains(json, R"("auth_type":1,"auth_data":"********"})"));
  CHECK_FALSE(contains(data + json, "sesam"));
  CHECK(seconds_text(core::Duration(10'000'000)) == "10");
  CHECK(seconds_text(core::Duration(10'000'001)) == "10.000001");
  CHECK(seconds_text(core::Duration(0)) == "0");
}

TEST_CASE("dumps: json_version 2 is an object") {
  Scene scene;
  CHECK(boost::json::parse(json_text(scene.model, scene.facts)).is_array());

  scene.model.globals.json_version = 2;

  const auto parsed = boost::json::parse(json_text(scene.model, scene.facts));
  REQUIRE(parsed.is_object());
  CHECK(parsed.at("vrrp").as_array().size() == 2);
  CHECK_FALSE(parsed.as_object().contains("track_process"));
}

TEST_CASE("dumps: each process writes what it knows, as its signal says") {
  CHECK(request_of(SIGUSR1, Asked::parent) ==
        DumpRequest{.parent_data = true, .vrrp_data = true, .check_data = true});
  CHECK(request_of(SIGUSR1, Asked::vrrp) == DumpRequest{.vrrp_data = true});
  CHECK(request_of(SIGUSR1, Asked::checkers) == DumpRequest{.check_data = true});
  CHECK(request_of(SIGUSR2, Asked::parent) == DumpRequest{.stats = true});
  CHECK(request_of(SIGUSR2, Asked::checkers).is_empty());
  CHECK(request_of(SIGRTMIN + 2, Asked::vrrp) == DumpRequest{.json = true});
  CHECK(request_of(SIGRTMAX - 1, Asked::parent) ==
        DumpRequest{.stats = true, .clears_stats = true});
  CHECK(request_of(SIGALRM, Asked::parent).is_empty());
}

TEST_CASE("dumps: a request survives the command line") {
  const DumpRequest request{.check_data = true, .stats = true, .clears_stats = true};

  CHECK(to_word(request) == "check,stats,clear");
  CHECK(request_in("check,stats,clear") == request);
  for (const std::string_view wrong : {"", ",", "data,", "datum", "data,,json"})
    CHECK_FALSE(request_in(wrong).has_value());
}

TEST_CASE("dumps: words of the configuration and TMPDIR say where") {
  CHECK(dump_directory(nullptr) == "/tmp");
  CHECK(dump_directory("relative") == "/tmp");
  CHECK(dump_directory("/run/x//") == "/run/x");
  DumpSettings settings;
  CHECK(dump_path(settings, "/tmp", "keepalived", ".data", "") == "/tmp/keepalived.data");
  CHECK(dump_path(settings, "/tmp", "keepalived", ".data", "a") == "/tmp/a");
  CHECK(dump_path(settings, "/tmp", "keepalived", ".data", "/b/a") == "/b/a");
  settings.suffix = "_blue";
  CHECK(dump_path(settings, "/t", "keepalived_check", ".data", "") ==
        "/t/keepalived_check_blue.data");
}

TEST_CASE("banner: the name alone makes the difference") {
  CHECK(is_keepalived("keepalived"));
  CHECK(is_keepalived("/usr/sbin/keepalived"));
  CHECK_FALSE(is_keepalived("/opt/keepalived/holdfast"));
  CHECK(banner("0.1.0").starts_with("Keepalived v"));
}
