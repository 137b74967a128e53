// Configurations that are read as several trees: nobody may notice.
#include "config/keepalived/parse.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

constexpr int kServices = 600;  // of ten statements each

std::string numbered_service(int number, std::string_view behind_first_server = "") {
  const std::string address = fmt::format("{}.{}", number / 250, number % 250 + 1);
  return fmt::format(
      "virtual_server 10.0.{0} 80 {{\nprotocol TCP\nreal_server 172.16.{0} 80 {{\nTCP_CHECK {{\n"
      "connect_timeout 3\nretry 3\n}}\n}}{1}\nreal_server 172.17.{0} 80 {{\nweight 2\nTCP_CHECK "
      "{{\nconnect_timeout 3\n}}\n}}\n}}\n",
      address, behind_first_server);
}

std::string numbered_services(int count = kServices) {
  std::string text;
  for (int i = 0; i < count; ++i) text += numbered_service(i);
  return text;
}

std::size_t trees_of(const Loaded& loaded) {
  Diagnostics ignored;
  Reporter reporter(loaded.snapshot, ignored);
  std::size_t trees = 1;
  const TreeSink count = [&trees](Tree& tree) {
    ++trees;
    tree.clear();
  };
  Tree last;
  const auto length = static_cast<std::uint32_t>(loaded.snapshot.text.size());
  keepalived::parse(loaded.snapshot, {0, length}, reporter, last, &count);
  return trees;
}

// Without the line that each begins with.
std::string without_line(const std::string& findings) {
  return findings.substr(findings.find(':'));
}

}  // namespace

TEST_CASE("long configuration: every service is what it is alone, in its order") {
  const Loaded loaded = load(numbered_services());

  CHECK(trees_of(loaded) > 2);
  CHECK(findings(loaded.diagnostics) == "");
  REQUIRE(loaded.model.services.size() == kServices);
  for (int i = 0; i < kServices; ++i)
    CHECK(loaded.model.services[static_cast<std::size_t>(i)] ==
          load(numbered_service(i)).model.services.at(0));
}

TEST_CASE("long configuration: what stands behind the services counts for the first one") {
  const std::string text =
      "vrrp_instance VI {\ninterface eth0\nvirtual_router_id 1\ntrack_script {\nlate\n}\n"
      "virtual_ipaddress {\n10.0.0.1\n}\n}\n" +
      numbered_services() +
      "vrrp_script late {\nscript /bin/true\n}\nglobal_defs {\n"
      "checker_log_all_failures\n}\n";

  const Loaded loaded = load(text);

  CHECK(trees_of(loaded) > 2);
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].tracking.scripts.size() == 1);
  const Check& first = loaded.model.services.at(0).real_servers.at(0).checks.at(0);
  CHECK(std::get<TcpCheck>(first).connect.log_all_failures);
}

TEST_CASE("long configuration: a block given once in each tree is given twice") {
  const std::string once = "vrrp_instance VI {\ninterface eth0\nvirtual_router_id 1\n}\n";
  const std::string services = numbered_services();

  const Loaded apart = load(once + services + once);
  const Loaded together = load(once + once + services);

  CHECK(trees_of(apart) > 2);
  CHECK(apart.model.instances.size() == 1);
  CHECK(apart.diagnostics.errors() == together.diagnostics.errors());
  CHECK(apart.diagnostics.warnings() == together.diagnostics.warnings());
}

TEST_CASE("long configuration: words with escapes last as long as they are needed") {
  std::string text;
  for (int i = 0; i < 1500; ++i)
    text += fmt::format(
        "virtual_server_group a-rather-long-name-with\\#{} {{\n10.0.{}.{} 80\n}}\n"
        "virtual_server group a-rather-long-name-with\\#{} {{\nprotocol TCP\n}}\n",
        i, i / 250, i % 250 + 1, i);

  const Loaded loaded = load(text);

  REQUIRE(loaded.model.services.size() == 1500);
  for (std::size_t i = 0; i < 1500; ++i)
    CHECK(loaded.model.services[i].group == fmt::format("a-rather-long-name-with#{}", i));
}

TEST_CASE("long configuration: a brace too many is one finding wherever a tree ends") {
  std::set<std::string> different;
  for (int broken = 150; broken < 230; ++broken) {
    std::string text;
    for (int i = 0; i < 250; ++i) text += numbered_service(i, i == broken ? "\n}" : "");
    different.insert(without_line(findings(load(text).diagnostics)));
  }

  REQUIRE(different.size() == 1);
  CHECK(different.begin()->find("one too many") != std::string::npos);
  CHECK(different.begin()->find('\n') == std::string::npos);
}
