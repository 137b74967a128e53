// One test over every row of the table: a legal value is accepted, an illegal one refused with the
// place named.
#include "config/schema/schema.hpp"

#include "config/builders/build.hpp"
#include "config/schema/decode.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string legal(const Arg& arg);

// Words that are looked at more closely than their argument's type says.
std::string legal(const Keyword& keyword, const Arg& arg) {
  static const std::map<std::string_view, std::string> kValues = {
      {"brd", "+"},       {"broadcast", "10.0.0.255"}, {"fwmark", "0x10/0xff"}, {"uidrange", "1-2"},
      {"sport", "80"},    {"dport", "80-90"},          {"umask", "0177"},       {"rtt", "100ms"},
      {"rttvar", "1.5s"}, {"rto_min", "100"}};
  const auto value = kValues.find(keyword.name);
  if (keyword.block == Block::sync_daemon_line && keyword.name == "group") return "224.0.0.81";
  return value == kValues.end() || arg.type != ArgType::word ? legal(arg) : value->second;
}

// The first option of a line with its own arguments.
std::string first_option(Block line) {
  const Schema& schema = Schema::instance();
  const Keyword& option = schema[*schema.find(line, schema.words_of(line).front())];
  std::string text(option.name);
  for (const Arg& arg : option.args) {
    if (arg.type != ArgType::none) text += ' ' + legal(option, arg);
  }
  return text;
}

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
    case ArgType::ip6:
      return "2001:db8::9";
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
      return arg.optional ? "" : first_option(arg.line);
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
    case ArgType::ip6:
      return "192.168.1.9";
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
      return "0g";
    case ArgType::prefix:
      return "192.168.1.0/33";
    case ArgType::options:
      return "";
  }
  return "";
}

// Option words behind the first words of a line, on a line that needs nothing more.
std::string around_lines(Block block, const std::string& line) {
  const auto list = [&](const char* word, const char* start) {
    return fmt::format("{} {{\n{} {}\n}}\n{}", word, start, line, instance(""));
  };
  if (block == Block::address_list) return list("static_ipaddress", "10.0.0.1 dev eth0");
  if (block == Block::route_list) return list("static_routes", "default dev eth0");
  if (block == Block::next_hop_line) return list("static_routes", "default nexthop dev eth0");
  if (block == Block::encap_line) return list("static_routes", "default dev eth0 encap ip");
  if (block == Block::rule_list) return list("static_rules", "iif lo table 9");
  if (block == Block::sync_daemon_line)
    return "global_defs {\nlvs_sync_daemon eth0 " + line + "\n}\n";
  if (block == Block::lvs_sysctl) return "global_defs {\nlvs_sysctl {\n" + line + "\n}\n}\n";
  if (block == Block::timeouts_line) return "global_defs {\nlvs_timeouts " + line + "\n}\n";
  return "";
}

// The blocks of VRRP and of what it watches.
std::string around_vrrp(Block block, const std::string& line) {
  if (block == Block::auth_hmac) return instance("auth_hmac {\n" + line + "\n}");
  if (block == Block::peer_list) return instance("unicast_peer {\n10.0.0.2 " + line + "\n}");
  if (block == Block::track_interface_list)
    return instance("track_interface {\neth1 " + line + "\n}");
  if (block == Block::track_list) return instance("track_file {\nchk " + line + "\n}");
  if (block == Block::vmac_line) return instance("use_vmac " + line);
  if (block == Block::ipvlan_line) return instance("use_ipvlan " + line);
  if (block == Block::garp_group) return "garp_group {\n" + line + "\n}\n" + instance("");
  for (const Block other : {Block::vrrp_sync_group, Block::vrrp_script, Block::vrrp_track_process,
                            Block::track_file, Block::bfd_instance, Block::track_group}) {
    if (block == other)
      return fmt::format("{} NAME {{\n{}\n}}\n{}", name_of(block), line, instance(""));
  }
  return "";
}

// A checker with `line`, and with the word it cannot do without unless `line` is that word.
std::string checker(std::string_view type, std::string_view needs, const std::string& line) {
  const bool is_it = line.starts_with(needs.substr(0, needs.find(' ')));
  return fmt::format(
      "bfd_instance B {{\nneighbor_ip 10.0.0.9\n}}\ntrack_file F {{\nfile /tmp/f\n}}\n{}",
      service("", fmt::format("{} {{\n{}\n{}\n}}", type, is_it ? "" : needs, line)));
}

