// One test over every row of the table: a legal value is accepted, an illegal one refused with the
// place named.
#include "config/schema.hpp"

#include "config/build.hpp"
#include "config/decode.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string legal(const Arg& arg) {
  switch (arg.type) {
    case ArgType::none:
      return "";
    case ArgType::word:
      return "word";
    case ArgType::integer:
      return fmt::format("{}", arg.low);
    case ArgType::seconds:
      return fmt::format("{}", arg.high / 1'000'000);
    case ArgType::boolean:
      return "off";
    case ArgType::ip:
    case ArgType::ip4:
      return "192.168.1.9";
    case ArgType::netmask:
      return "255.255.255.0";
    case ArgType::choice:
    case ArgType::choice_any_case:
      return std::string(arg.words.substr(0, arg.words.find(' ')));
    case ArgType::interface:
      return "eth0";
    case ArgType::scheduler:
      return "wrr";
    case ArgType::digest:
      return "0123456789abcdefABCDEF0123456789";
    case ArgType::status_code:
      return "200-299";
    case ArgType::script:
      return "\"/bin/command with arguments\"";
    case ArgType::milliseconds:
      return fmt::format("{}", arg.high / 1000);
    case ArgType::mac:
      return "00:00:5e:00:01:0a";
    case ArgType::hex:
      return "0123456789abcdef";
    case ArgType::prefix:
      return "192.168.1.0/24";
    case ArgType::options:
      return "";
  }
  return "";
}

// Empty: every word is legal.
std::string illegal(const Arg& arg) {
  switch (arg.type) {
    case ArgType::none:
    case ArgType::word:
      return "";
    case ArgType::integer:
      return fmt::format("{}", arg.high + 1);
    case ArgType::seconds:
      return fmt::format("{}", arg.high / 1'000'000 + 1);
    case ArgType::boolean:
      return "maybe";
    case ArgType::ip:
      return "192.168.1.256";
    case ArgType::ip4:
      return "2001:db8::1";
    case ArgType::netmask:
      return "255.0.255.0";
    case ArgType::choice:
    case ArgType::choice_any_case:
      return "SOMETHING_ELSE";
    case ArgType::interface:
      return "an_interface_name_too_long";
    case ArgType::scheduler:
      return "RR|WRR";
    case ArgType::digest:
      return "0123";
    case ArgType::status_code:
      return "299-200";
    case ArgType::script:
      return "\"  \"";
    case ArgType::milliseconds:
      return fmt::format("{}", arg.high / 1000 + 1);
    case ArgType::mac:
      return "00:00:5e";
    case ArgType::hex:
      return "012";
    case ArgType::prefix:
      return "192.168.1.0/33";
    case ArgType::options:
      return "";
  }
  return "";
}

// A configuration that has `line` in `block`, and nothing else to complain about.
std::string around(Block block, const std::string& line) {
  const std::string check = "TCP_CHECK {\n}";
  if (block == Block::global_defs) return "global_defs {\n" + line + "\n}\n";
  if (block == Block::vrrp_instance) return instance(line);
  if (block == Block::authentication) return instance("authentication {\n" + line + "\n}");
  if (block == Block::virtual_server) return service(line);
  if (block == Block::real_server) return service("", line + "\n" + check);
  if (block == Block::tcp_check) return service("", "TCP_CHECK {\n" + line + "\n}");
  if (block == Block::http_get) {
    return service("", "HTTP_GET {\nurl {\npath /\n}\n" + line + "\n}");
  }
  if (block == Block::url) return service("", "HTTP_GET {\nurl {\npath /\n" + line + "\n}\n}");
  return "";
}

std::string statement(const Keyword& keyword, bool bad) {
  std::string line(keyword.name);
  for (const Arg& arg : keyword.args) {
    if (arg.type == ArgType::none) break;
    line += ' ' + (bad ? illegal(arg) : legal(arg));
    if (bad) break;
  }
  return line;
}

}  // namespace

