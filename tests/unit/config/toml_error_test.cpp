// Mistakes in TOML: the exact text that is shown. And includes that go from one syntax into the
// other.
#include "config/report.hpp"
#include "config/write/json.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

// A router with everything it needs; what is behind it belongs to it.
constexpr std::string_view kRouter =
    "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 51\n"
    "priority = 100\nvirtual_ipaddress = [\"192.168.1.200\"]\n";

std::string shown(std::string_view text) {
  return "\n" + render_text(load_text(text, "t.toml").diagnostics);
}

std::string shown_behind_router(std::string_view text) {
  return shown(fmt::format("{}{}", kRouter, text));
}

class Directory {
 public:
  Directory()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("holdfast-toml-{}", ::getpid())) {
    std::filesystem::create_directories(path_ / "conf.d");
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("toml: the smallest router has nothing to complain about") {
  CHECK(shown(kRouter) == "\n");
}

TEST_CASE("toml: a misspelt key is shown with the word that was meant, and the rest is read") {
  CHECK(shown_behind_router("prioritty = 120\n") == R"(
t.toml:7:1: error: unknown key 'prioritty' in 'vrrp_instance'
    prioritty = 120
    ^~~~~~~~~
    help: did you mean 'priority'?
)");
  CHECK(shown_behind_router("preempt_dely = 400000\n") == R"(
t.toml:7:1: error: unknown key 'preempt_dely' in 'vrrp_instance'
    preempt_dely = 400000
    ^~~~~~~~~~~~
    help: did you mean 'preempt_delay'?
t.toml:7:16: warning: 'preempt_delay' must be a number of seconds from 0 to 1000, not '400000': )"
                                                          R"(the default counts, 0
    preempt_dely = 400000
                   ^~~~~~
)");
  CHECK(shown_behind_router("notify_master = { comand = \"/bin/x\" }\n") == R"(
t.toml:7:19: error: unknown key 'comand' in 'notify_master'
    notify_master = { comand = "/bin/x" }
                      ^~~~~~
    help: did you mean 'command'?
)");
}

TEST_CASE("toml: a key of another block says where it belongs") {
  CHECK(shown_behind_router("lb_algo = \"rr\"\n") == R"(
t.toml:7:1: error: unknown key 'lb_algo' in 'vrrp_instance'
    lb_algo = "rr"
    ^~~~~~~
    help: it belongs into 'virtual_server'
)");
  CHECK(shown("priority = 100\n") == R"(
t.toml:1:1: error: unknown key 'priority' at the top level
    priority = 100
    ^~~~~~~~
    help: it belongs into 'vrrp_instance' and others
)");
}

TEST_CASE("toml: a value of the wrong type is marked in the TOML line") {
  CHECK(shown_behind_router("preempt_delay = \"soon\"\n") == R"(
t.toml:7:17: warning: 'preempt_delay' must be a number of seconds from 0 to 1000, not 'soon': )"
                                                             R"(the default counts, 0
    preempt_delay = "soon"
                    ^~~~~~
)");
  CHECK(shown_behind_router("virtual_ipaddress_excluded = [\"192.168.1.201 dve eth0\"]\n") == R"(
t.toml:7:46: warning: 'dve' is ignored: not an option of an address
    virtual_ipaddress_excluded = ["192.168.1.201 dve eth0"]
                                                 ^~~
    help: did you mean 'dev'?
)");
  CHECK(shown_behind_router("debug = 1979-05-27\n") == R"(
t.toml:7:9: error: a date or a time cannot be a value of 'debug'
    debug = 1979-05-27
            ^~~~~~~~~~
    help: put it between quotes
)");
  CHECK(shown_behind_router("vrf = \"two\\nlines\"\n") == R"(
t.toml:7:7: error: a value of 'vrf' must be one line without control characters
    vrf = "two\nlines"
          ^~~~~~~~~~~~
)");
}

TEST_CASE("toml: places count characters, not bytes") {
  const std::string text = "smtp_helo_name = [\"größe\", \"zuviel\"]\n";
  const Loaded loaded = load_text("[global_defs]\n" + text, "t.toml");

  const std::vector<Diagnostic>& all = loaded.diagnostics.all();
  REQUIRE(!all.empty());
  CHECK(all.back().column == 28);
  CHECK(all.back().source_line.substr(all.back().byte_offset, 8) == "\"zuviel\"");
}

