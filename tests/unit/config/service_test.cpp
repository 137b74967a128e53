#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

VirtualServer only(const std::string& text, std::string_view expected = "") {
  const Loaded loaded = load(text);
  CHECK(findings(loaded.diagnostics) == expected);
  REQUIRE(loaded.model.services.size() == 1);
  return loaded.model.services[0];
}

ConnectOptions tcp_of(const VirtualServer& service) {
  REQUIRE(service.real_servers.size() == 1);
  REQUIRE(service.real_servers[0].checks.size() == 1);
  const auto* check = std::get_if<TcpCheck>(&service.real_servers[0].checks[0]);
  REQUIRE(check != nullptr);
  return check->connect;
}

}  // namespace

TEST_CASE("virtual_server: defaults are keepalived's") {
  const VirtualServer one = only(service(""));

  CHECK(one.scheduler == "wlc");
  CHECK(one.forwarding == ForwardingMethod::nat);
  CHECK(one.persistence_timeout == 0s);
  CHECK(one.quorum == 1);
  REQUIRE(one.real_servers.size() == 1);
  CHECK(one.real_servers[0].weight == 1);
  ConnectOptions expected;
  expected.connect_ip = core::IpAddress::v4({192, 168, 1, 67});
  expected.connect_port = 80;
  CHECK(tcp_of(one) == expected);
  CHECK(expected.delay_loop == 60s);
  CHECK(expected.retry == 1);
  CHECK(expected.delay_before_retry == 1s);
  CHECK(expected.connect_timeout == 5s);
  CHECK(expected.warmup == 60s);
}

TEST_CASE("virtual_server: every word of it reaches the model") {
  const VirtualServer one = only(service(
      "lb_algo wrr\nlb_kind DR\npersistence_timeout 50\npersistence_granularity "
      "255.255.255.0\nquorum 1\n"
      "quorum_up \"/bin/up now\"\nquorum_down /bin/down\nalpha\nomega\nops\nvirtualhost www\n"
      "sorry_server 192.168.1.99\nsorry_server_inhibit\ninhibit_on_failure\n",
      "weight 3\nnotify_up /bin/a\n"
      "notify_down /bin/b\nuthreshold 9\nlthreshold 8\nTCP_CHECK {\n}"));

  CHECK(one.scheduler == "wrr");
  CHECK(one.forwarding == ForwardingMethod::direct_route);
  CHECK(one.persistence_timeout == 50s);
  CHECK(one.persistence_prefix == 24);
  CHECK(one.quorum_up->argv == std::vector<std::string>{"/bin/up", "now"});
  CHECK(one.quorum_down->argv == std::vector<std::string>{"/bin/down"});
  CHECK((one.alpha && one.omega && one.one_packet_scheduling));
  CHECK(one.virtualhost == "www");
  REQUIRE(one.sorry_server);
  CHECK(one.sorry_server->port == 80);
  CHECK(one.sorry_server->inhibit);
  CHECK(one.sorry_server->forwarding == ForwardingMethod::direct_route);
  const RealServer& server = one.real_servers[0];
  CHECK(server.weight == 3);
  CHECK(server.inhibit_on_failure);
  CHECK(server.alpha);
  CHECK(server.forwarding == ForwardingMethod::direct_route);
  CHECK(server.notify_up->argv == std::vector<std::string>{"/bin/a"});
  CHECK(server.notify_down->argv == std::vector<std::string>{"/bin/b"});
  CHECK(server.upper_threshold == 9);
  CHECK(server.lower_threshold == 8);
}

TEST_CASE("checkers: service, server and checker hand down their values, whatever the order") {
  const ConnectOptions from_service =
      tcp_of(only(service("delay_loop 6\nretry 4\ndelay_before_retry 2\nconnect_timeout 3\n")));
  CHECK(from_service.delay_loop == 6s);
  CHECK(from_service.warmup == 6s);
  CHECK(from_service.retry == 4);
  CHECK(from_service.delay_before_retry == 2s);
  CHECK(from_service.connect_timeout == 3s);

  const ConnectOptions mixed = tcp_of(only(service(
      "delay_loop 6\nretry 4\nwarmup 1\n", "TCP_CHECK {\nretry 7\n}\nretry 5\ndelay_loop 8\n")));
  CHECK(mixed.delay_loop == 8s);
  CHECK(mixed.retry == 7);
  CHECK(mixed.warmup == 1s);

  const std::string late =
      "virtual_server 192.168.1.200 80 {\nreal_server 192.168.1.67 80 {\nTCP_CHECK {\n}\n}\n"
      "delay_loop 6\nprotocol TCP\n}\n";
  CHECK(tcp_of(only(late)).delay_loop == 6s);
}