TEST_CASE(
    "schema: every word that is read is accepted with a legal value and refused with an illegal "
    "one") {
  std::size_t tried = 0;
  for (const Keyword& keyword : Schema::instance().all()) {
    const std::string good = around(keyword.block, statement(keyword, false));
    if (keyword.effect == Effect::known || keyword.opens || good.empty()) continue;
    ++tried;
    CAPTURE(keyword.name);
    CAPTURE(name_of(keyword.block));

    const Loaded accepted = load(good);
    CHECK_MESSAGE(!accepted.diagnostics.has_errors(), render_text(accepted.diagnostics));

    const bool takes_any =
        keyword.args[0].type == ArgType::none || illegal(keyword.args[0]).empty();
    if (takes_any) continue;
    const Loaded refused = load(around(keyword.block, statement(keyword, true)));
    CHECK_MESSAGE(refused.diagnostics.errors() == 1, render_text(refused.diagnostics));
    for (const Diagnostic& one : refused.diagnostics.all()) {
      if (one.severity != Severity::error) continue;
      CHECK(one.line > 0);
      CHECK(one.message.find(fmt::format("'{}' must be", keyword.name)) == 0);
      CHECK(one.source_line.substr(one.byte_offset).starts_with(illegal(keyword.args[0])));
    }

    if (keyword.args[0].optional) continue;
    const Loaded bare = load(around(keyword.block, std::string(keyword.name)));
    CHECK_MESSAGE(bare.diagnostics.errors() == 1, render_text(bare.diagnostics));
  }
  CHECK(tried > 100);
}

TEST_CASE(
    "schema: every word that keepalived knows and Holdfast does not read is one warning, its block "
    "skipped") {
  std::size_t tried = 0;
  for (const Keyword& keyword : Schema::instance().all()) {
    const std::string line = std::string(keyword.name) + " 1 2 3 {\n anything { at all }\n}";
    const std::string text =
        keyword.block == Block::root ? line + "\n" + instance("") : around(keyword.block, line);
    if (keyword.effect != Effect::known || text.empty()) continue;
    ++tried;
    CAPTURE(keyword.name);
    CAPTURE(name_of(keyword.block));

    const Loaded loaded = load(text);

    CHECK_MESSAGE(loaded.diagnostics.errors() == 0, render_text(loaded.diagnostics));
    CHECK_MESSAGE(loaded.diagnostics.warnings() == 1, render_text(loaded.diagnostics));
    CHECK((loaded.model.instances.size() + loaded.model.services.size() == 1 ||
           keyword.block == Block::global_defs));
  }
  CHECK(tried > 180);
}

TEST_CASE("schema: no word claims to be read without somebody reading it") {
  for (const KeywordId id : words_without_meaning()) {
    FAIL_CHECK(name_of(Schema::instance()[id].block), " ", Schema::instance()[id].name);
  }
}

TEST_CASE("schema: every word that is read is documented, one line each") {
  for (const Keyword& keyword : Schema::instance().all()) {
    if (keyword.effect == Effect::known || !keyword.alias_of.empty()) continue;
    CAPTURE(keyword.name);
    CHECK(!keyword.doc.empty());
    CHECK(keyword.doc.find('\n') == std::string_view::npos);
  }
}

TEST_CASE(
    "schema: words that decide who is master or where packets go say plainly that they are not "
    "done") {
  const Schema& schema = Schema::instance();
  const auto notice = [&](Block block, std::string_view name) {
    return std::string(schema[*schema.find(block, name)].notice);
  };
  for (const char* name :
       {"unicast_peer", "use_vmac", "track_script", "track_interface", "virtual_routes"}) {
    CHECK(notice(Block::vrrp_instance, name).starts_with("Holdfast does not "));
  }
  CHECK(notice(Block::root, "vrrp_sync_group").starts_with("Holdfast does not do sync groups yet"));
  CHECK(notice(Block::real_server, "MISC_CHECK")
            .starts_with("Holdfast does not do this checker yet"));
}
