// The checkers beyond TCP_CHECK and HTTP_GET: what each of their words means.
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

std::vector<Check> checks_of(const Model& model) {
  REQUIRE(model.services.size() == 1);
  REQUIRE(model.services[0].real_servers.size() == 1);
  return model.services[0].real_servers[0].checks;
}

// The only checker of a server that has `block` and nothing else.
template <class T>
T only(std::string_view block, std::string_view in_service = "") {
  const Loaded loaded = load(service(in_service, block));
  CHECK_MESSAGE(!loaded.diagnostics.has_errors(), render_text(loaded.diagnostics));
  const std::vector<Check> checks = checks_of(loaded.model);
  REQUIRE(checks.size() == 1);
  const T* check = std::get_if<T>(checks.data());
  REQUIRE(check != nullptr);
  return *check;
}

}  // namespace

TEST_CASE("checkers: one that is not done yet says what follows, and is kept") {
  const Loaded loaded =
      load("bfd_instance b {\nneighbor_ip 192.0.2.9\n}\n" + service("", "BFD_CHECK {\nname b\n}"));

  CHECK(findings(loaded.diagnostics)
            .find("8:1 warning: Holdfast does not do BFD_CHECK yet: without another checker the "
                  "server stays as the table has it") != std::string::npos);
  CHECK(checks_of(loaded.model).size() == 1);
}

TEST_CASE("checkers: defaults differ by type, and what the service says beats them") {
  const auto dns = only<DnsCheck>("DNS_CHECK {\n}", "delay_loop 7");
  CHECK(dns.connect.retry == 3);
  CHECK(dns.connect.delay_before_retry == 7s);
  CHECK(only<DnsCheck>("DNS_CHECK {\n}", "retry 2").connect.retry == 2);

  const auto misc = only<MiscCheck>("MISC_CHECK {\nmisc_path /bin/true\n}", "connect_timeout 9");
  CHECK(misc.pace.retry == 0);
  CHECK(misc.pace.delay_before_retry == 1s);
  CHECK(misc.pace.connect_timeout == 5s);

  CHECK(only<HttpCheck>("SSL_GET {\nurl {\npath /\n}\n}").connect.delay_before_retry == 3s);
  CHECK(only<UdpCheck>("UDP_CHECK {\n}").connect.retry == 1);
}

TEST_CASE("MISC_CHECK: command, user, timeout and weight by exit code") {
  const auto one = only<MiscCheck>(
      "MISC_CHECK {\nuser nobody nogroup\nmisc_path \"/bin/check one 'two three'\"\n"
      "misc_timeout 4\nmisc_dynamic\nretry 2\nwarmup 0\n}");

  CHECK(one.script->argv == std::vector<std::string>{"/bin/check", "one", "two three"});
  CHECK(one.script->user == "nobody");
  CHECK(one.script->group == "nogroup");
  CHECK(one.timeout == 4s);
  CHECK(one.dynamic);
  CHECK(one.pace.retry == 2);
  CHECK(one.pace.warmup == 0s);
  CHECK_FALSE(only<MiscCheck>("MISC_CHECK {\nmisc_path /bin/true\n}").dynamic);
}

TEST_CASE("checkers: one without the word it is about is told and left out") {
  const auto complains = [](std::string_view block, std::string_view expected) {
    const Loaded loaded = load(service("", block));
    const std::string all = findings(loaded.diagnostics);
    CHECK_MESSAGE(all.find(expected) != std::string::npos, all);
    return checks_of(loaded.model).empty();
  };
  CHECK(complains("MISC_CHECK {\n}", "this MISC_CHECK has no 'misc_path'"));
  CHECK(complains("BFD_CHECK {\n}", "this BFD_CHECK has no 'name'"));
  CHECK(complains("FILE_CHECK {\nweight 2\n}", "this FILE_CHECK has no 'track_file'"));
}

TEST_CASE("UDP_CHECK: bytes are pairs of digits, a digit left over is a byte of its own") {
  const auto one = only<UdpCheck>(
      "UDP_CHECK {\npayload Ab12f 3 456\nrequire_reply \"ff xx\" 1X\nmin_reply_length 2\n"
      "max_reply_length 9\n}");

  CHECK(one.payload == std::vector<std::uint8_t>{0xAB, 0x12, 0x0F, 0x03, 0x45, 0x06});
  CHECK(one.require_reply);
  CHECK(one.reply_pattern == "FFXX1X");
  CHECK(one.min_reply_length == 2);
  CHECK(one.max_reply_length == 9);

  const auto any = only<UdpCheck>("UDP_CHECK {\nrequire_reply\nmin_reply_length 300\n}");
  CHECK(any.require_reply);
  CHECK(any.reply_pattern.empty());
  CHECK(any.max_reply_length == 300);
  CHECK_FALSE(only<UdpCheck>("UDP_CHECK {\n}").require_reply);
}

