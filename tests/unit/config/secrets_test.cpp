// A password is shown by no finding, whatever is wrong with the line that it stands on.
#include "config/secrets.hpp"

#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string with(const std::string& authentication) {
  return "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 100\n" +
         authentication + " virtual_ipaddress {\n 10.0.0.1\n }\n}\n";
}

/// All that can be said of this text, in every form. There must be something to say.
std::string told(const std::string& text, const std::string& name = "t.conf") {
  const Loaded loaded = load_text(text, name);
  const std::string all = render_text(loaded.diagnostics) + render_json(loaded.diagnostics) +
                          render_text(parse_snapshot(loaded.snapshot).diagnostics);
  INFO(text);
  CHECK(!loaded.diagnostics.empty());
  return all;
}

bool shows(const std::string& all, std::string_view word) {
  INFO(all);
  return all.find(word) != std::string::npos;
}

/// Removed at the end.
class Directory {
 public:
  Directory() { path_ = ::mkdtemp(pattern_); }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }

 private:
  char pattern_[32] = "/tmp/holdfast-secrets-XXXXXX";
  std::filesystem::path path_;
};

struct Slip {
  std::string kind;
  const char* lines;
};

}  // namespace

TEST_CASE("secrets: no slip of the pen shows a password") {
  const Slip slips[] = {
      {"too long", " authentication {\n auth_type PASS\n auth_pass hunter2-XYZZY\n }\n"},
      {"misspelt word", " authentication {\n auth_type PASS\n auth_pas XYZZY\n }\n"},
      {"another word for it", " authentication {\n auth_type PASS\n auth_password XYZZY\n }\n"},
      {"letters swapped", " authentication {\n auth_type PASS\n atuh_pass XYZZY\n }\n"},
      {"open quotation", " authentication {\n auth_type PASS\n auth_pass \"XYZZY\n }\n"},
      {"two words", " authentication {\n auth_type PASS\n auth_pass other XYZZY\n }\n"},
      {"equals sign", " authentication {\n auth_type PASS\n auth_pass = XYZZY\n }\n"},
      {"equals sign, no blank", " authentication {\n auth_type PASS\n auth_pass=XYZZY\n }\n"},
      {"outside its block", " auth_pass XYZZY\n"},
      {"no block", " authentication PASS XYZZY\n"},
      {"behind the type", " authentication {\n auth_type PASS XYZZY\n }\n"},
      {"a line of its own", " authentication {\n auth_type PASS\n auth_pass\n XYZZY\n }\n"},
      {"no word at all", " authentication {\n auth_type PASS\n XYZZY\n }\n"},
      {"misspelt block", " authentification {\n auth_type PASS\n auth_pass XYZZY\n }\n"},
      {"brace lost", " authentication {\n auth_type PASS\n auth_pass XYZZY {\n }\n"},
      {"one line", " authentication { auth_type PASS auth_pas XYZZY }\n"},
      {"HMAC key", " auth_hmac {\n key 1 XYZZY\n }\n"},
      {"HMAC key without a number", " auth_hmac {\n key XYZZY\n }\n"},
      {"HMAC key, misspelt", " auth_hmac {\n kye 1 XYZZY-XYZZY-XYZZY-XYZZY-XYZZY\n }\n"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.kind);
    CHECK_FALSE(shows(told(with(slip.lines)), "XYZZY"));
  }
}

TEST_CASE("secrets: a definition does not show what it is used for") {
  const std::string block = " authentication {\n auth_type PASS\n auth_pass $WORD\n }\n";
  CHECK_FALSE(shows(told("$WORD=hunter2-XYZZY\n" + with(block)), "XYZZY"));
  CHECK_FALSE(shows(told("$WORD=XYZZY\n" + with(block + " nonsense $WORD\n")), "XYZZY"));
  CHECK_FALSE(shows(told("$WORD=XYZZY\n" + with(" authentication {\n auth_type PASS\n"
                                                " auth_pas $WORD\n }\n")),
                    "XYZZY"));
  CHECK_FALSE(shows(told("$VRRP_PASS = XYZZY\n" + with("")), "XYZZY"));
}

