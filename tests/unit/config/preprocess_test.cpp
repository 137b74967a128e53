#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

// A directory for one test, removed afterwards.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE(
    "include: a file, a pattern in sorted order, relative to the including file; places lead "
    "back") {
  const Directory dir;
  dir.write("d/2.conf", instance("", "B", 2));
  dir.write("d/1.conf", instance("", "A", 1));
  dir.write("d/more.inc", "include ../global.conf\n");
  dir.write("global.conf", "global_defs {\n  router_id X\n}\n");
  const std::string top = dir.write(
      "top.conf", "# first\ninclude d/*.conf\ninclude d/more.inc\ninclude d/none*.conf\n" +
                      instance("nonsense", "C", 3));

  const Loaded loaded = load_files(top);

  REQUIRE(loaded.model.instances.size() == 3);
  CHECK(loaded.model.instances[0].name == "A");
  CHECK(loaded.model.instances[1].name == "B");
  CHECK(loaded.model.globals.router_id == "X");
  CHECK(loaded.model.where(loaded.model.instances[1].location) == dir.path() + "/d/2.conf:1:1");
  CHECK(loaded.model.where(loaded.model.instances[2].location) == top + ":5:1");
  REQUIRE(loaded.diagnostics.all().size() == 1);
  CHECK(loaded.diagnostics.all()[0].file == top);
  CHECK(loaded.diagnostics.all()[0].line == 12);
}

TEST_CASE("include: a missing file and a circle are one error each, the circle with its chain") {
  const Directory dir;
  const std::string a =
      dir.write("a.conf", "include b.conf\ninclude missing.conf\n" + instance(""));
  const std::string b = dir.write("b.conf", "include a.conf\n");

  const Loaded loaded = load_files(a);

  REQUIRE(loaded.diagnostics.errors() == 2);
  std::vector<std::string> messages;
  for (const Diagnostic& one : loaded.diagnostics.all())
    messages.push_back(one.message + " | " + one.help);
  std::sort(messages.begin(), messages.end());
  CHECK(messages[0] == fmt::format("'{0}' includes itself | the chain is {0} → {1} → {0}", a, b));
  CHECK(messages[1] == fmt::format("no file '{}/missing.conf' to include | ", dir.path()));
  CHECK(loaded.model.instances.size() == 1);
}

TEST_CASE("definitions: $NAME before a blank or line end, ${NAME} anywhere, inside one another") {
  const Loaded loaded = load(
      "$NET=192.168.7\n$VIP=${NET}.200\n$IF=eth7\nvrrp_instance $IF {\ninterface $IF # $NONE\n"
      "virtual_router_id 1\nvirtual_ipaddress {\n${VIP}/24 dev $IF\n}\n"
      "authentication {\nauth_type PASS\nauth_pass a$IFx\n}\n}\n");

  CHECK(findings(loaded.diagnostics).empty());
  REQUIRE(loaded.model.instances.size() == 1);
  const VrrpInstance& one = loaded.model.instances[0];
  CHECK(one.name == "eth7");
  CHECK(one.interface == "eth7");
  CHECK(one.virtual_addresses.at(0).prefix == *core::IpPrefix::parse("192.168.7.200/24"));
  CHECK(one.authentication.password == "a$IFx");
}

TEST_CASE("definitions: of several lines, used as a whole block") {
  const Loaded loaded =
      load("$CHECK= \\\nTCP_CHECK { \\\n connect_timeout 3 \\\n}\n" + service("", "$CHECK\n"));

  CHECK(findings(loaded.diagnostics).empty());
  REQUIRE(loaded.model.services.size() == 1);
  CHECK(loaded.model.services[0].real_servers.at(0).checks.size() == 1);
}

TEST_CASE("definitions: one that contains itself and one that is missing are one error each") {
  CHECK(findings(load("$A=${A}\n" + instance("advert_int ${A}")).diagnostics) ==
        "9:1 error: the definition of '$A' contains itself");
  CHECK(findings(load(instance("mcast_src_ip ${WHERE}")).diagnostics) ==
        "8:16 error: 'WHERE' is not defined");
}

TEST_CASE("definitions: a mistake behind a replacement still names its own place") {
  const Loaded loaded = load("$T=3\n" + service("delay_loop ${T} five\nnonsense"));
  CHECK(findings(loaded.diagnostics) ==
        "4:17 warning: 'five' is ignored: nothing more may follow 'delay_loop' on this line\n"
        "5:1 error: unknown word 'nonsense' in 'virtual_server'");
}

TEST_CASE("conditions: lines of this configuration's name are kept, others dropped") {
  const std::string text =
      instance("@main advert_int 2\n@other advert_int 3\n@^main debug 1\n@^other preempt_delay 4");

  const Loaded loaded = load(text, {.config_id = "main"});

  CHECK(findings(loaded.diagnostics).empty());
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.instances[0].advert_int == std::chrono::seconds(2));
  CHECK(loaded.model.instances[0].debug == 0);
  CHECK(loaded.model.instances[0].preempt_delay == std::chrono::seconds(4));
}

TEST_CASE("lines: CRLF, byte order mark, no newline at the end, NUL bytes") {
  CHECK(findings(
            load("\xEF\xBB\xBFglobal_defs {\r\n  router_id X\r\n}\r\n" + instance("")).diagnostics)
            .empty());
  CHECK(load("global_defs {\r\nrouter_id X\r\n}").model.globals.router_id == "X");
  const std::string with_nul = std::string("router\0id", 9) + "\n" + instance("");
  CHECK(findings(load(with_nul).diagnostics) ==
        "1:1 error: this line holds NUL bytes and is skipped");
}
