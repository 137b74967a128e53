#include "config/keepalived/include.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

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
  const std::vector<Diagnostic>& all = loaded.diagnostics.all();
  CHECK(std::count_if(all.begin(), all.end(), [&top](const Diagnostic& one) {
          return one.file == top && one.line == 12 &&
                 one.message.find("'nonsense'") != std::string::npos;
        }) == 1);
}

TEST_CASE("include: a missing file is a warning, a circle an error with its chain") {
  const Directory dir;
  const std::string a =
      dir.write("a.conf", "include b.conf\ninclude missing.conf\n" + instance(""));
  const std::string b = dir.write("b.conf", "include a.conf\n");

  const Loaded loaded = load_files(a);

  CHECK(loaded.diagnostics.summary() == "1 error, 1 warning");
  std::vector<std::string> messages;
  for (const Diagnostic& one : loaded.diagnostics.all())
    messages.push_back(one.message + " | " + one.help);
  std::sort(messages.begin(), messages.end());
  CHECK(messages[0] == fmt::format("'{0}' includes itself | the chain is {0} → {1} → {0}", a, b));
  CHECK(messages[1] ==
        fmt::format("no file '{}/missing.conf' to include | the rest is read without it",
                    dir.path()));
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

// A circle of definitions within a line makes keepalived loop for ever; a long chain meets the same
// guard of ours.
TEST_CASE("definitions: one that is too deep and one that is missing are one finding each") {
  std::string chain = "$A0=1\n";
  for (int i = 1; i <= 40; ++i) chain += fmt::format("$A{}=${{A{}}}\n", i, i - 1);
  CHECK(findings(load(chain + instance("advert_int ${A40}")).diagnostics) ==
        "49:12 error: the definition of '$A7' contains itself, or is more than 32 definitions "
        "deep");
  CHECK(load(chain + instance("advert_int ${A32}")).diagnostics.empty());
  CHECK(findings(load(instance("mcast_src_ip ${WHERE}")).diagnostics) ==
        "8:16 warning: 'WHERE' is not defined");
}

TEST_CASE("definitions: one that is missing is a warning where the rest keeps its meaning") {
  const Loaded loaded = load("global_defs {\nrouter_id a${WHERE}b\n}\n" +
                             instance("notify_master \"/bin/sh -c 'echo ${HOME}'\""));
  CHECK(findings(loaded.diagnostics) ==
        "2:14 warning: 'WHERE' is not defined\n"
        "11:35 note: 'HOME' is not defined, so it stays as it is");
  CHECK(loaded.model.globals.router_id == "a$WHEREb");
  CHECK(loaded.model.instances.at(0).notify_master->argv.back() == "echo ${HOME}");
}

TEST_CASE("definitions: a blank before the '=' is a warning, and it defines") {
  const Loaded loaded = load("$T = 7\n" + instance("advert_int $T"));
  CHECK(findings(loaded.diagnostics) ==
        "1:1 warning: a blank before the '=' of the definition 'T'");
  CHECK(loaded.model.instances.at(0).advert_int == std::chrono::seconds(7));
}

TEST_CASE("include: alternatives in braces, in their order, nested, and too many") {
  using keepalived::expand_braces;
  using Names = std::vector<std::string>;
  CHECK(expand_braces("a{c,b}d") == Names{"acd", "abd"});
  CHECK(expand_braces("{a,{b,c}x}{1,2}") == Names{"a1", "a2", "bx1", "bx2", "cx1", "cx2"});
  CHECK(expand_braces("a{b") == Names{"a{b"});
  CHECK(expand_braces("a{,b}") == Names{"a", "ab"});
  std::string many;
  for (int i = 0; i < 40; ++i) many += "{a,b}";
  CHECK(expand_braces(many).size() <= keepalived::kMaxAlternatives);
}

TEST_CASE("include: how strict it is, by its word and by include_check") {
  using keepalived::read_include_check;
  const keepalived::IncludeCheck match{.match = true};
  CHECK(keepalived::include_word("includem") == match);
  CHECK(keepalived::include_word("includea") == read_include_check({}, ""));
  CHECK_FALSE(keepalived::include_word("included").has_value());
  CHECK(read_include_check({.read = true}, "match") == match);
  CHECK(read_include_check(match, "+read -match") == keepalived::IncludeCheck{.read = true});

  const Directory dir;
  dir.write("a.conf", "");
  const auto severity = [&dir](const std::string& text) {
    const Loaded loaded = load_files(dir.write("top.conf", text + "\n" + instance("")));
    std::string out;
    for (const Diagnostic& one : loaded.diagnostics.all())
      if (one.message.find("no file") == 0) out += std::string(to_string(one.severity)) + " ";
    return out;
  };
  CHECK(severity("include none.conf") == "warning ");
  CHECK(severity("includem none.conf") == "error ");
  CHECK(severity("includem none*.conf").empty());
  CHECK(severity("includew none*.conf") == "error ");
  CHECK(severity("include {a,b}.conf") == "warning ");
  CHECK(severity("includeb {a,b}.conf") == "error ");
  CHECK(severity("includeb {a,a}.conf").empty());
  CHECK(severity("global_defs {\ninclude_check\n}\ninclude none*.conf") == "error ");
  CHECK(severity("global_defs { include_check match }\ninclude none.conf") == "error ");
}

TEST_CASE("include: directories, pipes and programs are left out; an executable text is read") {
  const Directory dir;
  dir.write("conf.d/sub/x.conf", "nonsense\n");
  dir.write("conf.d/hook.conf", "#!/bin/sh\nexit 0\n");
  const std::string text = dir.write("conf.d/text.conf", instance(""));
  std::filesystem::permissions(text, std::filesystem::perms::owner_all);
  REQUIRE(::mkfifo((dir.path() + "/pipe").c_str(), 0600) == 0);

  const Loaded loaded =
      load_files(dir.write("top.conf", "include conf.d/*\ninclude conf.d\ninclude pipe\n"));

  CHECK(loaded.model.instances.size() == 1);
  CHECK(findings(loaded.diagnostics) ==
        fmt::format("1:9 warning: '{0}/conf.d/hook.conf' is a program, not a configuration: it is "
                    "left out\n2:9 warning: '{0}/conf.d' is not a file\n"
                    "3:9 warning: '{0}/pipe' is not a file",
                    dir.path()));
}

TEST_CASE("include: a file that cannot be found is told what it is probably called") {
  const Directory dir;
  dir.write("virtual-servers.conf", "");
  const Loaded loaded =
      load_files(dir.write("top.conf", "include virtual_server.conf\n" + instance("")));
  REQUIRE(loaded.diagnostics.all().size() == 1);
  CHECK(loaded.diagnostics.all()[0].help == "did you mean 'virtual-servers.conf'?");
}

TEST_CASE("commands: the line of a script has its own quoting and escapes") {
  const auto argv = [](const std::string& line) {
    const Loaded loaded = load(instance("notify_master " + line));
    CHECK(findings(loaded.diagnostics).empty());
    return loaded.model.instances.at(0).notify_master->argv;
  };
  using Words = std::vector<std::string>;
  CHECK(argv("\"/bin/echo \\\"a b\\\" 'c d' \\\\x \\x41 e\\tf\"") ==
        Words{"/bin/echo", "a b", "c d", "x", "A", "e", "f"});
  CHECK(argv("'/bin/echo a \"b  c\"' root") == Words{"/bin/echo", "a", "b  c"});
  CHECK(argv("\"/bin/echo a\"'b c'd") == Words{"/bin/echo", "ab", "cd"});
  CHECK(argv("\"/bin/echo a \\# b \\! c\" # d") == Words{"/bin/echo", "a", "#", "b", "!", "c"});
}

TEST_CASE("definitions: a mistake behind a replacement still names its own place") {
  const Loaded loaded = load("$T=3\n" + service("delay_loop ${T} five\nnonsense"));
  CHECK(findings(loaded.diagnostics) ==
        "4:17 warning: 'five' is ignored: nothing more may follow 'delay_loop' on this line\n"
        "5:1 warning: unknown word 'nonsense' in 'virtual_server'");
}

TEST_CASE("definitions: a block that uses others, defined anew between two uses") {
  const Loaded loaded = load(
      "$SERVER= \\\n  real_server 10.0.0.$N 80 { \\\n  # left out \\\n\n"
      "  TCP_CHECK { } \\\n  }\n"
      "$SERVICE= \\\nvirtual_server 192.0.2.1 80 { \\\nprotocol TCP \\\n$N=1 \\\n$SERVER \\\n"
      "$N=2 \\\n$SERVER \\\n}\n$SERVICE\n");

  CHECK(findings(loaded.diagnostics).empty());
  REQUIRE(loaded.model.services.size() == 1);
  REQUIRE(loaded.model.services[0].real_servers.size() == 2);
  CHECK(loaded.model.services[0].real_servers[1].address == *core::IpAddress::parse("10.0.0.2"));
  CHECK(loaded.model.where(loaded.model.services[0].location) == "t.conf:15:1");
}

TEST_CASE("definitions: a comment without a backslash ends one of several lines") {
  const Loaded loaded = load("$D= \\\ndebug 1 \\\n# the end\n" + instance("$D"));
  CHECK(findings(loaded.diagnostics).empty());
  CHECK(loaded.model.instances.at(0).debug == 1);
}

TEST_CASE("definitions: $NAME/24 stays as it is, ${NAME}/24 is replaced") {
  const Loaded loaded =
      load("$N=192.168.7.1\n" + instance("virtual_ipaddress_excluded {\n$N/24\n}"));
  CHECK(findings(loaded.diagnostics) ==
        "10:1 warning: '$N/24' is not an IP address: this line is left out");
  CHECK(load("$N=192.168.7.1\n" + instance("virtual_ipaddress_excluded {\n${N}/24\n}"))
            .diagnostics.empty());
}

TEST_CASE("definitions: one that holds a condition decides the lines that begin with it") {
  const std::string text = "$A=@one\n$B=@^one\n" + instance("$A advert_int 7\n$B advert_int 9");
  CHECK(load(text, {.config_id = "one"}).model.instances.at(0).advert_int ==
        std::chrono::seconds(7));
  CHECK(load(text, {.config_id = "two"}).model.instances.at(0).advert_int ==
        std::chrono::seconds(9));
}

TEST_CASE("repetitions: ~SEQ up, down, by steps, hexadecimal, nested, over a block") {
  const auto addresses = [](std::string_view line) {
    const Loaded loaded =
        load(fmt::format("vrrp_instance A {{\ninterface eth0\nvirtual_router_id "
                         "1\nvirtual_ipaddress {{\n{}\n}}\n}}\n",
                         line));
    std::string out = findings(loaded.diagnostics);
    for (const VrrpInstance& one : loaded.model.instances) {
      for (const VirtualAddress& address : one.virtual_addresses)
        out += address.prefix.address.to_string() + " ";
    }
    return out;
  };
  CHECK(addresses("~SEQ(N, 3) 10.0.0.$N") == "10.0.0.1 10.0.0.2 10.0.0.3 ");
  CHECK(addresses("~SEQ ( N , 9 , 7 ) 10.0.0.$N") == "10.0.0.9 10.0.0.8 10.0.0.7 ");
  CHECK(addresses("~SEQ(N,1,4,9) 10.0.0.${N}/32") == "10.0.0.1 10.0.0.5 10.0.0.9 ");
  CHECK(addresses("~SEQ(A,1,2) ~SEQ(B,5,6) 10.0.${A}.${B}") ==
        "10.0.1.5 10.0.1.6 10.0.2.5 10.0.2.6 ");
  CHECK(addresses("~SEQx(N,0x9,0x8,0x11) 10.0.0.$N") == "10.0.0.9 10.0.0.11 ");
  CHECK(addresses("~LST(N, 4, 9) 10.0.0.$N") == "10.0.0.4 10.0.0.9 ");
  CHECK(addresses("~LST({A,B}, {1,2}, {3,4}) 10.0.${A}.${B}") == "10.0.1.2 10.0.3.4 ");
  CHECK(addresses("~LST({A,B}, {1}) 10.0.0.${A}${B}7") == "10.0.0.17 ");

  const Loaded blocks = load(
      "$M= \\\nvrrp_instance V_$N { \\\ninterface eth0 \\\n"
      "virtual_router_id $N \\\nvirtual_ipaddress { \\\n10.0.0.$N \\\n} \\\n}\n"
      "$ALL=~SEQ(N,1,255) $M\n$ALL\n");
  CHECK(blocks.diagnostics.empty());
  CHECK(blocks.model.instances.size() == 255);
}

TEST_CASE("repetitions: arguments without sense are one error, and endless ones end") {
  CHECK(findings(load("~SEQ(N, x) router_id $N\n" + instance("")).diagnostics) ==
        "1:1 error: '~SEQ(N, x)' gives no values");
  CHECK(findings(load("~SEQ N router_id $N\n" + instance("")).diagnostics) ==
        "1:1 error: this repetition has no arguments in parentheses");
  CHECK(findings(load("$A=$B x\n$B=$A\n$A\n" + instance("")).diagnostics) ==
        "3:1 error: a definition that is used here contains itself");
  CHECK(
      findings(load("$B=$NONE\n~SEQ(A,1,2100) ~SEQ(C,1,2100) $B=x\n" + instance("")).diagnostics) ==
      "2:1 error: the definitions that are used here make too many lines");
}

TEST_CASE("repetitions and definitions that make nothing, very often, end as well") {
  CHECK(findings(load("~SEQ(A,1,2100) ~SEQ(C,1,2100)\n" + instance("")).diagnostics) ==
        "1:1 error: the definitions that are used here make too many lines");
  std::string text = "$A0=\n";
  for (int i = 1; i < 23; ++i) text += fmt::format("$A{0}=${{A{1}}}${{A{1}}}\n", i, i - 1);
  const Loaded loaded = load(text + instance("debug 1 ${A22}"));
  CHECK(loaded.diagnostics.errors() == 1);
  CHECK(findings(loaded.diagnostics).find("takes too many replacements") != std::string::npos);
}

TEST_CASE("built-in values: environment, random numbers, comment signs, unknown ones") {
  ::setenv("HOLDFAST_TEST_NAME", "from_outside", 1);
  const Model model = load(
                          "global_defs {\nrouter_id ${_ENV HOLDFAST_TEST_NAME}${_HASH}1\n"
                          "notification_email_from \"a${_BANG} b${_HASH}\"\n}\n" +
                          instance("priority ${_RANDOM 5 9}"))
                          .model;
  CHECK(model.globals.router_id == "from_outside#1");
  CHECK(model.globals.notification_email_from == "a! b#");
  CHECK(model.instances.at(0).priority >= 5);
  CHECK(model.instances.at(0).priority <= 9);
  CHECK(findings(load(instance("priority ${_ENV HOLDFAST_NO_SUCH}")).diagnostics) ==
        "8:17 error: the environment has no 'HOLDFAST_NO_SUCH': it counts as empty");
  CHECK(findings(load(instance("debug 1 ${_ENV HOLDFAST_NO_SUCH}")).diagnostics) ==
        "8:16 warning: the environment has no 'HOLDFAST_NO_SUCH': it counts as empty");
  CHECK(findings(load(instance("priority ${_RANDOM 9 5}")).diagnostics).find("bounds") !=
        std::string::npos);
  CHECK(findings(load(instance("priority ${_NOTHING}")).diagnostics).find("no built-in") !=
        std::string::npos);
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
        "1:1 error: this line holds zero bytes: the file is damaged");
  CHECK(load("global_defs {\rrouter_id X\r}\r").model.globals.router_id == "X");
  CHECK(load(std::string("\xFF\xFE$\0A\0=\0b\0\n\0", 12)).diagnostics.warnings() == 1);
}

TEST_CASE("random numbers: random_seed makes them the same in every reading") {
  const std::string text =
      "global_defs {\nrandom_seed 7\n}\n" + instance("debug ${_RANDOM 0 1000000000}");
  CHECK(load(text).model.instances.at(0).debug == load(text).model.instances.at(0).debug);
}