TEST_CASE("secrets: neither does TOML") {
  const std::string head =
      "[vrrp_instance.VI_1]\ninterface = \"eth0\"\nvirtual_router_id = 51\n"
      "virtual_ipaddress = [\"10.0.0.1\"]\n";
  for (const char* lines : {
           "[vrrp_instance.VI_1.authentication]\nauth_type = \"PASS\"\nauth_pas = \"XYZZY\"\n",
           "[vrrp_instance.VI_1.authentication]\nauth_type = \"PASS\"\nauth_pass = \"XYZZY\n",
           "[vrrp_instance.VI_1.authentication]\nauth_type = \"PASS\"\nauth_pass = [\"XYZZY\", "
           "1]\n",
           "[vrrp_instance.VI_1.authentication]\nauth_type = \"PASS\"\nauth_pass = XYZZY\n",
           "authentication.auth_type = \"PASS\"\nauthentication.auth_pas = \"XYZZY\"\n",
           "authentication = { auth_type = \"PASS\", auth_pas = \"XYZZY\" }\n",
           "[vrrp_instance.VI_1.authentication]\nauth_type = \"PASS\"\n"
           "auth_pass = \"hunter2-XYZZY\"\n",
       })
    CHECK_FALSE(shows(told(head + lines, "t.toml"), "XYZZY"));
}

TEST_CASE("secrets: an included file keeps them as well") {
  const Directory directory;
  directory.write("password.conf", " auth_pass hunter2-XYZZY\n auth_pas XYZZY\n");
  const std::string top = directory.write(
      "top.conf", with(" authentication {\n auth_type PASS\n include password.conf\n }\n"));
  const Loaded loaded = load_files(top);
  CHECK(loaded.diagnostics.all().size() >= 2);
  CHECK_FALSE(shows(render_text(loaded.diagnostics) + render_json(loaded.diagnostics), "XYZZY"));
}

TEST_CASE("secrets: a line far longer than its excerpt shows no piece of one") {
  for (std::size_t pad = 100; pad < 360; pad += 7) {
    const std::string text =
        "vrrp_instance VI_1 { interface eth0 virtual_router_id 51 authentication"
        " { auth_type PASS auth_pass PLUGH-XYZZY-PLUGH } nonsense " +
        std::string(pad, 'x') + " more virtual_ipaddress { 10.0.0.1 } }\n";
    const std::string all = told(text);
    CHECK_FALSE(shows(all, "YZZY"));
    CHECK_FALSE(shows(all, "PLUG"));
  }
}

TEST_CASE("secrets: passwords in addresses of the web are hidden") {
  CHECK_FALSE(shows(told("virtual_server 10.0.0.1 80 {\n real_server 10.0.0.2 80 {\n HTTP_GET {\n"
                         " url {\n path http://user:XYZZY@host/x y\n }\n }\n }\n}\n"),
                    "XYZZY"));
}

TEST_CASE("secrets: the rest of an excerpt, its mark and ordinary words stay") {
  const Loaded loaded = load_text(
      with(" authentication {\n auth_type PASS\n auth_pass hunter2-XYZZY\n }\n"), "t.conf");
  REQUIRE(loaded.diagnostics.all().size() == 1);
  const Diagnostic& one = loaded.diagnostics.all().front();
  CHECK(one.source_line == " auth_pass ****");
  CHECK(one.source_line.substr(one.byte_offset, one.byte_length) == "****");
  CHECK(one.line == 7);

  const std::string plain = render_text(load_text(with(" prioritty 120\n"), "t.conf").diagnostics);
  CHECK(shows(plain, "    prioritty 120\n"));
  CHECK(shows(plain, "'prioritty'"));

  Diagnostic shifted;
  shifted.source_line = "url ftp://me:XYZZY@host/ odd";
  shifted.byte_offset = 25;
  shifted.byte_length = 3;
  Secrets{}.hide_in(shifted);
  CHECK(shifted.source_line == "url ftp://me:****@host/ odd");
  CHECK(shifted.source_line.substr(shifted.byte_offset, shifted.byte_length) == "odd");
}

