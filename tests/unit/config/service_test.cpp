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
  const VirtualServer one = only(
      service("lb_algo wrr\nlb_kind DR\npersistence_timeout 50\npersistence_granularity "
              "255.255.255.0\nquorum 1\n"
              "quorum_up \"/bin/up now\"\nquorum_down /bin/down\nalpha\nomega\nvirtualhost www\n"
              "sorry_server 192.168.1.99\nsorry_server_inhibit\ninhibit_on_failure\n",
              "weight 3\nnotify_up /bin/a\n"
              "notify_down /bin/b\nuthreshold 9\nlthreshold 8\nTCP_CHECK {\n}"));

  CHECK(one.scheduler == "wrr");
  CHECK(one.forwarding == ForwardingMethod::direct_route);
  CHECK(one.persistence_timeout == 50s);
  CHECK(one.persistence_prefix == 24);
  CHECK(one.quorum_up->argv == std::vector<std::string>{"/bin/up", "now"});
  CHECK(one.quorum_down->argv == std::vector<std::string>{"/bin/down"});
  CHECK((one.alpha && one.omega));
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
  expected.binding.ensure().bindto = core::IpAddress::v4({10, 0, 0, 2});
  expected.binding->bind_port = 82;
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

namespace {

// A service of one form with two servers and `extra`.
std::string formed(std::string_view header, std::string_view extra,
                   std::string_view servers = "real_server 10.1.0.1 80 {\nTCP_CHECK {\n}\n}") {
  return fmt::format("virtual_server {} {{\n{}\n{}\n}}\n", header, extra, servers);
}

}  // namespace

TEST_CASE("virtual_server fwmark: no protocol, the family of its servers, their ports as written") {
  const VirtualServer one = only(formed("fwmark 7", "lb_kind DR"));
  CHECK(one.fwmark == 7);
  CHECK(one.address.is_v4());
  CHECK(one.real_servers[0].port == 80);
  CHECK(tcp_of(one).connect_port == 80);

  const VirtualServer six =
      only(formed("fwmark 8", "protocol TCP", "real_server 2001:db8::1 80 {\nTCP_CHECK {\n}\n}"),
           "1:16 note: 'protocol' has no effect here: a firewall mark is of every protocol");
  CHECK_FALSE(six.address.is_v4());
  CHECK(six.persistence_prefix == 128);

  // All servers behind tunnels: ip_family decides.
  const std::string tunnelled = "real_server 10.1.0.1 80 {\nTCP_CHECK {\n}\n}";
  CHECK(only(formed("fwmark 9", "lb_kind TUN", tunnelled)).address.is_v4());
  const VirtualServer chosen = only(formed("fwmark 9", "lb_kind TUN\nip_family inet6", tunnelled));
  CHECK_FALSE(chosen.address.is_v4());

  // One mark is two services, told apart wherever they are named.
  CHECK(name_of(one) == "fwmark 7");
  CHECK(name_of(chosen) == "fwmark 9 IPv6");
}

TEST_CASE("virtual_server: an IPv6 service, and servers of the other family only by TUN") {
  const VirtualServer six = only(formed("2001:db8::80 80",
                                        "protocol TCP\npersistence_timeout 50\n"
                                        "persistence_granularity 64",
                                        "real_server 2001:db8::1 80 {\nTCP_CHECK {\n}\n}"));
  CHECK(six.persistence_prefix == 64);
  CHECK(six.real_servers.size() == 1);

  const std::string both =
      "real_server 10.1.0.1 80 {\nlvs_method TUN\nTCP_CHECK {\n}\n}\n"
      "real_server 10.1.0.2 80 {\nTCP_CHECK {\n}\n}";
  const VirtualServer mixed = only(
      formed("2001:db8::80 80", "protocol TCP", both),
      "8:1 warning: real_server 10.1.0.2:80 is left out: from IPv6 to IPv4 only a tunnel leads");
  REQUIRE(mixed.real_servers.size() == 1);
  CHECK(mixed.real_servers[0].forwarding == ForwardingMethod::tunnel);
}

TEST_CASE("virtual_server: flags of sh and mh, of any scheduler, and of the wrong one") {
  CHECK(only(service("lb_algo sh\nsh-port")).scheduler_flags == kSchedulerFlag2);
  CHECK(only(service("mh-fallback\nmh-port\nlb_algo mh")).scheduler_flags ==
        (kSchedulerFlag1 | kSchedulerFlag2));
  CHECK(only(service("flag-1\nflag-3"),
             "1:1 warning: scheduler flags mean nothing to 'wlc' of virtual_server TCP "
             "192.168.1.200:80")
            .scheduler_flags == (kSchedulerFlag1 | kSchedulerFlag3));
  CHECK(only(service("lb_algo wrr\nsh-port"),
             "4:1 warning: 'sh-port' is ignored: the scheduler is wrr, not sh")
            .scheduler_flags == 0);
}

