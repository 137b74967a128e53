// What the checkers make of a configuration: every kind of service, as the kernel is to have it.
#include "checkers/core/identity.hpp"
#include "checkers/wiring.hpp"
#include "config/load.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

Settings settings_of(const std::string& text) {
  const config::Loaded loaded = config::load_text(text, "test.conf");
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return wiring_of(loaded.model);
}

ServiceSettings service(std::string_view header, std::string_view words,
                        std::string_view servers = "real_server 10.8.0.1 80 {\n}") {
  Settings settings =
      settings_of(fmt::format("virtual_server {} {{\n{}\n{}\n}}\n", header, words, servers));
  REQUIRE(settings.services.size() == 1);
  return std::move(settings.services[0]);
}

std::string key_of(std::string_view header, std::string_view words, std::string_view servers) {
  return name_of(service(header, words, servers));
}

using Keys = std::vector<ipvs::ServiceKey>;

std::string names_of(const ServiceSettings& service) {
  std::string text = name_of(service) + ":";
  for (const ipvs::ServiceKey& key : service.keys) text += " " + ipvs::to_string(key);
  return text;
}

constexpr std::string_view kV6Server = "real_server fd00:8::1 80 {\n}";

}  // namespace

TEST_CASE("settings: protocol and address, or mark and family, are the key") {
  CHECK(key_of("10.9.0.1 80", "protocol TCP", "") == "TCP 10.9.0.1:80");
  CHECK(key_of("fd00:9::1 53", "protocol UDP", "") == "UDP [fd00:9::1]:53");
  CHECK(key_of("fd00:9::1 36412", "protocol SCTP", "") == "SCTP [fd00:9::1]:36412");
  CHECK(key_of("fwmark 7", "", "real_server 10.8.0.1 80 {\n}") == "FWM 7");
  CHECK(key_of("fwmark 7", "", kV6Server) == "FWM 7 IPv6");
  CHECK(key_of("fwmark 4294967295", "ip_family inet6", "") == "FWM 4294967295 IPv6");
}

TEST_CASE("settings: a mark of both families is two services") {
  const Settings settings = settings_of(
      "virtual_server fwmark 7 {\nreal_server 10.8.0.1 80 {\n}\n}\n"
      "virtual_server fwmark 7 {\nreal_server fd00:8::1 80 {\n}\n}\n");

  REQUIRE(settings.services.size() == 2);
  CHECK(settings.services[0].keys == Keys{ipvs::MarkKey{7, core::Family::v4}});
  CHECK(settings.services[1].keys == Keys{ipvs::MarkKey{7, core::Family::v6}});
}

TEST_CASE("settings: a group is one service of all its addresses and marks") {
  const Settings settings = settings_of(
      "virtual_server_group web {\n10.9.0.1 80\n10.9.0.254-10.9.1.1 443\nfd00:9::1-2 80\n"
      "10.9.3.9/31\nfwmark 7\nfwmark 8 inet6\n}\n"
      "virtual_server group web {\nprotocol TCP\nreal_server 10.8.0.1 80 {\n}\n}\n"
      "virtual_server group web {\nprotocol UDP\nreal_server 10.8.0.1 80 {\n}\n}\n");

  REQUIRE(settings.services.size() == 2);
  CHECK(names_of(settings.services[0]) ==
        "TCP group web: TCP 10.9.0.1:80 TCP 10.9.0.254:443 TCP 10.9.0.255:443 TCP 10.9.1.0:443 "
        "TCP 10.9.1.1:443 TCP [fd00:9::1]:80 TCP [fd00:9::2]:80 TCP 10.9.3.8:0 TCP 10.9.3.9:0 "
        "FWM 7 FWM 8 IPv6");
  // The marks are of every protocol: the first of the two has them.
  CHECK(names_of(settings.services[1]) ==
        "UDP group web: UDP 10.9.0.1:80 UDP 10.9.0.254:443 UDP 10.9.0.255:443 UDP 10.9.1.0:443 "
        "UDP 10.9.1.1:443 UDP [fd00:9::1]:80 UDP [fd00:9::2]:80 UDP 10.9.3.8:0 UDP 10.9.3.9:0");
  CHECK(settings.services[0].settings.persistence->timeout == std::chrono::seconds(360));
}

