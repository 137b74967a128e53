#include "ctl/catalogue.hpp"
#include "ctl/json_view.hpp"
#include "ctl/orders.hpp"
#include "ctl/status.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <set>

using namespace holdfast::ctl;

namespace {

constexpr std::string_view kWatchdog = R"({"process":"watchdog","pid":4711,"version":"0.1.0",
  "generation":2,"config_file":"/etc/keepalived/keepalived.conf",
  "started_at":"2026-11-21T00:00:00.000Z",
  "last_reload":{"at":"2026-11-21T00:30:00.000Z","ok":true,"message":""},
  "children":[
    {"role":"vrrp","pid":4712,"state":"running","since_at":"2026-11-21T00:00:01.000Z","restarts":0,
     "last_exit":null,"heartbeat_ms":120},
    {"role":"checkers","pid":0,"state":"backoff","since_at":"2026-11-21T01:59:58.000Z","restarts":2,
     "last_exit":"killed by signal 9","heartbeat_ms":null}]})";

constexpr std::string_view kVrrp = R"({"process":"vrrp","pid":4712,"generation":2,"instances":[
  {"name":"VI_1","interface":"eth0","vrid":51,"family":"ipv4","version":2,"state":"MASTER",
   "since_at":"2026-11-21T01:57:00.000Z","since_ms":180000,"why":"no master was heard for 3.414 s",
   "priority":150,"effective_priority":150,"advert_interval_ms":1000,"preempt":true,
   "master":{"address":"192.168.1.10","priority":150,"heard_ms":0},
   "addresses":[{"address":"192.168.1.200/32","interface":"eth0","label":"eth0:vip","held":true},
                {"address":"192.168.1.201/32","interface":"eth0","label":"eth0","held":false}],
   "faults":[],
   "troubles":["192.168.1.11 is master too, with priority 100, for 57 s"]},
  {"name":"VI_2","interface":"eth1","vrid":52,"state":"FAULT","since_ms":2500,
   "why":"eth1 has no carrier","priority":100,"effective_priority":80,"master":null,
   "addresses":[{"address":"10.0.0.9/32","interface":"eth1","label":"","held":true,"foreign":true}],
   "faults":["eth1 has no carrier"]}]})";

constexpr std::string_view kCheckers = R"({"process":"checkers","pid":4713,"generation":2,
  "ipvs":{"available":true,"error":null,
    "differs":{"places":1,"since_at":"2026-11-21T01:59:50.000Z","since_ms":10000,
      "entries":["TCP 192.168.1.200:8099: server 192.168.1.67:8099 has weight 1, should have 3"]},
    "drift":3,"last_drift_at":"2026-11-21T01:55:00.000Z","last_drift_ms":300000},
  "services":[{"protocol":"TCP","address":"192.168.1.200","port":8099,"scheduler":"rr",
    "forwarding":"DR","persistence_timeout_s":50,"quorum":1,"quorum_up":true,"up_weight":3,
    "sorry_server":{"address":"127.0.0.1","port":80,"weight":0,"in_table":false},
    "servers":[
     {"address":"192.168.1.67","port":8099,"weight":3,"configured_weight":3,"in_table":true,
      "state":"up","since_at":"2026-11-21T01:00:00.000Z","active_connections":12,
      "inactive_connections":340,"checks":[{"type":"TCP_CHECK","target":"192.168.1.67:8099",
      "result":"up","reason":"","last_at":"2026-11-21T01:59:57.500Z","took_ms":3,
      "failures_in_row":0}]},
     {"address":"192.168.1.68","port":8099,"weight":0,"configured_weight":3,"in_table":false,
      "state":"down","since_at":"2026-11-21T01:59:00.000Z","active_connections":0,
      "inactive_connections":0,"checks":[{"type":"TCP_CHECK","target":"192.168.1.68:8099",
      "result":"down","reason":"connection refused","last_at":"2026-11-21T01:59:58.000Z",
      "took_ms":1,"failures_in_row":4}]}]}],
  "foreign":[{"protocol":"UDP","address":"10.9.9.9","port":53},
             {"protocol":"FWM","mark":9,"family":"ipv4"}]})";

