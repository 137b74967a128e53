// DNS_CHECK, UDP_CHECK and PING_CHECK without a network: what each kind of answer means.
#include "checkers/core/dns.hpp"
#include "checkers/core/exchange.hpp"
#include "checkers/core/file_verdict.hpp"
#include "checkers/core/script_verdict.hpp"
#include "core/checksum.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

std::string hex(std::string_view digits) {
  std::string bytes;
  std::string pair;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    pair += digit;
    if (pair.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
    pair.clear();
  }
  return bytes;
}

constexpr std::uint16_t kId = 0x1234;
const DnsProbe kQuestion{.type = 6, .name = "lab.example"};
const std::string kAsked = hex("03 6c6162 07 6578616d706c65 00 0006 0001");

/// An answer to kQuestion with these flags; `rest` in place of the question.
std::string answer(std::string_view flags_and_counts, const std::string& rest = kAsked) {
  return hex("1234") + hex(flags_and_counts) + rest;
}

Hearing hear(const std::string& datagram, const DnsProbe& probe = kQuestion) {
  return DnsExchange(probe, kId).hear(datagram);
}

Outcome outcome_of(const Hearing& hearing) {
  REQUIRE(std::holds_alternative<Verdict>(hearing));
  return std::get<Verdict>(hearing).outcome;
}

}  // namespace

TEST_CASE("dns: the question as sent") {
  CHECK(dns_question(kQuestion, kId) == hex("1234 0100 0001 0000 0000 0000") + kAsked);
  CHECK(dns_question({.type = 6, .name = "."}, 1) ==
        hex("0001 0100 0001 0000 0000 0000 00 0006 0001"));
  // keepalived 2.2.7 asks for the root in place of a name whose first label is one letter.
  CHECK(dns_question({.type = 1, .name = "m.example.com."}, 1) ==
        hex("0001 0100 0001 0000 0000 0000 016d 07 6578616d706c65 03 636f6d 00 0001 0001"));
}

TEST_CASE("dns: what is no name is not asked for") {
  const std::string_view long_label =
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b";
  const std::string long_name(300, 'a');
  for (const std::string_view name :
       {std::string_view("a..b"), std::string_view(".a"), std::string_view(".."),
        std::string_view("a.."), long_label, std::string_view(long_name)})
    CHECK_MESSAGE(dns_question({.name = std::string(name)}, 1).empty(), std::string(name));
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  CHECK_FALSE(dns_question({.name = longest}, 1).empty());
  CHECK(dns_question({.name = longest + "a"}, 1).empty());
}

TEST_CASE("dns: every type of DNS_CHECK has its number") {
  const std::vector<std::pair<std::string_view, std::uint16_t>> types{
      {"A", 1},    {"NS", 2},    {"CNAME", 5},  {"SOA", 6},    {"MX", 15},
      {"TXT", 16}, {"AAAA", 28}, {"RRSIG", 46}, {"DNSKEY", 48}};
  for (const auto& [name, number] : types) {
    CHECK(dns_type(name) == number);
    CHECK(dns_type_name(number) == name);
  }
  CHECK_FALSE(dns_type("ANY"));
}

TEST_CASE("dns: NOERROR passes, with or without answers, with or without the question") {
  CHECK(outcome_of(hear(answer("8580 0001 0001 0000 0000"))) == passed("NOERROR, 1 answer(s)"));
  CHECK(outcome_of(hear(answer("8180 0001 0000 0001 0000"))) == passed("NOERROR, 0 answer(s)"));
  CHECK(outcome_of(hear(answer("8180 0000 0000 0000 0000", ""))).result == Result::passed);
  CHECK(outcome_of(hear(answer("8180 0001 0000 0000 0000",
                               hex("03 4c6142 07 4558414d504c45 00 0006 0001"))))
            .result == Result::passed);
}

TEST_CASE("dns: any other code fails by its name") {
  CHECK(outcome_of(hear(answer("8182 0001 0000 0000 0000"))) ==
        failed(Cause::wrong_status, "lab.example SOA: SERVFAIL"));
  CHECK(outcome_of(hear(answer("8183 0001 0000 0000 0000"))).reason == "lab.example SOA: NXDOMAIN");
  CHECK(outcome_of(hear(answer("8185 0000 0000 0000 0000", ""))).reason ==
        "lab.example SOA: REFUSED");  // unbound, to strangers: 12 bytes
  CHECK(outcome_of(hear(answer("818f 0001 0000 0000 0000"))).reason == "lab.example SOA: code 15");
  CHECK(outcome_of(hear(hex("1234 8185 0000 0000 0000 0000"), {.type = 6, .name = "."})).reason ==
        ". SOA: REFUSED; who does not serve the root refuses this question: 'name' asks another "
        "one");
}