TEST_CASE("settings: what two services want is the first one's, and who has nothing left is none") {
  const Settings settings = settings_of(
      "virtual_server 10.9.0.2 80 {\nprotocol TCP\n}\n"
      "virtual_server_group a {\n10.9.0.1-3 80\n}\nvirtual_server_group b {\n10.9.0.3 80\n}\n"
      "virtual_server group a {\nprotocol TCP\n}\nvirtual_server group b {\nprotocol TCP\n}\n");

  REQUIRE(settings.services.size() == 2);
  CHECK(names_of(settings.services[1]) == "TCP group a: TCP 10.9.0.1:80 TCP 10.9.0.3:80");
}

TEST_CASE("settings: the sync daemon follows the addresses of its instance, in old words too") {
  const auto sync = [&](std::string_view words, std::string_view of_instance) {
    return settings_of(fmt::format("global_defs {{\n{}\n}}\nvrrp_instance VI_1 {{\ninterface eth0\n"
                                   "virtual_router_id 51\n{}\nvirtual_ipaddress {{\n10.9.0.1/24\n"
                                   "10.9.0.2/24 dev eth1\n}}\n}}\n",
                                   words, of_instance))
        .sync;
  };
  const std::vector<Place> places{{core::IpAddress::v4({10, 9, 0, 1}), "eth0"},
                                  {core::IpAddress::v4({10, 9, 0, 2}), "eth1"}};
  CHECK(*sync("lvs_sync_daemon eth2 VI_1", "") ==
        SyncSettings{{.interface = "eth2", .id = 51}, "VI_1", places});
  CHECK(*sync("lvs_sync_daemon eth2 inst VI_1 id 7 maxlen 999 port 9 ttl 3 group 239.1.1.7", "") ==
        SyncSettings{{.interface = "eth2",
                      .id = 7,
                      .max_length = 999,
                      .port = 9,
                      .ttl = 3,
                      .group = core::IpAddress::v4({239, 1, 1, 7})},
                     "VI_1",
                     places});
  CHECK(*sync("lvs_sync_daemon eth2", "") == SyncSettings{{.interface = "eth2"}, "", {}});
  CHECK(*sync("", "lvs_sync_daemon_interface eth2") ==
        SyncSettings{{.interface = "eth2"}, "VI_1", places});
  CHECK_FALSE(sync("", ""));
  CHECK(sync("lvs_sync_daemon eth2 VI_1", "use_vmac")->follows[0].interface.empty());
}

TEST_CASE("settings: each flag word is the bit that the kernel reads") {
  struct Row {
    std::string_view words;
    std::uint32_t flags;
  };
  for (const Row& row : std::vector<Row>{{"lb_algo sh\nsh-fallback", 0x08},
                                         {"lb_algo sh\nsh-port", 0x10},
                                         {"lb_algo mh\nmh-fallback", 0x08},
                                         {"lb_algo mh\nmh-port\nmh-fallback", 0x18},
                                         {"lb_algo sh\nmh-port", 0},
                                         {"lb_algo sh\nflag-1", 0x08},
                                         {"lb_algo sh\nflag-2", 0x10},
                                         {"lb_algo sh\nflag-3", 0x20},
                                         {"lb_algo rr\nops", 0x04}}) {
    CAPTURE(row.words);
    CHECK(service("10.9.0.1 53", fmt::format("protocol UDP\n{}", row.words)).settings.flags ==
          row.flags);
  }
}

TEST_CASE("settings: persistence has the netmask of its family, and an engine") {
  const ServiceSettings four = service(
      "10.9.0.1 5060",
      "protocol UDP\npersistence_timeout 300\npersistence_granularity 24\npersistence_engine sip");
  CHECK(four.settings.persistence == ipvs::Persistence{std::chrono::seconds(300), 0xffffff00});
  CHECK(four.settings.persistence_engine == "sip");

  const ServiceSettings six = service(
      "fwmark 7", "ip_family inet6\npersistence_timeout 60\npersistence_granularity 64", kV6Server);
  CHECK(six.settings.persistence == ipvs::Persistence{std::chrono::seconds(60), 64});
  CHECK(six.settings.persistence_engine.empty());

  const ServiceSettings all_ports = service("10.9.0.1", "protocol TCP");
  CHECK(all_ports.settings.persistence == ipvs::Persistence{std::chrono::seconds(360), 0xffffffff});
}