const TextOptions kPlain{Colours::no, "2026-11-21T02:00:00.000Z"};

Reply answered(std::string process, std::string_view json) {
  return {std::move(process), boost::json::parse(json).as_object(), ""};
}

Replies everybody() {
  return {answered("watchdog", kWatchdog), answered("vrrp", kVrrp),
          answered("checkers", kCheckers)};
}

}  // namespace

TEST_CASE("status: a process that is late but works is told beside its state") {
  Replies replies = everybody();
  auto& children = replies[0].status->at("children").as_array();
  children.at(0).as_object()["late"] = true;
  children.at(1).as_object()["late"] = false;

  const std::string text = render_status(replies, kPlain);
  CHECK(text.find("4712  running  1 h 59 min         0           2  late: it works, but gave no "
                  "sign of life for some seconds\n") != std::string::npos);
  CHECK(text.find("2  last exit: killed by signal 9\n") != std::string::npos);
}

TEST_CASE("status: processes, instances and services as a person reads them") {
  CHECK(render_status(everybody(), kPlain) ==
        R"(holdfast 0.1.0, /etc/keepalived/keepalived.conf, generation 2
last reload 2026-11-21T00:30:00.000Z: taken into use

Processes
  process    pid  state    for         restarts  generation  remark
  watchdog  4711  running  2 h 0 min                      2
  vrrp      4712  running  1 h 59 min         0           2
  checkers  4713  backoff  2.0 s              2           2  last exit: killed by signal 9

Instances
  name  interface  vrid  state   for        priority             master
  VI_1  eth0         51  MASTER  3 min 0 s  150                  this director
    why: no master was heard for 3.414 s
    trouble: 192.168.1.11 is master too, with priority 100, for 57 s
    ✓ 192.168.1.200/32 on eth0 (eth0:vip)
    ✗ missing 192.168.1.201/32 on eth0
  VI_2  eth1         52  FAULT   2.5 s      80 (100 configured)  none heard
    why: eth1 has no carrier
    fault: eth1 has no carrier
    ✓ 10.0.0.9/32 on eth1, not put there by this director

Services
  the kernel's table differs in 1 place, for 10.0 s:
    TCP 192.168.1.200:8099: server 192.168.1.67:8099 has weight 1, should have 3
  3 entries that others changed were put back since the start; last 5 min 0 s ago
  TCP 192.168.1.200:8099  rr DR  persistent 50 s  quorum met: weight 3 up, 1 needed
    server             state  for        weight  active  inactive  remark
    192.168.1.67:8099  up     1 h 0 min       3      12       340
      TCP_CHECK 192.168.1.67:8099 up, took 3 ms, 2.5 s ago
    192.168.1.68:8099  down   1 min 0 s  0 of 3       0         0  not in the table
      TCP_CHECK 192.168.1.68:8099 down: connection refused, took 1 ms, 2.0 s ago, )"
        R"(4 failures in a row
    127.0.0.1:80                              0                    sorry server
  UDP 10.9.9.9:53  not ours, left alone
  FWM 9  not ours, left alone
)");
}

TEST_CASE("status: a service of a firewall mark shows the mark and its family") {
  Replies replies = everybody();
  replies[2] = answered("checkers", R"({"services":[
    {"protocol":"FWM","mark":7,"family":"ipv4","scheduler":"rr","forwarding":"NAT"},
    {"protocol":"FWM","mark":4294967295,"family":"ipv6","scheduler":"mh","forwarding":"DR",
     "persistence_timeout_s":60}],
    "foreign":[{"protocol":"FWM","mark":8,"family":"ipv6"}]})");

  const std::string text = render_status(replies, kPlain);

  CHECK(text.find("\n  FWM 7  rr NAT\n") != std::string::npos);
  CHECK(text.find("\n  FWM 4294967295 IPv6  mh DR  persistent 60 s\n") != std::string::npos);
  CHECK(text.find("\n  FWM 8 IPv6  not ours, left alone\n") != std::string::npos);
}