TEST_CASE("dns: short answers and echoed questions fail") {
  for (std::size_t size = 0; size < 12; ++size)
    CHECK(outcome_of(hear(answer("8180 0001 0001 0000 0000").substr(0, size))).cause ==
          Cause::malformed_reply);
  CHECK(outcome_of(hear(dns_question(kQuestion, kId))) ==
        failed(Cause::malformed_reply, "the question came back instead of an answer"));
}

TEST_CASE("dns: answers to other questions are passed over, and named when nothing else comes") {
  DnsExchange exchange(kQuestion, kId);
  CHECK(exchange.on_silence(2s).reason == "no answer within 2000 ms");
  CHECK(exchange.hear(hex("4321 8180 0001 0000 0000 0000") + kAsked) == Hearing(NeedMore{}));
  CHECK(exchange.hear(answer("8180 0001 0000 0000 0000", hex("00 0006 0001"))) ==
        Hearing(NeedMore{}));
  CHECK(exchange.hear(answer("8180 0001 0000 0000 0000", kAsked.substr(0, 9))) ==
        Hearing(NeedMore{}));
  CHECK(exchange.on_silence(2s) ==
        failed(Cause::timeout, "no answer within 2000 ms, only answers to other questions"));
}

TEST_CASE("dns: an answer that is cut is asked for by TCP, in every split") {
  CHECK(hear(answer("8780 0001 0000 0000 0000")) == Hearing(AskByStream{}));

  const std::string message = answer("8180 0001 0001 0000 0000") + std::string(600, 'x');
  const std::string stranger = hex("000c 4321 8180 0000 0000 0000 0000");
  const std::string stream = stranger + static_cast<char>(message.size() >> 8) +
                             static_cast<char>(message.size() & 255) + message;
  for (std::size_t at = 0; at < stream.size(); ++at) {
    DnsDialogue talk(kQuestion, kId);
    const Step asked = talk.advance({}, false);
    REQUIRE(std::holds_alternative<Send>(asked));
    CHECK(std::get<Send>(asked).bytes == hex("001d") + dns_question(kQuestion, kId));
    CHECK(talk.advance(stream.substr(0, at), false) == Step{NeedMore{}});
    CHECK(talk.advance(stream.substr(at), false) == Step{Verdict{passed("NOERROR, 1 answer(s)")}});
  }
}

TEST_CASE("dns: by TCP a cut answer and a close are failures") {
  DnsDialogue cut(kQuestion, kId);
  static_cast<void>(cut.advance({}, false));
  const Step step = cut.advance(hex("001d") + answer("8780 0001 0000 0000 0000"), false);
  CHECK(std::get<Verdict>(step).outcome.cause == Cause::malformed_reply);

  DnsDialogue closed(kQuestion, kId);
  static_cast<void>(closed.advance({}, false));
  CHECK(std::get<Verdict>(closed.advance({}, true)).outcome.cause == Cause::closed_early);
}

TEST_CASE(
    "udp: without require_reply any answer passes, and so does a silence that is long enough") {
  const UdpExchange exchange({}, "0123456789abcdef");
  CHECK(exchange.request() == "0123456789abcdef");
  CHECK(outcome_of(exchange.hear("")) == passed("answers"));
  CHECK(outcome_of(exchange.hear(std::string(9000, 'x'))) == passed("answers"));
  CHECK(exchange.patience(1s) == 3200ms);  // before, nobody can know that the host is gone
  CHECK(exchange.patience(5s) == 5s);
  CHECK(exchange.on_silence(5s).result == Result::passed);
}

TEST_CASE("udp: require_reply wants bytes, lengths, and no silence") {
  const UdpExchange exchange({.payload = {0xab, 0x01},
                              .reply_required = true,
                              .pattern = "ABX2",
                              .min_reply_length = 2,
                              .max_reply_length = 4},
                             "unused");
  CHECK(exchange.request() == "\xab\x01");
  CHECK(exchange.patience(1s) == 1s);
  CHECK(exchange.on_silence(1s) == failed(Cause::timeout, "no answer within 1000 ms"));
  CHECK(outcome_of(exchange.hear("\xab\x42")) == passed("answers as expected"));
  CHECK(outcome_of(exchange.hear("\xab\xf2zz")).result == Result::passed);
  CHECK(outcome_of(exchange.hear("\xab\x43")) ==
        failed(Cause::wrong_content, "the answer begins with AB43 instead of ABX2"));
  CHECK(outcome_of(exchange.hear("\xab")) ==
        failed(Cause::wrong_content, "an answer of 1 bytes instead of 2 to 4"));
  CHECK(outcome_of(exchange.hear("\xab\x42zzz")).cause == Cause::wrong_content);

  const UdpExchange shorter({.reply_required = true, .pattern = "ABCD"}, "x");
  CHECK(outcome_of(shorter.hear("\xab")).cause == Cause::wrong_content);
  CHECK(outcome_of(shorter.hear("")).reason == "the answer begins with nothing instead of ABCD");
}