TEST_CASE("TCP_CHECK: every word of it reaches the model") {
  const ConnectOptions one =
      tcp_of(only(service("",
                          "TCP_CHECK {\nconnect_ip 10.0.0.1\nconnect_port 81\nbindto "
                          "10.0.0.2\nbind_port 82\nconnect_timeout 3\n"
                          "retry 3\ndelay_before_retry 3\ndelay_loop 2.5\nwarmup 0\nalpha\n}")));

  ConnectOptions expected;
  expected.connect_ip = core::IpAddress::v4({10, 0, 0, 1});
  expected.connect_port = 81;
  expected.bindto = core::IpAddress::v4({10, 0, 0, 2});
  expected.bind_port = 82;
  expected.connect_timeout = 3s;
  expected.retry = 3;
  expected.delay_before_retry = 3s;
  expected.delay_loop = 2500ms;
  expected.warmup = 0s;
  expected.alpha = true;
  CHECK(one == expected);
}

TEST_CASE("HTTP_GET: urls, codes, digest, hosts and its own default delay") {
  const VirtualServer one =
      only(service("virtualhost service.example\n",
                   "HTTP_GET {\nhttp_protocol 1.1\nurl {\npath /a\nstatus_code 200 301-302\n"
                   "digest 0123456789ABCDEF0123456789abcdef\nvirtualhost url.example\n}\nurl { "
                   "path /b }\nconnect_timeout 3\n}"));

  const auto& check = std::get<HttpCheck>(one.real_servers[0].checks.at(0));
  CHECK(check.http_protocol == HttpProtocol::http_1_1);
  CHECK(check.connect.delay_before_retry == 3s);
  CHECK(check.connect.connect_timeout == 3s);
  CHECK_FALSE(check.tls);
  REQUIRE(check.urls.size() == 2);
  CHECK(check.urls[0].path == "/a");
  CHECK(check.urls[0].status_codes == std::vector<StatusRange>{{200, 200}, {301, 302}});
  CHECK(check.urls[0].digest == "0123456789abcdef0123456789abcdef");
  CHECK(check.urls[0].virtualhost == "url.example");
  CHECK(check.urls[1].status_codes == std::vector<StatusRange>{{200, 299}});
  CHECK(check.urls[1].virtualhost == "service.example");
}

TEST_CASE("virtual_server: with DR and TUN the service's port is used, and the checker follows") {
  for (const char* kind : {"DR", "TUN"}) {
    const std::string text = fmt::format(
        "virtual_server 192.168.1.200 80 {{\nprotocol TCP\nlb_kind {}\n"
        "real_server 192.168.1.67 8080 {{\nTCP_CHECK {{\n}}\n}}\n}}\n",
        kind);
    const VirtualServer one = only(
        text,
        fmt::format("4:26 warning: with {} the packets keep their port: 80 is used instead of 8080",
                    kind));
    CHECK(one.real_servers[0].port == 80);
    CHECK(tcp_of(one).connect_port == 80);
  }
}

TEST_CASE("virtual_server: historic idioms") {
  CHECK(only(service("persistence_timeout 0")).persistence_timeout == 0s);
  CHECK(only(service("persistence_timeout")).persistence_timeout == 360s);
  CHECK(only(service("protocol tcp"),
             "3:1 warning: 'protocol' is given more than once in this block; the last one counts")
            .protocol == Protocol::tcp);
  CHECK(only("virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n}\n",
             "1:16 warning: this service has no 'protocol': UDP is taken, as keepalived does")
            .protocol == Protocol::udp);
  CHECK(tcp_of(only(service("", "TCP_CHECK {\nnb_get_retry 3\n}"),
                    "6:1 warning: 'nb_get_retry' is an old name: write 'retry'"))
            .retry == 3);
}

TEST_CASE("virtual_server: forms that are not done yet are warnings, the service is not set up") {
  const auto check = [](const char* header, const char* expected) {
    const Loaded loaded = load(fmt::format("virtual_server {} {{\nprotocol TCP\n}}\n", header));
    CHECK(findings(loaded.diagnostics) == expected);
    CHECK(loaded.model.services.empty());
  };
  check("fwmark 1",
        "1:16 warning: Holdfast does not do services by firewall mark yet: this service is not set "
        "up");
  check("group G",
        "1:16 warning: Holdfast does not do services by virtual_server_group yet: this service is "
        "not set up");
  check("2001:db8::1 80",
        "1:16 warning: Holdfast does not do IPv6 yet: this service is not set up");
}