TEST_CASE("settings: every tunnel, of servers and of the sorry server") {
  using ipvs::Tunnel;
  using ipvs::TunnelChecksum;
  using ipvs::TunnelType;
  struct Row {
    std::string_view words;
    Tunnel tunnel;
  };
  for (const Row& row :
       std::vector<Row>{{"TUN", {TunnelType::ipip, 0, TunnelChecksum::none}},
                        {"TUN type ipip", {TunnelType::ipip, 0, TunnelChecksum::none}},
                        {"TUN type gre", {TunnelType::gre, 0, TunnelChecksum::none}},
                        {"TUN type gre csum", {TunnelType::gre, 0, TunnelChecksum::checksum}},
                        {"TUN type gue port 6080", {TunnelType::gue, 6080, TunnelChecksum::none}},
                        {"TUN type gue port 6080 remcsum",
                         {TunnelType::gue, 6080, TunnelChecksum::remote_offload}}}) {
    CAPTURE(row.words);
    const ServiceSettings one = service(
        "10.9.0.1 80",
        fmt::format("protocol TCP\nsorry_server 10.8.0.9 80\n"
                    "sorry_server_lvs_method {}",
                    row.words),
        fmt::format("real_server 10.8.0.1 80 {{\nlvs_method {}\n}}\n"
                    "real_server 10.8.0.2 8080 {{\nweight 4\nuthreshold 9\nlthreshold 5\n}}",
                    row.words));
    CHECK(one.servers[0].entry ==
          ipvs::Server{.forwarding = ipvs::Forwarding::tunnel, .tunnel = row.tunnel});
    CHECK(one.servers[1].entry == ipvs::Server{.forwarding = ipvs::Forwarding::masquerade,
                                               .weight = 4,
                                               .upper_threshold = 9,
                                               .lower_threshold = 5});
    CHECK(one.sorry_server->entry == one.servers[0].entry);
  }
}

TEST_CASE("settings: SSL_GET sends the name that it knows, and an address is none") {
  const ServiceSettings one =
      service("192.0.2.1 443", "protocol TCP\nvirtualhost www.example:8443",
              "real_server 192.0.2.7 443 {\nSSL_GET {\nurl {\npath /a\n}\nurl {\npath /b\n"
              "virtualhost 192.0.2.7\ntls_compliant\n}\n}\n"
              "SSL_GET {\nsni_name other.example\ntls_compliant\nurl {\npath /\n}\n}\n"
              "HTTP_GET {\nurl {\npath /\n}\n}\n}");

  const auto& checks = one.servers[0].checks;
  REQUIRE(checks.size() == 3);
  const auto tls = [&](std::size_t check, std::size_t url) {
    return std::get<HttpProbe>(checks[check].probe.dialogue).urls.at(url).tls;
  };
  CHECK(tls(0, 0) == TlsSettings{.name = "www.example"});
  CHECK(tls(0, 1) == TlsSettings{.close = TlsClose::in_order});
  CHECK(tls(1, 0) == TlsSettings{.name = "other.example", .close = TlsClose::in_order});
  CHECK(!tls(2, 0));
}

TEST_CASE("settings: a certificate that cannot be used names its file, and is the same for all") {
  const std::string text =
      "SSL {\ncertificate /nowhere/c.pem\npassword Hush-Hush\n}\n"
      "virtual_server 192.0.2.1 443 {\nprotocol TCP\nreal_server 192.0.2.7 443 {\n"
      "SSL_GET {\nurl {\npath /\n}\nurl {\npath /b\n}\n}\n}\n}\n";
  const auto loaded = config::load_text(text, "a.conf");
  const auto& warnings = loaded.diagnostics;
  const Settings settings = wiring_of(loaded.model);
  const auto& urls =
      std::get<HttpProbe>(settings.services[0].servers[0].checks[0].probe.dialogue).urls;

  REQUIRE(urls[0].tls->shown);
  const std::string problem = (*urls[0].tls->shown)->problem;
  CHECK(problem == "'certificate' of SSL: cannot read /nowhere/c.pem: No such file or directory");
  CHECK(&**urls[0].tls->shown == &**urls[1].tls->shown);
  const auto said = std::ranges::find_if(warnings.all(), [&](const config::Diagnostic& one) {
    return one.message.find(problem) != std::string::npos;
  });
  REQUIRE(said != warnings.all().end());
  CHECK(said->line == 1);
}