TEST_CASE("status: drift that was put back does not claim that the table differs now") {
  Replies replies = everybody();
  replies[2] = answered("checkers", R"({"ipvs":{"available":true,"error":null,"differs":null,
    "drift":1,"last_drift_at":"2026-11-21T01:55:00.000Z","last_drift_ms":300000},"services":[]})");

  const std::string text = render_status(replies, kPlain);

  CHECK(text.find("differs") == std::string::npos);
  CHECK(text.find("\n  1 entry that others changed was put back since the start; last 5 min 0 s "
                  "ago\n") != std::string::npos);
}

TEST_CASE("status: a sorry server in the table is in use only while it serves") {
  for (const bool in_use : {true, false}) {
    CAPTURE(in_use);
    Replies replies = everybody();
    boost::json::object& service = replies[2].status->at("services").as_array()[0].as_object();
    service["sorry_server"] = {{"address", "127.0.0.1"},
                               {"port", 80},
                               {"weight", 1},
                               {"in_table", true},
                               {"in_use", in_use}};

    const std::string text = render_status(replies, kPlain);

    CHECK((text.find("sorry server, in use") != std::string::npos) == in_use);
    CHECK(text.find("sorry server") != std::string::npos);
  }
}

TEST_CASE("status: router_id stands in the first line") {
  Replies replies = everybody();
  (*replies[0].status)["router_id"] = "director_1";

  CHECK(render_status(replies, kPlain).find(", director_1, generation ") != std::string::npos);
}