TEST_CASE("toml: a block that is no table, a list that is no array") {
  CHECK(shown("[vrrp_instance.VI_1]\ninterface = \"eth0\"\n") == R"(
t.toml:1:16: error: 'vrrp_instance' must be an array of tables
    [vrrp_instance.VI_1]
                   ^~~~
    help: write [[vrrp_instance]] and name = "VI_1"
)");
  CHECK(shown_behind_router("authentication = \"secret\"\n") == R"(
t.toml:7:1: error: 'authentication' must be a table
    authentication = ****
    ^~~~~~~~~~~~~~
    help: write authentication = { … }, or give it a table of its own
)");
  CHECK(shown("vrrp_instance = 5\n") == R"(
t.toml:1:1: error: 'vrrp_instance' must be an array of tables
    vrrp_instance = 5
    ^~~~~~~~~~~~~
    help: write [[vrrp_instance]] on a line of its own, and below it what belongs to it
)");
  CHECK(shown_behind_router("virtual_ipaddress_excluded = { dev = \"eth0\" }\n") == R"(
t.toml:7:1: error: 'virtual_ipaddress_excluded' must be an array of lines, not a table
    virtual_ipaddress_excluded = { dev = "eth0" }
    ^~~~~~~~~~~~~~~~~~~~~~~~~~
    help: write virtual_ipaddress_excluded = ["…", "…"]
)");
  CHECK(shown_behind_router(
            "virtual_ipaddress_excluded = [{ address = \"192.168.1.201\", dve = \"eth0\" }]\n") ==
        R"(
t.toml:7:60: error: unknown key 'dve' in 'virtual_ipaddress'
    virtual_ipaddress_excluded = [{ address = "192.168.1.201", dve = "eth0" }]
                                                               ^~~
    help: did you mean 'dev'?
)");
  CHECK(shown("[[vrrp_instance]]\ninterface = \"eth0\"\n") == R"(
t.toml:1:3: error: 'vrrp_instance' needs a name
    [[vrrp_instance]]
      ^~~~~~~~~~~~~
)");
}