TEST_CASE("secrets: a whole configuration without them stays a configuration") {
  const std::string text =
      "vrrp_script chk {\n"
      " script \"/usr/bin/curl -s http://admin:XYZZY@127.0.0.1/\"\n"
      "}\n"
      "vrrp_instance VI_1 {\n"
      " interface eth0\n"
      " authentication {\n"
      "  auth_type PASS\n"
      "  auth_pass abc\n"
      " }\n"
      " priority 100\n"
      "}\n"
      "vrrp_instance VI_2 {\n"
      " authentication { auth_type PASS auth_pass abc }\n"
      " auth_hmac {\n"
      "  key 1 \"a b\"\n"
      "  XY\n"
      " }\n"
      "}";
  Secrets secrets;
  secrets.read(text);
  CHECK(secrets.configuration_without_secrets(text) ==
        "vrrp_script chk {\n"
        " script \"/usr/bin/curl -s http://admin:****@127.0.0.1/\"\n"
        "}\n"
        "vrrp_instance VI_1 {\n"
        " interface eth0\n"
        " authentication {\n"
        "  auth_type PASS\n"
        "  auth_pass ****\n"
        " }\n"
        " priority 100\n"
        "}\n"
        "vrrp_instance VI_2 {\n"
        " authentication { auth_type PASS auth_pass **** }\n"
        " auth_hmac {\n"
        "  key ****\n"
        "  ****\n"
        " }\n"
        "}");
  const std::string toml =
      "[vrrp_instance.A.authentication]\nauth_type = \"PASS\"\nauth_pass = \"abc\"\n"
      "[vrrp_instance.B]\npriority = 100\n";
  CHECK(Secrets{}.configuration_without_secrets(toml) ==
        "[vrrp_instance.A.authentication]\nauth_type = \"PASS\"\nauth_pass = ****\n"
        "[vrrp_instance.B]\npriority = 100\n");
}

TEST_CASE("secrets: the password of the mail relay, and nothing else of global_defs") {
  const std::string text =
      "global_defs {\n smtp_user holdfast\n smtp_password s3cretive\n smtp_pasword s3cretive2\n"
      " notification_email {\n  night@example.org\n }\n router_idd lb1\n}\n";
  Secrets secrets;
  secrets.read(text);
  CHECK(secrets.configuration_without_secrets(text) ==
        "global_defs {\n smtp_user holdfast\n smtp_password ****\n smtp_pasword ****\n"
        " notification_email {\n  night@example.org\n }\n router_idd lb1\n}\n");
  CHECK(secrets.without_secrets("unknown word 's3cretive2' in global_defs") ==
        "unknown word '****' in global_defs");
}

TEST_CASE("secrets: a value in the line below its word, and words that other mailers have") {
  for (const std::string slip :
       {"smtp_password\n XYZZY\n", "smtp_password\n\n # it follows\n XYZZY\n",
        "smtp_pasword\n \"XYZZY\"\n", "smtp_auth_pass XYZZY\n", "smtp_auth me XYZZY\n",
        "smtp_pw XYZZY\n", "smtp_token XYZZY\n", "smtp_login XYZZY\n", "mail_key\n XYZZY\n"}) {
    const std::string text = "global_defs {\n " + slip + "}\n" + with("");
    CHECK_FALSE(shows(told(text), "XYZZY"));
    Secrets secrets;
    secrets.read(text);
    CHECK_FALSE(shows(secrets.configuration_without_secrets(text), "XYZZY"));
  }
  CHECK_FALSE(shows(told("global_defs {\n smtp_password\n QZX\n}\n" + with("")), "QZX"));
  CHECK(shows(told("global_defs {\n smtp_password\n smtp_cca /x\n router_idd lb1\n}\n" + with("")),
              "router_idd lb1"));
  CHECK(shows(
      told("# the password\nnonsense\n" + with(" track_script {\n chk_password\n other\n }\n")),
      "'other'"));
  CHECK(shows(told("# smtp_password\nnonsense\n" + with("")), "'nonsense'"));
  CHECK(shows(told("global_defs {\n smtp_password\n}\nnonsense\n" + with("")), "'nonsense'"));
}

TEST_CASE("secrets: a sentence keeps the password of an address that nobody has learned") {
  CHECK(Secrets{}.without_secrets("'curl http://a:XYZZY@b/ ftp://c:XYZZY@d' cannot run") ==
        "'curl http://a:****@b/ ftp://c:****@d' cannot run");
}

TEST_CASE("secrets: endless lines of braces, words and addresses cost no more than reading them") {
  std::string urls;
  for (int i = 0; i < 100'000; ++i) urls += "a://b ";
  const std::string braces(200'000, '{');
  const std::string quotes(200'000, '"');
  const std::string secret = "auth_pass " + urls;
  std::string blanks(300, ' ');
  blanks += '{';
  for (const std::string_view text :
       {std::string_view(urls), std::string_view(braces), std::string_view(quotes),
        std::string_view(secret), std::string_view(blanks)})
    CHECK_FALSE(shows(told(std::string(text) + "\n"), "XYZZY"));
}
