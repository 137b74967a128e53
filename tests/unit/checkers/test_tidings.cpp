// What pipes and mail say about services and servers.
#include "checkers/tidings.hpp"
#include "checkers/wiring.hpp"
#include "config/load.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

ServiceSettings service_of(const ipvs::ServiceKey& key, const char* server) {
  ServiceSettings service;
  service.keys = {key};
  service.quorum = 2;
  service.servers.resize(1);
  service.servers[0].endpoint = {*core::IpAddress::parse(server), 8080};
  return service;
}

ServiceSettings web() {
  return service_of(
      ipvs::AddressKey{ipvs::Protocol::tcp, {*core::IpAddress::parse("192.0.2.1"), 80}},
      "10.0.0.1");
}

Settings settings_of(const std::string& text) {
  return wiring_of(config::load_text(text, "test.conf").model);
}

}  // namespace

TEST_CASE("tidings: lines and subjects are keepalived's, a pipe's without a zero byte") {
  const ServiceSettings service = web();
  const auto server = tidings_of({.service = service,
                                  .server = &service.servers[0],
                                  .up = false,
                                  .why = "connection refused",
                                  .pipes = true,
                                  .mail = true});
  REQUIRE(server);
  CHECK(server->scope == runtime::Tidings::Scope::lvs);
  CHECK(server->line == "RS [10.0.0.1]:tcp:8080 [192.0.2.1]:tcp:80 DOWN");
  CHECK(server->title ==
        "Realserver [10.0.0.1]:tcp:8080 of virtual server [192.0.2.1]:tcp:80 - DOWN");
  CHECK(server->body.find("connection refused") != std::string::npos);

  const auto quorum = tidings_of({.service = service, .up = true, .pipes = true, .mail = true});
  REQUIRE(quorum);
  CHECK(quorum->line == "VS [192.0.2.1]:tcp:80 UP");
  CHECK(quorum->title == "Virtualserver [192.0.2.1]:tcp:80 - UP");
  CHECK(quorum->subject != server->subject);
}

TEST_CASE("tidings: a mark and IPv6") {
  const ServiceSettings mark = service_of(ipvs::MarkKey{7, core::Family::v6}, "fd00::1");
  const auto line =
      tidings_of({.service = mark, .server = &mark.servers[0], .up = true, .pipes = true});
  REQUIRE(line);
  CHECK(line->line == "RS [fd00::1]:none:8080 FWM 7 UP");
  CHECK(line->title.empty());
}

TEST_CASE("tidings: a group of services goes by its name") {
  ServiceSettings group = web();
  group.group = "TCP group web";
  const auto line = tidings_of({.service = group, .up = false, .pipes = true});
  REQUIRE(line);
  CHECK(line->line == "VS VSG web DOWN");
}

TEST_CASE("tidings: a letter about one service does not overtake that of its twin with its line") {
  ServiceSettings tcp = web();
  tcp.group = "TCP group web";
  ServiceSettings udp = web();
  udp.group = "UDP group web";
  const ServiceSettings mark4 = service_of(ipvs::MarkKey{7, core::Family::v4}, "10.0.0.1");
  const ServiceSettings mark6 = service_of(ipvs::MarkKey{7, core::Family::v6}, "10.0.0.1");
  for (const auto& [one, other] : {std::pair{tcp, udp}, std::pair{mark4, mark6}}) {
    for (const bool is_server : {false, true}) {
      const auto first = tidings_of({.service = one,
                                     .server = is_server ? &one.servers[0] : nullptr,
                                     .up = true,
                                     .pipes = true,
                                     .mail = true});
      const auto second = tidings_of({.service = other,
                                      .server = is_server ? &other.servers[0] : nullptr,
                                      .up = true,
                                      .pipes = true,
                                      .mail = true});
      REQUIRE(first);
      REQUIRE(second);
      CHECK(first->subject != second->subject);
      if (!is_server) CHECK(first->line == second->line);
    }
  }
}

TEST_CASE("tidings: who asked for nothing hears nothing") {
  const ServiceSettings service = web();
  CHECK_FALSE(tidings_of({.service = service, .up = true}));
}

TEST_CASE("settings: smtp_alert of servers follows smtp_server, that of services does not") {
  const std::string service =
      "virtual_server 10.9.0.1 80 {\nprotocol TCP\nreal_server 10.8.0.1 80 {\n}\n"
      "real_server 10.8.0.2 80 {\nsmtp_alert false\n}\n}\n";
  const Settings plain = settings_of(service);
  CHECK_FALSE(plain.services[0].servers[0].mails);
  CHECK_FALSE(plain.pipes);
  const Settings mailing =
      settings_of("global_defs {\nsmtp_server 192.0.2.25\nlvs_notify_fifo /run/x\n}\n" + service);
  CHECK(mailing.services[0].servers[0].mails);
  CHECK_FALSE(mailing.services[0].servers[1].mails);
  CHECK_FALSE(mailing.services[0].mails);
  CHECK(mailing.pipes);
}