TEST_CASE("toml: text that is no TOML is one error with its place") {
  CHECK(shown("vrrp_instance {\n}\n") ==
        R"(
t.toml:1:15: error: this is not TOML: expected '=', saw '{'
    vrrp_instance {
                  ^
    help: this is keepalived's syntax: give the file a name that does not end in .toml
)");
  CHECK(shown("! of a director\nvrrp_instance VI_1 {\n}\n").find(R"(
    help: this is keepalived's syntax: give the file a name that does not end in .toml
)") != std::string::npos);
  CHECK(shown_behind_router("state = MASTER\n") == R"(
t.toml:7:9: error: this is not TOML: a value must be a number, true or false, )"
                                                   R"(or stand between quotes
    state = MASTER
            ^
    help: put it between quotes
)");
  CHECK(shown_behind_router("state = \"MASTER\n") == R"(
t.toml:7:16: error: this is not TOML: a string is not closed on its line
    state = "MASTER
                   ^
    help: put a second " at its end
)");
  CHECK(shown_behind_router("state = \"MASTER\"\nstate = \"BACKUP\"\n") == R"(
t.toml:8:9: error: this is not TOML: 'state' is given a second time
    state = "BACKUP"
            ^
    help: remove one of them; tables that come several times are written [[NAME]]
)");
  const std::string deep = "a" + std::string(2000, '.') + " = 1\n";
  CHECK(load_text(deep, "t.toml").diagnostics.all().at(0).message ==
        "this is not TOML: a key with too many dots");
}

TEST_CASE("toml: a file is TOML by its name or by its first line") {
  CHECK(syntax_of("a.toml", "vrrp_instance X {") == Syntax::toml);
  CHECK(syntax_of("a.conf", "# comment\n\n[global_defs]\n") == Syntax::toml);
  CHECK(syntax_of("a.conf", "\xEF\xBB\xBFinclude = [\"x\"]\n") == Syntax::toml);
  CHECK(syntax_of("a.conf", "[[vrrp_instance]]\n") == Syntax::toml);
  CHECK(syntax_of("a.conf", "! Configuration File\nglobal_defs {\n") == Syntax::keepalived);
  CHECK(syntax_of("a.conf", "$NAME=value\n") == Syntax::keepalived);
  CHECK(syntax_of("a.conf", "global_defs {\n a = b\n}") == Syntax::keepalived);
  CHECK(syntax_of("a.conf", "") == Syntax::keepalived);
}

TEST_CASE("toml: includes go from one syntax into the other, and children read the same") {
  const Directory directory;
  directory.write("conf.d/service.conf", service(""));
  directory.write("conf.d/router.toml", kRouter);
  directory.write("globals.conf",
                  "global_defs {\n  router_id LVS_1\n}\ninclude conf.d/router.toml\n");
  const std::string main =
      directory.write("main.toml", "include = [\"globals.conf\", \"conf.d/*.conf\"]\n");

  const Loaded loaded = load_files(main);

  CHECK_MESSAGE(!loaded.diagnostics.has_errors(), render_text(loaded.diagnostics));
  CHECK(loaded.model.globals.router_id == "LVS_1");
  REQUIRE(loaded.model.instances.size() == 1);
  CHECK(loaded.model.where(loaded.model.instances[0].location).ends_with("conf.d/router.toml:1:3"));
  REQUIRE(loaded.model.services.size() == 1);
  CHECK(loaded.model.where(loaded.model.services[0].location).ends_with("conf.d/service.conf:1:1"));
  const auto again = from_bytes(to_bytes(loaded.snapshot));
  REQUIRE(again.has_value());
  CHECK(*again == loaded.snapshot);
  CHECK(parse_snapshot(*again).model == loaded.model);
}

TEST_CASE("toml: a circle of includes and a missing file are errors at their place") {
  const Directory directory;
  directory.write("other.conf", "include main.toml\n");
  const std::string main =
      directory.write("main.toml", "include = [\"other.conf\", \"missing.conf\"]\n");

  const Loaded loaded = load_files(main);

  const Loaded itself = load_files(directory.write("self.toml", "include = \"self.toml\"\n"));
  CHECK(itself.diagnostics.errors() == 1);
  CHECK(render_text(itself.diagnostics).find("self.toml' includes itself") != std::string::npos);
  REQUIRE(loaded.diagnostics.errors() == 2);
  const std::string text = render_text(loaded.diagnostics);
  CHECK(text.find("main.toml' includes itself") != std::string::npos);
  CHECK(text.find("main.toml:1:26: error: no file '") != std::string::npos);
}

TEST_CASE("toml: parts of a snapshot that point outside of its text are refused") {
  Snapshot snapshot = load_text(kRouter, "t.toml").snapshot;
  snapshot.parts.push_back({static_cast<std::uint32_t>(snapshot.text.size() + 1), Syntax::toml});

  CHECK(!from_bytes(to_bytes(snapshot)).has_value());
}

TEST_CASE("toml: words that the other syntax has no way to write are named") {
  const auto problems = [](const Loaded& loaded, Syntax to) {
    Diagnostics found;
    Reporter reporter(loaded.snapshot, found);
    const Tree tree = read_tree(loaded.snapshot, reporter);
    const bool can = can_be_written(tree, to, reporter);
    CHECK(can == !found.has_errors());
    return findings(found);
  };
  const Loaded quotes =
      load_text(fmt::format("{}notify_master = '/bin/say \"hello\"'\n", kRouter), "t.toml");
  CHECK(problems(quotes, Syntax::keepalived) ==
        "7:17 error: this word cannot be written: keepalived's syntax has no way to write a "
        "quotation mark inside a word");
  CHECK(problems(quotes, Syntax::toml) == "");
  const Loaded latin = load(instance("auth_hmac {\n key 1 caf\xE9\n}"));
  CHECK(problems(latin, Syntax::toml)
            .find("error: this word cannot be written: TOML holds UTF-8 "
                  "only") != std::string::npos);
}

TEST_CASE("json: the whole resolved model, defaults included") {
  const Loaded loaded = load_text(kRouter, "t.toml");

  const boost::json::object model = json_of(document_of(loaded.model, Detail::all));

  const boost::json::object& router = model.at("vrrp_instance").as_array().at(0).as_object();
  CHECK(router.at("name") == "VI_1");
  CHECK(router.at("priority") == 100);
  CHECK(router.at("advert_int") == 1);
  CHECK(router.at("virtual_ipaddress").as_array().size() == 1);
  const std::string text = render_json(loaded.diagnostics, loaded.model);
  CHECK(text.starts_with(R"({"errors":0)"));
  CHECK(text.find(R"("model":{)") != std::string::npos);
}
