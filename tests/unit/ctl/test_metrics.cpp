#include "ctl/exposition.hpp"
#include "ctl/http_request.hpp"
#include "ctl/listener.hpp"
#include "ctl/metrics.hpp"
#include "ctl/readiness.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast::ctl;

namespace {

constexpr std::string_view kNow = "2026-11-21T02:00:00.000Z";
constexpr std::string_view kWatchdog = R"({"process":"watchdog","version":"0.1.0","generation":2,
  "started_at":"2026-11-21T00:00:00.000Z",
  "loop":{"longest_turn_ms":12.5,"busiest_turn_ms":0.25,"turns":42},
  "last_reload":{"at":"2026-11-21T01:59:30.000Z","ok":false},
  "children":[{"role":"vrrp","state":"running","restarts":3,"heartbeat_ms":120,"late":false},
              {"role":"checkers","state":"running","restarts":0,"heartbeat_ms":80}]})";
constexpr std::string_view kVrrp = R"({"process":"vrrp","generation":2,
  "strays":{"eth0":{"unknown_vrid":7}},
  "sync_groups":[{"name":"G","state":"MASTER"}],
  "instances":[{"name":"VI_1","interface":"eth0","vrid":51,"family":"ipv4","state":"MASTER",
   "since_ms":1500,"priority":100,"effective_priority":120,"advert_interval_ms":1000,
   "advertises":["192.0.2.1"],"master":{"heard_ms":0},
   "addresses":[{"address":"192.0.2.1/24","held":true},{"address":"192.0.2.9/24","held":false}],
   "trackers":[{"kind":"script","name":"chk","good":true,"adds":20,"number":null}],
   "faults":[],"troubles":["x"],"rival":{"address":"192.0.2.3"},
   "counters":{"adverts_sent":10,"adverts_received":2,"became_master":1,"released_master":0,
    "priority_zero_sent":0,"priority_zero_received":1,
    "errors":{"bad_ttl":4,"truncated":1,"bad_length":2,"bad_checksum":0}}}]})";
constexpr std::string_view kCheckers = R"({"process":"checkers","generation":2,
  "ipvs":{"available":true,"differs":null,"drift":3},"probes_waiting":0,
  "counters":{"probes_started":9,"probes_failed":1},
  "services":[{"protocol":"TCP","address":"192.0.2.1","port":80,"quorum":1,"quorum_up":true,
   "up_weight":3,"suspended":false,"traffic":{"connections":5,"bytes_in":700},
   "servers":[{"address":"10.0.0.1","port":80,"weight":3,"configured_weight":3,"in_table":true,
     "state":"up","active_connections":4,
     "checks":[{"type":"TCP_CHECK","target":"10.0.0.1:80","result":"up","took_ms":3.5,
                "failures_in_row":0},
               {"type":"HTTP_GET","target":"10.0.0.1:80","result":"pending","took_ms":null,
                "failures_in_row":0}]},
    {"address":"10.0.0.1","port":80,"weight":3,"state":"up","checks":[]}]},
   {"protocol":"FWM","mark":7,"family":"ipv6","quorum_up":false,"servers":[]}]})";

Reply answered(std::string process, std::string_view json) {
  return {std::move(process), boost::json::parse(json).as_object(), ""};
}
Replies everybody() {
  return {answered("watchdog", kWatchdog), answered("vrrp", kVrrp),
          answered("checkers", kCheckers)};
}

/// The lines of samples that begin with this.
std::string samples(const std::string& page, std::string_view name) {
  std::string found;
  std::size_t at = 0;
  while (at < page.size()) {
    const std::size_t end = page.find('\n', at);
    const std::string line = page.substr(at, end + 1 - at);
    if (line.starts_with(name)) found += line;
    at = end + 1;
  }
  return found;
}

std::string page() {
  return render_metrics(everybody(), Dialect::openmetrics, kNow);
}

}  // namespace

TEST_CASE("metrics: dashboards of keepalived find their names, labels and numbers") {
  const std::string text = page();

  CHECK(samples(text, "keepalived_up") == "keepalived_up 1\n");
  CHECK(samples(text, "keepalived_vrrp_state{") ==
        "keepalived_vrrp_state{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",ip_address=\"192.0.2.1\"} "
        "2\n");
  CHECK(samples(text, "keepalived_vrrp_excluded_state{") ==
        "keepalived_vrrp_excluded_state{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",ip_address="
        "\"192.0.2.9\"} 2\n");
  CHECK(samples(text, "keepalived_advertisements_sent_total") ==
        "keepalived_advertisements_sent_total{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\"} 10\n");
  CHECK(samples(text, "keepalived_packet_length_errors_total") ==
        "keepalived_packet_length_errors_total{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\"} 3\n");
  CHECK(samples(text, "keepalived_vrrp_ip_ttl_err") ==
        "keepalived_vrrp_ip_ttl_err{name=\"VI_1\",intf=\"eth0\",vrid=\"51\",state=\"2\"} 4\n");
  CHECK(samples(text, "keepalived_script_status") == "keepalived_script_status{name=\"chk\"} 1\n");
}