TEST_CASE("SMTP_CHECK: one check a host, each with what the SMTP_CHECK says for all") {
  CHECK(only<SmtpCheck>("SMTP_CHECK {\nhelo_name me.example\n}").helo_name == "me.example");

  const Loaded loaded =
      load(service("",
                   "SMTP_CHECK {\nhost {\nconnect_ip 10.0.0.8\nretry 4\n}\nhelo_name me.example\n"
                   "retry 6\nconnect_port 26\nhost {\nconnect_port 27\n}\n}"));
  const std::vector<Check> checks = checks_of(loaded.model);
  REQUIRE(checks.size() == 2);
  const auto& first = std::get<SmtpCheck>(checks[0]);
  const auto& second = std::get<SmtpCheck>(checks[1]);
  CHECK(first.connect.connect_ip.to_string() == "10.0.0.8");
  CHECK(first.connect.connect_port == 26);
  CHECK(first.connect.retry == 4);
  CHECK(first.helo_name == "me.example");
  CHECK(second.connect.connect_ip.to_string() == "192.168.1.67");
  CHECK(second.connect.connect_port == 27);
  CHECK(second.connect.retry == 6);
}

TEST_CASE("SSL_GET: the words of HTTP_GET, and those of TLS") {
  const auto one = only<HttpCheck>(
      "SSL_GET {\nsni_name other.example\ntls_compliant\nfast_recovery\nurl {\npath /a\n"
      "tls_compliant no\n}\nurl {\npath /b\n}\n}");

  CHECK(one.tls);
  CHECK(one.enable_sni);
  CHECK(one.sni_name == "other.example");
  CHECK((one.tls_compliant && one.fast_recovery));
  REQUIRE(one.urls.size() == 2);
  CHECK(one.urls[0].tls_compliant == false);
  CHECK_FALSE(one.urls[1].tls_compliant.has_value());
}

TEST_CASE("url: a pattern with its options; options without a pattern are told") {
  const auto one = only<HttpCheck>(
      "HTTP_GET {\nurl {\npath /\nregex_no_match\nregex_options caseless dotall\n"
      "regex \"^ok .*\"\nregex_min_offset 5\nregex_max_offset 90\n}\n}");
  REQUIRE(one.urls[0].pattern);
  const BodyPattern& pattern = *one.urls[0].pattern;
  CHECK(pattern.regex == "^ok .*");
  CHECK(pattern.no_match);
  CHECK(pattern.options == std::vector<std::string>{"caseless", "dotall"});
  CHECK(pattern.min_offset == 5);
  CHECK(pattern.max_offset == 90);

  const Loaded alone = load(service("", "HTTP_GET {\nurl {\npath /\nregex_no_match\n}\n}"));
  CHECK(findings(alone.diagnostics)
            .find("8:1 warning: this has no effect: the 'url' has no "
                  "'regex'") != std::string::npos);
}

TEST_CASE("BFD_CHECK and FILE_CHECK: what they look at, and the weight") {
  const std::string objects =
      "bfd_instance B {\nneighbor_ip 10.0.0.9\n}\ntrack_file F {\nfile /tmp/f\n}\n";
  const Loaded loaded =
      load(objects + service("alpha",
                             "BFD_CHECK {\nname B\nalpha off\n}\nFILE_CHECK {\ntrack_file F\n"
                             "weight -3 reverse\n}\nFILE_CHECK {\ntrack_file F\n}"));
  const std::vector<Check> checks = checks_of(loaded.model);
  REQUIRE(checks.size() == 3);
  CHECK(std::get<BfdCheck>(checks[0]).name == "B");
  CHECK_FALSE(std::get<BfdCheck>(checks[0]).alpha);
  const auto& file = std::get<FileCheck>(checks[1]);
  CHECK(file.weight == -3);
  CHECK(file.reverse);
  CHECK_FALSE(std::get<FileCheck>(checks[2]).weight.has_value());
}