// The blocks of services and of their checkers.
std::string around_services(Block block, const std::string& line) {
  if (block == Block::virtual_server) return service(line);
  if (block == Block::real_server) return service("", line + "\nTCP_CHECK {\n}");
  if (block == Block::tunnel_line) return service("lb_kind TUN " + line);
  if (block == Block::virtual_server_group)
    return "virtual_server_group G {\n10.0.0.1 80\n" + line + "\n}\n" + service("");
  if (block == Block::ssl) return "SSL {\n" + line + "\n}\n" + service("");
  if (block == Block::url) return service("", "HTTP_GET {\nurl {\npath /\n" + line + "\n}\n}");
  if (block == Block::smtp_host) return checker("SMTP_CHECK", "", "host {\n" + line + "\n}");
  if (block == Block::http_get || block == Block::ssl_get)
    return checker(name_of(block), "url {\npath /\n}", line);
  if (block == Block::misc_check) return checker("MISC_CHECK", "misc_path /bin/true", line);
  if (block == Block::bfd_check) return checker("BFD_CHECK", "name B", line);
  if (block == Block::file_check) return checker("FILE_CHECK", "track_file F", line);
  for (const Block other : {Block::tcp_check, Block::smtp_check, Block::dns_check, Block::udp_check,
                            Block::ping_check}) {
    if (block == other) return checker(name_of(block), "", line);
  }
  return "";
}

// A configuration that has `line` in `block`, and nothing else to complain about.
std::string around(Block block, const std::string& line) {
  if (block == Block::root) return line + "\n" + instance("");
  if (block == Block::global_defs) return "global_defs {\n" + line + "\n}\n";
  if (const std::string text = around_lines(block, line); !text.empty()) return text;
  if (block == Block::vrrp_instance) return instance(line);
  if (block == Block::authentication) return instance("authentication {\n" + line + "\n}");
  if (const std::string text = around_services(block, line); !text.empty()) return text;
  return around_vrrp(block, line);
}

std::string statement(const Keyword& keyword, bool bad) {
  std::string line(keyword.name);
  for (const Arg& arg : keyword.args) {
    if (arg.type == ArgType::none) break;
    line += ' ' + (bad ? illegal(arg) : legal(keyword, arg));
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
    if (keyword.opens || good.empty()) continue;
    ++tried;
    CAPTURE(keyword.name);
    CAPTURE(name_of(keyword.block));

    const Loaded accepted = load(good);
    CHECK_MESSAGE(!accepted.diagnostics.has_errors(), render_text(accepted.diagnostics));

    // "[lock] WORD" takes any word, too.
    const bool left_out = is_left_out(keyword, 0, illegal(keyword.args[0]));
    const bool takes_any = keyword.args[0].type == ArgType::none ||
                           illegal(keyword.args[0]).empty() ||
                           (left_out && illegal(keyword.args[1]).empty());
    if (takes_any) continue;
    const Loaded refused = load(around(keyword.block, statement(keyword, true)));
    // A warning where a default or the rest of the block has a meaning without it.
    std::size_t said = 0;
    for (const Diagnostic& one : refused.diagnostics.all()) {
      if (!one.message.starts_with(fmt::format("'{}' must be", keyword.name))) continue;
      ++said;
      CHECK(one.line > 0);
      CHECK(one.source_line.substr(one.byte_offset).starts_with(illegal(keyword.args[0])));
    }
    CHECK_MESSAGE(said == 1, render_text(refused.diagnostics));

    if (keyword.args[0].optional) continue;
    const Loaded bare = load(around(keyword.block, std::string(keyword.name)));
    CHECK_MESSAGE(bare.diagnostics.errors() == 1, render_text(bare.diagnostics));
  }
  CHECK(tried > 500);
}

TEST_CASE("schema: no word claims to be read without somebody reading it") {
  for (const KeywordId id : words_without_meaning()) {
    FAIL_CHECK(name_of(Schema::instance()[id].block), " ", Schema::instance()[id].name);
  }
}

TEST_CASE("schema: every word that is read is documented, one line each") {
  for (const Keyword& keyword : Schema::instance().all()) {
    if (!keyword.alias_of.empty()) continue;
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
  CHECK(notice(Block::vrrp_instance, "track_bfd").starts_with("Holdfast does not "));
  CHECK(notice(Block::real_server, "BFD_CHECK").starts_with("Holdfast does not do BFD_CHECK yet"));
}

TEST_CASE("schema: what a word does not do here is told apart from a mistake of the author") {
  const Loaded hints =
      load("global_defs {\n lvs_id x\n enable_snmp_rfc\n}\n" + instance("vrf red\n"));
  CHECK(hints.diagnostics.warnings() >= 3);
  for (const Diagnostic& one : hints.diagnostics.all())
    CHECK_MESSAGE((one.severity != Severity::warning || one.kind == Kind::hint), render(one));
  const Loaded mistakes = load(instance("advert_int often\nprioroty 5\n"));
  CHECK(mistakes.diagnostics.warnings() >= 2);
  for (const Diagnostic& one : mistakes.diagnostics.all()) CHECK(one.kind == Kind::mistake);
  CHECK(hints.diagnostics.hints() == hints.diagnostics.warnings());
  CHECK(mistakes.diagnostics.hints() == 0);
  // The kind is no matter of words: a mistake may quote ours.
  const Loaded quoting = load(instance("advert_int \"Holdfast does not do that\"\n"));
  REQUIRE(quoting.diagnostics.warnings() == 1);
  CHECK(quoting.diagnostics.all().front().message.find("Holdfast does not ") != std::string::npos);
  CHECK(quoting.diagnostics.hints() == 0);
}