TEST_CASE("metrics: our own names say what the status says") {
  const std::string text = page();

  CHECK(samples(text, "holdfast_vrrp_state{").find("state=\"MASTER\"} 1\n") != std::string::npos);
  CHECK(samples(text, "holdfast_vrrp_state{").find("state=\"FAULT\"} 0\n") != std::string::npos);
  const std::string vi = "{iname=\"VI_1\",interface=\"eth0\",vrid=\"51\",family=\"ipv4\"} ";
  CHECK(samples(text, "holdfast_vrrp_effective_priority") ==
        "holdfast_vrrp_effective_priority" + vi + "120\n");
  CHECK(samples(text, "holdfast_vrrp_state_age_seconds") ==
        "holdfast_vrrp_state_age_seconds" + vi + "1.5\n");
  CHECK(samples(text, "holdfast_vrrp_addresses_held") ==
        "holdfast_vrrp_addresses_held" + vi + "1\n");
  CHECK(samples(text, "holdfast_vrrp_rival") == "holdfast_vrrp_rival" + vi + "1\n");
  CHECK(samples(text, "holdfast_vrrp_strays_total") ==
        "holdfast_vrrp_strays_total{interface=\"eth0\",reason=\"unknown_vrid\"} 7\n");
  CHECK(samples(text, "holdfast_vrrp_group_state{") ==
        "holdfast_vrrp_group_state{group=\"G\"} 2\n");
  CHECK(samples(text, "holdfast_config_last_reload_successful ") ==
        "holdfast_config_last_reload_successful 0\n");
  CHECK(samples(text, "holdfast_process_restarts_total{process=\"vrrp\"} ") ==
        "holdfast_process_restarts_total{process=\"vrrp\"} 3\n");
  CHECK(samples(text, "holdfast_uptime_seconds ") == "holdfast_uptime_seconds 7200\n");
  CHECK(samples(text, "holdfast_service_quorum_up") ==
        "holdfast_service_quorum_up{service=\"TCP 192.0.2.1:80\"} 1\n"
        "holdfast_service_quorum_up{service=\"FWM 7 IPv6\"} 0\n");
  CHECK(samples(text, "holdfast_ipvs_incoming_bytes_total") ==
        "holdfast_ipvs_incoming_bytes_total{service=\"TCP 192.0.2.1:80\"} 700\n");
  CHECK(samples(text, "holdfast_check_duration_seconds") ==
        "holdfast_check_duration_seconds{service=\"TCP 192.0.2.1:80\",server=\"10.0.0.1:80\",type="
        "\"TCP_CHECK\",target=\"10.0.0.1:80\",place=\"1\"} 0.0035\n");
}

TEST_CASE("metrics: what is not known is left out, and a server that stands twice is told once") {
  const std::string text = page();

  CHECK(samples(text, "holdfast_check_up{").find("HTTP_GET") == std::string::npos);
  CHECK(samples(text, "holdfast_vrrp_errors_total").find("bad_checksum") == std::string::npos);
  CHECK(samples(text, "holdfast_vrrp_tracker_number") == "");
  CHECK(samples(text, "holdfast_vrrp_master_heard_age_seconds") == "");
  CHECK(samples(text, "holdfast_server_weight{") ==
        "holdfast_server_weight{service=\"TCP 192.0.2.1:80\",server=\"10.0.0.1:80\"} 3\n");
  CHECK(text.find("# TYPE holdfast_vrrp_tracker_number") == std::string::npos);
}

TEST_CASE("metrics: a process that does not answer takes its numbers with it") {
  Replies replies = everybody();
  replies[1] = {"vrrp", std::nullopt, "no answer from /run/holdfast/vrrp.sock"};

  const std::string text = render_metrics(replies, Dialect::openmetrics, kNow);

  CHECK(samples(text, "keepalived_up") == "keepalived_up 0\n");
  CHECK(samples(text, "holdfast_up{process=\"vrrp\"}") == "holdfast_up{process=\"vrrp\"} 0\n");
  CHECK(samples(text, "keepalived_vrrp_state") == "");
  CHECK(samples(text, "holdfast_server_up") != "");
}

