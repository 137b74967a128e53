// What the golden files cannot show: files that are not there, text that is no mistake, and text
// that is nothing else. Typical mistakes with the exact words shown are in tests/data/diagnostics/.
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string shown(const std::string& text) {
  return render_text(load(text).diagnostics);
}

}  // namespace

TEST_CASE("error: a brace on its own line and blocks on one line are fine") {
  CHECK(shown("vrrp_instance VI_1\n\n# comment\n{\ninterface eth0\nvirtual_router_id "
              "51\nvirtual_ipaddress { 10.0.0.1 }}\n")
            .empty());
}

TEST_CASE("error: files that are not there, not files, or empty") {
  const auto text = [](const std::string& path) {
    return render_text(load_files(path).diagnostics);
  };
  CHECK(text("/nonexistent/h.conf") ==
        "/nonexistent/h.conf: error: cannot read the configuration /nonexistent/h.conf: No such "
        "file or directory\n");
  CHECK(text("/tmp") == "/tmp: error: cannot read the configuration /tmp: Is a directory\n");
  CHECK(render_text(load(" \n\t\n").diagnostics) ==
        "t.conf: error: the configuration t.conf is empty\n"
        "    help: write at least one vrrp_instance or virtual_server\n");
}

TEST_CASE("error: deep nesting and endless words do not exhaust anything") {
  const std::string open(200'000, '{');
  static_cast<void>(load("global_defs " + open));
  static_cast<void>(load(open));
  static_cast<void>(load(std::string(200'000, '}')));
  static_cast<void>(load("virtual_server " + std::string(200'000, 'x') + " {"));
  std::string nested;
  for (int i = 0; i < 50'000; ++i) nested += "vrrp_instance A {\n";
  CHECK(load(nested).diagnostics.has_errors());
}

TEST_CASE("error: a misspelt word is skipped, unless its block cannot do without it") {
  CHECK(load(instance("advert_intt 7")).model.instances.at(0).advert_int ==
        std::chrono::seconds(1));
  const Loaded required =
      load("vrrp_instance A {\ninterfaze eth0\nvirtual_router_ids 7\npriority 9\n}\n");
  REQUIRE(required.model.instances.size() == 1);
  CHECK(required.model.instances[0].interface == "eth0");
  CHECK(required.model.instances[0].virtual_router_id == 7);
  const Loaded either = load(instance("virtual_roules x"));  // virtual_routes, virtual_rules
  REQUIRE(either.diagnostics.all().size() == 1);
  CHECK(either.diagnostics.all()[0].help == "the line is skipped");
}

TEST_CASE("error: blocks of a misspelt or unknown name are read as what their words say") {
  CHECK(load("bal_defs {\nrouter_id X\n}\n" + instance("")).model.globals.router_id == "X");
  CHECK(load(service("", "tcp_check {\n}")).model.services.at(0).real_servers.at(0).checks.size() ==
        1);
}

TEST_CASE("error: a value that follows a '=' is read, a word that is glued to its value is not") {
  const auto interval = [](const char* line) {
    return load(instance(line)).model.instances.at(0).advert_int;
  };
  for (const char* line : {"advert_int = 7", "advert_int =7"})
    CHECK(interval(line) == std::chrono::seconds(7));
  for (const char* line : {"advert_int=7", "advert_int7"})
    CHECK(interval(line) == std::chrono::seconds(1));
}

TEST_CASE("error: a second '{' is left out, whether or not it has a '}' of its own") {
  for (const char* end : {"}\n", "}}\n"}) {
    const Loaded loaded = load(
        "vrrp_instance A {\n{\ninterface eth0\nvirtual_router_id 1\n"
        "virtual_ipaddress {\n10.0.0.1\n}\n" +
        std::string(end) + instance("", "B", 2));
    CHECK(findings(loaded.diagnostics) ==
          "2:1 warning: a second '{' for the block 'vrrp_instance' (opened on line 1)");
    REQUIRE(loaded.model.instances.size() == 2);
    CHECK(loaded.model.instances[0].interface == "eth0");
  }
}

TEST_CASE(
    "error: every '}' that indentation misses is found, and what follows is read in its place") {
  std::string text = "virtual_server 192.168.1.200 80 {\n  protocol TCP\n";
  for (int i = 2; i < 5; ++i) {
    text +=
        fmt::format("  real_server 10.0.0.{} 80 {{\n    TCP_CHECK {{\n      retry 3\n  }}\n", i);
  }
  const Loaded loaded = load(text + "}\n" + instance("", "B", 2));

  CHECK(findings(loaded.diagnostics) ==
        "6:3 error: the block 'TCP_CHECK' (opened on line 4) is not closed before the '}' of "
        "'real_server' (opened on line 3)\n"
        "10:3 error: the block 'TCP_CHECK' (opened on line 8) is not closed before the '}' of "
        "'real_server' (opened on line 7)\n"
        "14:3 error: the block 'TCP_CHECK' (opened on line 12) is not closed before the '}' of "
        "'real_server' (opened on line 11)");
  REQUIRE(loaded.model.services.size() == 1);
  CHECK(loaded.model.services[0].real_servers.size() == 3);
  CHECK(loaded.model.instances.size() == 1);
}

TEST_CASE("error: findings of one definition are folded, different ones are kept") {
  const Loaded loaded =
      load("$S= \\\nreal_server 10.0.0.$N 80 { \\\nwieght 1 \\\nretri 3 \\\nTCP_CHECK { } \\\n}\n" +
           service("~SEQ(N, 10, 19) $S"));
  REQUIRE(loaded.diagnostics.all().size() == 2);
  CHECK(loaded.diagnostics.all()[0].repeats == 9);
  CHECK(loaded.diagnostics.all()[1].repeats == 9);
  CHECK(loaded.diagnostics.warnings() == 2);
}