TEST_CASE("ping: request and reply of both families") {
  using Identifier = PingExchange::Identifier;
  const PingExchange four(core::Family::v4, Identifier::ours, 0x4711, "token");
  const std::string& request = four.request();
  CHECK(request.substr(0, 2) == "\x08\x00"s);
  CHECK(core::internet_checksum(
            std::span(reinterpret_cast<const std::uint8_t*>(request.data()), request.size())) == 0);
  std::string reply = request;
  reply[0] = 0;
  CHECK(outcome_of(four.hear(reply)) == passed("answers"));

  std::string foreign = reply;
  foreign[4] = 1;  // another identifier: somebody else's on this host
  CHECK(four.hear(foreign) == Hearing(NeedMore{}));
  CHECK(
      outcome_of(
          PingExchange(core::Family::v4, Identifier::of_the_kernel, 0x4711, "token").hear(foreign))
          .result == Result::passed);
  CHECK(four.hear(request) == Hearing(NeedMore{}));  // our own, seen on the loopback
  CHECK(four.hear(reply + "x") == Hearing(NeedMore{}));
  for (std::size_t size = 0; size < reply.size(); ++size)
    CHECK(four.hear(reply.substr(0, size)) == Hearing(NeedMore{}));

  const PingExchange six(core::Family::v6, Identifier::ours, 0x4711, "token");
  CHECK(six.request().substr(0, 4) == "\x80\x00\x00\x00"s);
  std::string reply6 = six.request();
  reply6[0] = static_cast<char>(129);
  CHECK(outcome_of(six.hear(reply6)) == passed("answers"));
}

TEST_CASE("script: exit codes, signals and what was never run") {
  using core::EndedBy;
  using core::ScriptEnd;
  const ScriptProbe plain{.command = {.limit = 2s}};
  ScriptProbe dynamic = plain;
  dynamic.dynamic = true;
  const auto judge = [](const ScriptProbe& probe, ScriptEnd end, std::int32_t code,
                        EndedBy by = EndedBy::itself) {
    return outcome_of_script(probe, {.end = end, .by = by, .code = code, .took = 5ms});
  };

  CHECK(judge(plain, ScriptEnd::exited, 0).result == Result::passed);
  CHECK(judge(plain, ScriptEnd::exited, 0).took == 5ms);
  CHECK(judge(plain, ScriptEnd::exited, 2).reason == "exited with code 2");
  CHECK(judge(plain, ScriptEnd::exited, 255).result == Result::failed);
  CHECK(judge(dynamic, ScriptEnd::exited, 0).weight == std::nullopt);
  CHECK(judge(dynamic, ScriptEnd::exited, 1).result == Result::failed);
  for (std::int32_t code = 2; code < 256; ++code) {
    CHECK(judge(dynamic, ScriptEnd::exited, code).result == Result::passed);
    CHECK(judge(dynamic, ScriptEnd::exited, code).weight ==
          WeightClaim{WeightClaim::Kind::is, code - 2});
  }
  CHECK(judge(dynamic, ScriptEnd::signalled, 9).result == Result::failed);
  CHECK(judge(dynamic, ScriptEnd::exited, 7, EndedBy::time_limit) ==
        outcome_of_script(plain, {.by = EndedBy::time_limit, .took = 5ms}));
  CHECK(judge(plain, ScriptEnd::exited, 0, EndedBy::time_limit).reason ==
        "had not ended after 2000 ms");
  for (const ScriptEnd end :
       {ScriptEnd::not_started, ScriptEnd::refused, ScriptEnd::skipped, ScriptEnd::lost})
    CHECK(judge(plain, end, 2).result == Result::not_tried);
  CHECK(judge(plain, ScriptEnd::exited, 0, EndedBy::farewell).result == Result::not_tried);
}

TEST_CASE("file: number times weight is added; only the smallest product takes the server out") {
  const auto judge = [](std::int32_t weight, bool reverse, std::int32_t number) {
    return outcome_of_number({.file = "f", .weight = weight, .reverse = reverse}, number);
  };
  using Claim = WeightClaim;
  constexpr auto kAdds = WeightClaim::Kind::adds;
  CHECK(judge(1, false, 5).weight == Claim{kAdds, 5});
  CHECK(judge(-3, false, 5).weight == Claim{kAdds, -15});
  CHECK(judge(3, true, 5).weight == Claim{kAdds, -15});
  CHECK(judge(1, false, -2'000'000'000).result == Result::passed);
  CHECK(judge(1, false, std::numeric_limits<std::int32_t>::min()).result == Result::failed);
  CHECK(judge(2, false, -2'000'000'000).result == Result::failed);
  CHECK(judge(-2, true, -2'000'000'000).result == Result::failed);
  CHECK(judge(2, true, -2'000'000'000).weight == Claim{kAdds, 4'000'000'000});
  CHECK(judge(0, false, 0) == passed("holds 0"));
  CHECK(judge(0, false, -1) == failed(Cause::wrong_content, "holds -1"));
  CHECK(judge(0, true, 0).result == Result::failed);
  CHECK(judge(0, true, 7).result == Result::passed);
}