TEST_CASE("exposition: the two formats declare counters differently, and end differently") {
  const auto write = [](Dialect dialect) {
    Exposition to(dialect);
    to.family("a", Exposition::Type::counter, "Things.");
    to.sample("", 3);
    to.family("empty", Exposition::Type::gauge, "Nothing.");
    to.family("b", Exposition::Type::info, "Build.");
    to.sample(labels({{"v", "1"}}), 1);
    return std::move(to).finished();
  };

  CHECK(write(Dialect::openmetrics) ==
        "# HELP a Things.\n# TYPE a counter\na_total 3\n"
        "# HELP b Build.\n# TYPE b info\nb_info{v=\"1\"} 1\n# EOF\n");
  CHECK(write(Dialect::prometheus) ==
        "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\n"
        "# HELP b_info Build.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n");
}

TEST_CASE("exposition: any name is a label, also one that is not UTF-8") {
  CHECK(labels({{"n", "a\"b\\c\nd"}}) == "n=\"a\\\"b\\\\c\\nd\"");
  CHECK(labels({{"n", "größe"}}) == "n=\"größe\"");
  CHECK(labels({{"n",
                 "\xff"
                 "a\xc3"}}) == "n=\"�a�\"");
}

TEST_CASE("readiness: a director that works and serves is healthy and ready") {
  CHECK(boost::json::serialize(health(everybody())) == R"({"ok":true,"problems":[]})");
  CHECK(boost::json::serialize(readiness(everybody())) == R"({"ok":true,"problems":[]})");
}

TEST_CASE(
    "readiness: FAULT, another configuration and a missing table are not ready, yet healthy") {
  Replies replies = everybody();
  auto& instance = replies[1].status->at("instances").as_array()[0].as_object();
  instance["state"] = "FAULT";
  instance["why"] = "eth0 is down";
  replies[2].status->at("generation") = 1;
  replies[2].status->at("ipvs").as_object()["available"] = false;
  replies[2].status->at("ipvs").as_object()["error"] = "no ip_vs";

  CHECK(health(replies).at("ok") == true);
  CHECK(boost::json::serialize(readiness(replies)) ==
        R"({"ok":false,"problems":["checkers: runs configuration 1, not 2",)"
        R"("VI_1 is FAULT: eth0 is down","IPVS is not available: no ip_vs"]})");
}

TEST_CASE("readiness: a child that is late, silent or gone is not healthy; one never started is") {
  Replies replies = everybody();
  auto& children = replies[0].status->at("children").as_array();
  children[0].as_object()["late"] = true;
  children[0].as_object()["heartbeat_ms"] = 4200;
  replies[2] = {"checkers", std::nullopt, "no answer"};
  CHECK(boost::json::serialize(health(replies)) ==
        R"({"ok":false,"problems":["vrrp: no sign of life for 4.2 s","checkers: no answer"]})");

  children.erase(children.begin() + 1);
  children[0].as_object()["late"] = false;
  CHECK(health(replies).at("ok") == true);

  replies[0] = {"watchdog", std::nullopt, "not running"};
  CHECK(boost::json::serialize(health(replies)) ==
        R"({"ok":false,"problems":["watchdog: not running"]})");
}

TEST_CASE("http: a request counts when its head is whole, in whatever pieces it comes") {
  const std::string whole =
      "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    HttpHead head;
    CHECK_FALSE(head.read(std::string_view(whole).substr(0, size)));
  }
  HttpHead head;
  REQUIRE(head.read(whole));
  REQUIRE(head.request());
  CHECK(head.request()->path == "/metrics");
  CHECK_FALSE(head.request()->is_head);
  CHECK(dialect_for(head.request()->accept) == Dialect::openmetrics);
}

TEST_CASE("http: what is no request, too long or wants to change something is refused") {
  const auto status_of = [](const std::string& bytes) {
    HttpHead head;
    REQUIRE(head.read(bytes));
    REQUIRE_FALSE(head.request());
    return head.refusal().status;
  };
  CHECK(status_of("\x16\x03\x01 hello\r\n\r\n") == 400);
  CHECK(status_of("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc") == 405);
  CHECK(status_of("GET / HTTP/1.1\r\nA: " + std::string(kMaxHeadBytes, 'x')) == 431);
}

TEST_CASE("listener: addresses and paths, and nothing that would ask a name server") {
  CHECK(parse_listen_address("127.0.0.1:9650").value() ==
        ListenAddress(TcpAddress{"127.0.0.1", 9650}));
  CHECK(parse_listen_address("[::1]:9650").value() == ListenAddress(TcpAddress{"::1", 9650}));
  CHECK(parse_listen_address("/run/m.sock").value() == ListenAddress(SocketPath{"/run/m.sock"}));
  for (const char* wrong : {"", "9650", "localhost:9650", "127.0.0.1:", "127.0.0.1:0", "::1:9650",
                            "127.0.0.1:70000", "[127.0.0.1]:80", "127.0.0.1:80x"})
    CHECK_FALSE(parse_listen_address(wrong).has_value());
}