TEST_CASE("settings: a long certificate file makes no probe's identity long") {
  const std::string path = "/tmp/holdfast-wiring-" + std::to_string(::getpid()) + ".pem";
  const std::string text =
      fmt::format("SSL {{\ncertificate {}\n}}\n", path) +
      "virtual_server 192.0.2.1 443 {\nprotocol TCP\nreal_server 192.0.2.7 443 {\n"
      "SSL_GET {\nurl {\npath /\n}\n}\n}\n}\n";
  const auto identity_with = [&](char letter) {
    std::ofstream(path) << std::string(100'000, letter);
    const Settings settings = wiring_of(config::load_text(text, "a.conf").model);
    return identity(settings.services[0].servers[0].checks[0].probe);
  };
  const std::string first = identity_with('a');
  CHECK(first.size() < 300);
  CHECK(first == identity_with('a'));
  CHECK(first != identity_with('b'));
  ::unlink(path.c_str());
}

TEST_CASE("settings: log_all_failures is the check's, else that of global_defs") {
  const auto loaded = config::load_text(
      "global_defs {\nchecker_log_all_failures\n}\nvirtual_server 192.0.2.1 80 {\nprotocol TCP\n"
      "real_server 192.0.2.7 80 {\nTCP_CHECK {\n}\nTCP_CHECK {\nlog_all_failures no\n"
      "connect_port 81\n}\n}\n}\n",
      "a.conf");
  const Settings settings = wiring_of(loaded.model);
  const auto& checks = settings.services[0].servers[0].checks;
  CHECK(checks[0].logs_all_failures);
  CHECK(!checks[1].logs_all_failures);
}

TEST_CASE("settings: a probe of an IPv6 server goes to its IPv6 address") {
  const ServiceSettings one =
      service("fd00:9::1 80", "protocol TCP",
              "real_server fd00:8::1 8080 {\nTCP_CHECK {\nbindto fd00:8::99\n}\n"
              "HTTP_GET {\nurl {\npath /health\n}\n}\n}");

  REQUIRE(one.servers[0].checks.size() == 2);
  for (const CheckSettings& check : one.servers[0].checks)
    CHECK(check.probe.target.to_string() == "[fd00:8::1]:8080");
  CHECK(one.servers[0].checks[0].probe.bind_address->to_string() == "fd00:8::99");
}

TEST_CASE("settings: every kind of check is translated with its words") {
  const ServiceSettings one = service(
      "192.0.2.1 80", "protocol TCP",
      "real_server 192.0.2.7 80 {\nSMTP_CHECK {\nhelo_name probe.example\n}\n"
      "DNS_CHECK {\ntype MX\nname a.example\nfwmark 7\nbind_if eth1\n}\n"
      "MISC_CHECK {\nmisc_path \"/bin/check --now\"\nmisc_timeout 3\nmisc_dynamic\n}\n"
      "MISC_CHECK {\nmisc_path /bin/other\ndelay_loop 7\n}\n"
      "UDP_CHECK {\npayload 0A FF\nrequire_reply AX\nmin_reply_length 2\nmax_reply_length 9\n}\n"
      "PING_CHECK {\nalpha\n}\n}");

  const auto& checks = one.servers[0].checks;
  REQUIRE(checks.size() == 6);
  CHECK_FALSE(one.servers[0].is_held);
  CHECK(checks[0].probe.dialogue == Dialogue(SmtpProbe{"probe.example"}));
  CHECK(checks[1].probe.dialogue == Dialogue(DnsProbe{.type = 15, .name = "a.example"}));
  CHECK(checks[1].probe.mark == 7);
  CHECK(*checks[1].probe.bind_interface == "eth1");
  const auto& script = std::get<ScriptProbe>(checks[2].probe.dialogue);
  CHECK(script.dynamic);
  CHECK(script.command.argv == std::vector<std::string>{"/bin/check", "--now"});
  CHECK(script.command.limit == std::chrono::seconds(3));
  CHECK(script.command.what == kCheckCommand);
  CHECK(std::get<ScriptProbe>(checks[3].probe.dialogue).command.limit == std::chrono::seconds(7));
  CHECK(checks[4].probe.dialogue == Dialogue(UdpProbe{.payload = {0x0a, 0xff},
                                                      .reply_required = true,
                                                      .pattern = "AX",
                                                      .min_reply_length = 2,
                                                      .max_reply_length = 9}));
  CHECK(checks[5].probe.dialogue == Dialogue(PingProbe{}));
  CHECK(checks[5].alpha);
}

TEST_CASE("settings: a server is held when no check of it can be run, and only then") {
  const std::string bfd = "BFD_CHECK {\nname b\n}\n";
  const auto held = [&](const std::string& checks) {
    const Settings settings = settings_of(
        "bfd_instance b {\nneighbor_ip 192.0.2.9\n}\n"
        "virtual_server 192.0.2.1 80 {\nprotocol TCP\n"
        "real_server 192.0.2.7 80 {\n" +
        checks + "}\n}\n");
    return settings.services[0].servers[0].is_held;
  };
  CHECK(held(bfd));
  CHECK_FALSE(held(bfd + "TCP_CHECK {\n}\n"));
  CHECK_FALSE(held(""));
}