TEST_CASE("virtual_server: an unknown scheduler leaves wlc, a weight too large stays") {
  CHECK(only(service("lb_algo loadbalance"),
             "3:9 warning: 'loadbalance' is not a scheduler of the Linux kernel: wlc is used, as "
             "keepalived does")
            .scheduler == "wlc");
  CHECK(only(service("", "weight 70000\nTCP_CHECK {\n}"),
             "5:8 warning: weights above 65535 can overflow in the kernel's schedulers")
            .real_servers[0]
            .weight == 70000);
}

TEST_CASE("lvs_method TUN: type, port and checksum, handed down to the servers") {
  const VirtualServer one = only(service("lb_kind TUN type gue port 6080 csum"));
  const Tunnel expected{Tunnel::Type::gue, 6080, Tunnel::Checksum::csum};
  REQUIRE(one.tunnel);
  CHECK(*one.tunnel == expected);
  REQUIRE(one.real_servers[0].tunnel);
  CHECK(*one.real_servers[0].tunnel == expected);

  CHECK_FALSE(only(service("lb_kind TUN type ipip nocsum")).tunnel);
  CHECK_FALSE(only(service("lb_kind TUN type ipip port 6080"),
                   "3:23 warning: only a gue tunnel has a port: it is ignored")
                  .tunnel);
  CHECK(only(service("lb_kind TUN type gre remcsum"),
             "3:22 warning: a gre tunnel has no 'remcsum': it is ignored")
            .tunnel->checksum == Tunnel::Checksum::none);
  CHECK(findings(load(service("lb_kind TUN type gue")).diagnostics) ==
        "3:9 error: a gue tunnel needs a port");
  CHECK_FALSE(
      only(service("lb_kind DR type gre"), "3:12 warning: 'type' is ignored: only TUN has options")
          .tunnel);
}

TEST_CASE("virtual_server_group: addresses, ranges, networks and marks") {
  const Loaded loaded = load(
      "virtual_server_group G {\n10.0.0.1 80\n10.0.0.5-9 81\n10.0.1.250-10.0.2.4\n"
      "10.0.3.9/29 82\n2001:db8::1-ff 83\nfwmark 5\nfwmark 6 inet6\n}\n" +
      service(""));
  CHECK(findings(loaded.diagnostics) == "1:1 note: virtual_server_group 'G' is used by nobody");
  REQUIRE(loaded.model.service_groups.size() == 1);
  std::string text;
  for (const GroupEntry& entry : loaded.model.service_groups[0].entries) {
    text += entry.fwmark != 0
                ? fmt::format("mark {}{}\n", entry.fwmark, entry.family ? " with family" : "")
                : fmt::format("{} {} {}\n", entry.first.to_string(), entry.last.to_string(),
                              entry.port);
  }
  CHECK(text ==
        "10.0.0.1 10.0.0.1 80\n10.0.0.5 10.0.0.9 81\n10.0.1.250 10.0.2.4 0\n"
        "10.0.3.8 10.0.3.15 82\n2001:db8::1 2001:db8::ff 83\nmark 5\nmark 6 with family\n");
}

TEST_CASE("virtual_server_group: what is no entry is told, the others stay") {
  const auto complains = [](std::string_view entry, std::string_view expected) {
    const Loaded loaded =
        load(fmt::format("virtual_server_group G {{\n10.0.0.1 80\n{}\n}}\n{}", entry, service("")));
    const std::string all = findings(loaded.diagnostics);
    CHECK_MESSAGE(all.find(expected) != std::string::npos, all);
    return loaded.model.service_groups.at(0).entries.size();
  };
  CHECK(complains("10.0.0.9-5 80", "the range '10.0.0.9-5' ends before it begins") == 1);
  CHECK(complains("10.0.0.1 http", "the port must be a number from 1 to 65535, not 'http'") == 1);
  CHECK(complains("fwmark 0", "'fwmark' must be a number from 1 to 4294967295, not '0'") == 1);
  CHECK(complains("somewhere", "must be an address, a range of addresses or 'fwmark'") == 1);
  CHECK(complains("10.0.0.2 80 90",
                  "3:13 warning: '90' is ignored: nothing more may follow the port") == 2);
}

TEST_CASE("virtual_server: mail words follow the global ones") {
  const std::string on = "global_defs {\nsmtp_alert_checker true\n}\n";
  const Model model = load(on + service("")).model;
  CHECK(model.services[0].smtp_alert);
  CHECK(model.services[0].real_servers[0].smtp_alert);
  CHECK_FALSE(load(service("")).model.services[0].real_servers[0].smtp_alert);
  CHECK_FALSE(load(on + service("smtp_alert off")).model.services[0].smtp_alert);
}

TEST_CASE("real_server: thresholds the wrong way round are told, the kernel would refuse them") {
  const VirtualServer one =
      only(service("", "uthreshold 3\nlthreshold 9\nTCP_CHECK {\n}"),
           "4:1 warning: 'lthreshold' 9 is above 'uthreshold' 3: it is ignored");
  CHECK(one.real_servers[0].lower_threshold == 0);
}