TEST_CASE("status: a configuration on trial and a planned reload stand at the top") {
  Replies replies = everybody();
  (*replies[0].status)["confirmation"] = {
      {"generation", 2}, {"former_generation", 1}, {"left_ms", 42'000}};
  (*replies[0].status)["planned_reload_at"] = "2026-11-22T04:00:00.000Z";

  const std::string text = render_status(replies, kPlain);

  CHECK(text.find("\ngeneration 2 is on trial: generation 1 returns in 42.0 s unless `holdfastctl "
                  "confirm` comes\nthe next reload is planned at 2026-11-22T04:00:00.000Z\n") !=
        std::string::npos);
}

TEST_CASE("status: a dead parent hides nothing") {
  Replies replies = everybody();
  replies[0] = {"watchdog", std::nullopt, "not running (no socket /run/holdfast/watchdog.sock)"};

  const std::string text = render_status(replies, kPlain);

  // Nothing knows since when: that column is left out.
  CHECK(text.starts_with(R"(Processes
  process    pid  state      generation  remark
  watchdog        no answer              not running (no socket /run/holdfast/watchdog.sock)
  vrrp      4712  running             2
  checkers  4713  running             2

Instances
)"));
  CHECK(text.find("Services\n") != std::string::npos);
}

TEST_CASE("status --json: every answer as it came, and why there is none") {
  Replies replies = everybody();
  replies[2] = {"checkers", std::nullopt, "not running"};

  const auto merged = merge(replies);

  CHECK(merged.at("vrrp") == boost::json::parse(kVrrp));
  CHECK(merged.at("checkers").is_null());
  CHECK(boost::json::serialize(merged.at("problems")) == R"({"checkers":"not running"})");
  CHECK(anybody_answered(replies));
}

TEST_CASE("status: strange and missing fields are left out, nothing breaks") {
  for (const std::string_view odd :
       {R"({})", R"({"instances":7,"services":{},"children":[1,null]})",
        R"({"instances":[{"name":5,"addresses":[null]}],"services":[{"servers":[{}]},3],
            "ipvs":{"available":false,"error":"no ip_vs"}})"}) {
    const Replies replies{answered("watchdog", odd), answered("vrrp", odd),
                          answered("checkers", odd)};
    CHECK(render_status(replies, kPlain).find("Processes\n") != std::string::npos);
  }
}

TEST_CASE("colours only where asked for, and they do not move a column") {
  const std::string plain = render_status(everybody(), kPlain);
  std::string coloured = render_status(everybody(), {Colours::yes, kPlain.now});
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(coloured != plain);

  for (std::size_t at; (at = coloured.find('\x1b')) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  CHECK(coloured == plain);
}

TEST_CASE("durations and ages in words") {
  CHECK(duration_text(-5) == "0 ms");
  CHECK(duration_text(999) == "999 ms");
  CHECK(duration_text(12'449) == "12.4 s");
  CHECK(duration_text(303'000) == "5 min 3 s");
  CHECK(duration_text(90'000'000) == "1 d 1 h");
  CHECK(age_ms("2026-11-20T23:59:59.900Z", "2026-11-21T00:00:00.150Z") == 250);
  CHECK(age_ms("yesterday", "2026-11-21T00:00:00.150Z") == std::nullopt);
}

TEST_CASE("catalogue: every message of every room, once, with help") {
  std::set<std::string_view> ids;
  for (const auto* message : catalogue()) {
    CAPTURE(message->id);
    CHECK(ids.insert(message->id).second);
    CHECK(message->help.size() > 10);
  }
  for (const std::string_view room : {"vrrp-", "checkers-", "watchdog-", "netlink-"}) {
    CAPTURE(room);
    CHECK(std::any_of(ids.begin(), ids.end(),
                      [&](std::string_view id) { return id.starts_with(room); }));
  }
  REQUIRE(find_message("netlink-overrun") != nullptr);
  CHECK(explain(*find_message("netlink-overrun")).starts_with("netlink-overrun (warning)\n\nMore"));
  CHECK(find_message("no-such-message") == nullptr);
  CHECK(nearest_id("netlink-overun") == "netlink-overrun");
}

TEST_CASE("orders: what is typed becomes one question, or is refused with the right form") {
  const auto asked = [](const char* verb, OrderRequest request) {
    const auto made = order_question(verb, request, "alice");
    return made ? made->process + " " + boost::json::serialize(made->question)
                : made.error().message;
  };
  CHECK(asked("drain", {.subject = "10.0.0.1:80", .within = "10m"}) ==
        R"(checkers {"command":"order","kind":"weight","subject":"10.0.0.1:80",)"
        R"("author":"alice","value":0,"for_ms":600000})");
  CHECK(asked("undrain", {.subject = "10.0.0.1:80"}) ==
        R"(checkers {"command":"order","kind":"weight","subject":"10.0.0.1:80",)"
        R"("author":"alice","take_back":true})");
  CHECK(asked("weight", {.subject = "s", .value = "7"}).ends_with(R"("value":7})"));
  CHECK(asked("weight", {.subject = "s", .value = "configured"}).ends_with(R"("take_back":true})"));
  CHECK(asked("priority", {.subject = "VI_1", .value = "-50"}) ==
        R"(vrrp {"command":"order","kind":"priority","subject":"VI_1",)"
        R"("author":"alice","value":-50})");
  CHECK(asked("priority", {.subject = "VI_1", .value = "+5"}).ends_with(R"("value":5})"));
  CHECK(asked("priority", {.subject = "VI_1", .value = "0"}).ends_with(R"("take_back":true})"));
  CHECK(asked("resign", {.subject = "VI_1", .take_back = true}).ends_with(R"("take_back":true})"));
  CHECK(asked("weight", {.subject = "s", .value = "x"}) ==
        "weight takes a number, or the word configured, not 'x'");
  CHECK(asked("drain", {.subject = "s", .within = "soon"}) ==
        "--for takes a time such as 90s, 10m or 2h, not 'soon'");
  CHECK(asked("priority", {.subject = "s", .value = "0", .within = "1m"}) ==
        "--for makes no sense here");
}

TEST_CASE("status: what operators asked for stands above everything") {
  Replies replies = everybody();
  replies[1].status->insert_or_assign(
      "orders", boost::json::parse(R"([{"id":3,"kind":"priority","subject":"VI_1","value":-50,
        "author":"alice","given_at":"2026-11-21T01:59:00.000Z","left_ms":60000}])"));
  CHECK(render_status(replies, kPlain)
            .find("Orders\n  order 3: VI_1 has -50 to its priority, for 1 min 0 s; asked for by "
                  "alice at 2026-11-21T01:59:00.000Z\n") != std::string::npos);
}
