// HTTP_GET without a network: every script is fed whole, byte by byte and in every split into two,
// and must end alike.
#include "checkers/core/dialogue_http.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

const core::Endpoint kTarget{core::IpAddress::v4({192, 168, 1, 67}), 8099};

HttpDialogue dialogue(const HttpUrl& url) {
  return {url, HttpVersion::http_1_0, kTarget};
}

/// Plays the pieces, then the close. nullopt: still waiting after all that.
std::optional<Outcome> play(const HttpUrl& url, const std::vector<std::string>& pieces,
                            bool close) {
  HttpDialogue talk = dialogue(url);
  Step step = talk.advance({}, false);
  REQUIRE(std::holds_alternative<Send>(step));
  step = talk.advance({}, false);
  CHECK(step == Step{NeedMore{}});
  for (const std::string& piece : pieces) {
    step = talk.advance(piece, false);
    if (auto* verdict = std::get_if<Verdict>(&step)) return verdict->outcome;
    REQUIRE(std::holds_alternative<NeedMore>(step));
  }
  if (close) {
    step = talk.advance({}, true);
    REQUIRE(std::holds_alternative<Verdict>(step));  // nothing can come any more
    return std::get<Verdict>(step).outcome;
  }
  return std::nullopt;
}

/// The outcome of the whole script, after checking that no split changes it.
std::optional<Outcome> play_in_every_split(const HttpUrl& url, const std::string& reply,
                                           bool close) {
  const auto whole = play(url, {reply}, close);
  for (std::size_t at = 1; at < reply.size(); ++at) {
    CAPTURE(at);
    CHECK(play(url, {reply.substr(0, at), reply.substr(at)}, close) == whole);
  }
  std::vector<std::string> bytes;
  for (const char byte : reply) bytes.emplace_back(1, byte);
  CHECK(play(url, bytes, close) == whole);
  return whole;
}

constexpr const char* kHello = "Hello, world\n";
constexpr const char* kMd5OfHello = "a7966bf58e23583c9a5a4059383ff850";

std::string reply_with_length(int status, const std::string& body) {
  return fmt::format("HTTP/1.1 {} Whatever\r\nServer: t\r\nContent-Length: {}\r\n\r\n{}", status,
                     body.size(), body);
}

}  // namespace

TEST_CASE(
    "http: the request is keepalived's: HTTP/1.0, User-Agent, Host with a port only without "
    "virtualhost") {
  CHECK(http_request({.path = "/a?b=1"}, HttpVersion::http_1_0, kTarget) ==
        "GET /a?b=1 HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 192.168.1.67:8099\r\n\r\n");
  CHECK(http_request({.path = "/", .virtualhost = "www.example.com"}, HttpVersion::http_1_0,
                     kTarget) ==
        "GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: www.example.com\r\n\r\n");
  CHECK(http_request({}, HttpVersion::http_1_1, {*core::IpAddress::parse("2001:db8::1"), 80}) ==
        "GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nHost: [2001:db8::1]\r\nConnection: "
        "close\r\n\r\n");
  CHECK(
      http_request({}, HttpVersion::http_1_0_close, {*core::IpAddress::parse("2001:db8::1"), 81}) ==
      "GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: [2001:db8::1]:81\r\nConnection: "
      "close\r\n\r\n");
}

TEST_CASE(
    "http: a reply with Content-Length passes as soon as it is complete, without waiting for the "
    "close") {
  const auto outcome = play_in_every_split({}, reply_with_length(200, kHello), false);
  REQUIRE(outcome);
  CHECK(*outcome == passed("/: status 200"));
}

TEST_CASE("http: a reply without length ends with the connection") {
  const std::string reply = std::string("HTTP/1.0 200 OK\r\nServer: t\r\n\r\n") + kHello;
  CHECK_FALSE(play_in_every_split({}, reply, false));
  CHECK(play_in_every_split({}, reply, true) == passed("/: status 200"));
  CHECK(play_in_every_split({}, "HTTP/1.0 204 None\r\n\r\n", true) == passed("/: status 204"));
}

TEST_CASE("http: a chunked reply is digested without its framing") {
  const HttpUrl url{.digest = kMd5OfHello};
  const std::string reply =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n8;x=y\r\n, "
      "world\n\r\n0\r\nTrailer: 1\r\n\r\n";
  CHECK(play_in_every_split(url, reply, false) == passed("/: status 200"));
}

TEST_CASE("http: the status has to be in one of the ranges") {
  struct Row {
    int status;
    std::vector<StatusRange> ranges;
    bool passes;
  };
  const Row rows[] = {
      {200, {{200, 299}}, true},
      {299, {{200, 299}}, true},
      {300, {{200, 299}}, false},
      {404, {{200, 299}, {404, 404}}, true},
      {403, {{200, 299}, {404, 404}}, false},
      {503, {{200, 299}}, false},
      {301, {{301, 302}}, true},
      {200, {{301, 302}}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    const auto outcome =
        play({.statuses = row.ranges}, {reply_with_length(row.status, "x")}, false);
    REQUIRE(outcome);
    CHECK((outcome->result == Result::passed) == row.passes);
  }
  CHECK(play_in_every_split({.path = "/s", .statuses = {{200, 299}, {404, 404}}},
                            reply_with_length(503, "x"), false) ==
        failed(Cause::wrong_status, "/s: status 503 instead of 200-299, 404"));
}

TEST_CASE("http: the digest is compared in either case of letters") {
  const std::string reply = reply_with_length(200, kHello);
  CHECK(play_in_every_split({.digest = kMd5OfHello}, reply, false)->result == Result::passed);
  CHECK(play({.digest = "A7966BF58E23583C9A5A4059383FF850"}, {reply}, false)->result ==
        Result::passed);
  CHECK(
      play_in_every_split({.digest = "00000000000000000000000000000000"}, reply, false) ==
      failed(Cause::wrong_digest,
             fmt::format("/: digest {} instead of 00000000000000000000000000000000", kMd5OfHello)));
}

TEST_CASE("http: an empty body has a digest too") {
  CHECK(play({.digest = "d41d8cd98f00b204e9800998ecf8427e"},
             {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}, false)
            ->result == Result::passed);
}

TEST_CASE("http: what is not HTTP is a failure with a reason") {
  const std::string replies[] = {
      "220 mail.example.com ESMTP\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/9.9 200 OK\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nbad header line\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      std::string("\0\0\0\0", 4),
  };
  for (const std::string& reply : replies) {
    CAPTURE(reply);
    const auto outcome = play_in_every_split({}, reply, false);
    REQUIRE(outcome);
    CHECK(outcome->result == Result::failed);
    CHECK(outcome->cause == Cause::malformed_reply);
    CHECK(outcome->reason.starts_with("not an HTTP reply: "));
  }
}

TEST_CASE("http: headers without an end are refused before they fill the memory") {
  const std::string reply = "HTTP/1.1 200 OK\r\nX: " + std::string(kMaxHttpHeaderBytes + 1, 'a');
  CHECK(play({}, {reply}, false)->cause == Cause::malformed_reply);
}

TEST_CASE("http: many small headers without an end are refused too") {
  std::string fields;
  for (int i = 0; i < 1000; ++i) fields += "A: b\r\n";
  const std::vector<std::string> pieces(64, fields);
  std::vector<std::string> reply{"HTTP/1.1 200 OK\r\n"};
  reply.insert(reply.end(), pieces.begin(), pieces.end());

  const auto outcome = play({}, reply, false);

  REQUIRE(outcome);
  CHECK(outcome->cause == Cause::malformed_reply);
}

TEST_CASE("http: what follows the headers without being body is bounded") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string much(kMaxHttpUnparsedBytes + 1, 'z');
  const std::string endless[] = {
      head + "1;a=" + much,            // an extension
      head + "1\r\na\r\n1;a=" + much,  // of a later chunk
      head + "0\r\nTrailer: " + much,
      head + "0;a=" + much,
  };
  for (const std::string& reply : endless) {
    CAPTURE(reply.substr(head.size(), 12));
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < reply.size(); at += 1000)
      pieces.push_back(reply.substr(at, 1000));

    const auto outcome = play({}, pieces, false);

    REQUIRE(outcome);
    CHECK(*outcome == failed(Cause::malformed_reply,
                             "not an HTTP reply: a chunk's head, or the trailers, go on for more "
                             "than 16384 bytes"));
  }
}

TEST_CASE("http: extensions and trailers of a usual length are no matter") {
  const std::string long_word(4000, 'z');
  const std::string reply =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=" + long_word +
      "\r\nHello\r\n8\r\n, world\n\r\n0\r\nTrailer: " + long_word + "\r\n\r\n";
  const HttpUrl url{.digest = kMd5OfHello};
  CHECK(play(url, {reply}, false) == passed("/: status 200"));
  CHECK(play(url, {reply.substr(0, 3000), reply.substr(3000)}, false) == passed("/: status 200"));
}

TEST_CASE("http: of a body in crumbs the status decides, unless there is a digest") {
  std::string crumbs;
  for (int i = 0; i < 1000; ++i) crumbs += "1\r\na\r\n";
  std::vector<std::string> pieces{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"};
  for (std::size_t sent = 0; sent <= kMaxHttpFramingBytes; sent += 5000) pieces.push_back(crumbs);

  CHECK(play({}, pieces, false) == passed("/: status 200"));
  const auto with_digest = play({.digest = kMd5OfHello}, pieces, false);
  REQUIRE(with_digest);
  CHECK(with_digest->cause == Cause::body_too_long);
  CHECK(with_digest->reason.starts_with("the body comes in crumbs: "));
}

TEST_CASE("http: closing before any byte, in the headers and in the body are told apart") {
  CHECK(play({}, {}, true) ==
        failed(Cause::closed_early, "the server closed the connection without a reply"));
  CHECK(
      play_in_every_split({}, "HTTP/1.1 200 OK\r\nServ", true) ==
      failed(Cause::closed_early, "the server closed the connection in the middle of its headers"));
  CHECK(play_in_every_split({}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", true) ==
        failed(Cause::closed_early, "the server closed the connection in the middle of its body"));
}

TEST_CASE("http: a good reply that is cut at any byte never passes") {
  const std::string reply = reply_with_length(200, kHello);
  for (std::size_t length = 0; length < reply.size(); ++length) {
    CAPTURE(length);
    const auto outcome = play({}, {reply.substr(0, length)}, true);
    REQUIRE(outcome);
    CHECK(outcome->result == Result::failed);
  }
}

TEST_CASE("http: interim replies are skipped, but not for ever") {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  CHECK(play_in_every_split({},
                            "HTTP/1.1 100 Continue\r\n\r\n" + interim + reply_with_length(200, "x"),
                            false) == passed("/: status 200"));
  std::string many;
  for (int i = 0; i <= kMaxInterimReplies; ++i) many += interim;
  CHECK(play({}, {many}, false) == failed(Cause::malformed_reply, "too many interim replies"));
  CHECK(play_in_every_split({}, interim, true)->cause == Cause::closed_early);
}

TEST_CASE("http: of an endless body the status decides, unless there is a digest") {
  const std::string head = "HTTP/1.0 200 OK\r\n\r\n";
  const std::vector<std::string> pieces{head, std::string(kMaxHttpBodyBytes, 'a'), "b"};
  CHECK(play({}, pieces, false) == passed("/: status 200"));
  CHECK(play({.digest = kMd5OfHello}, pieces, false)->cause == Cause::body_too_long);
}

TEST_CASE("http: a server that speaks first is heard") {
  HttpDialogue talk = dialogue({});
  CHECK(std::holds_alternative<Send>(
      talk.advance("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false)));
  CHECK(talk.advance({}, false) == Step{Verdict{passed("/: status 200")}});
}

TEST_CASE("tcp: an accepted connection is the whole proof") {
  CHECK(TcpDialogue{}.advance({}, false) == Step{Verdict{passed("connected")}});
}

namespace {

HttpUrl matching(std::string regex) {
  HttpUrl url;
  url.pattern = ReplyPattern{.text = {.regex = std::move(regex)}};
  return url;
}

}  // namespace

TEST_CASE("http: a regex is looked for in status line, headers and body") {
  const std::string reply = reply_with_length(200, kHello);
  CHECK(play_in_every_split(matching("Hello, w"), reply, false) == passed("/: status 200"));
  // keepalived 2.2.7 counts and matches from the status line on; files depend on it.
  CHECK(play_in_every_split(matching("^HTTP/1.1 200"), reply, false)->result == Result::passed);
  CHECK(play_in_every_split(matching("Content-Length: 13"), reply, false)->result ==
        Result::passed);
  CHECK(play_in_every_split(matching("absent"), reply, false) ==
        failed(Cause::wrong_content, "/: the reply has nothing that matches 'absent'"));
  HttpUrl unwanted = matching("world");
  unwanted.pattern->no_match = true;
  CHECK(play_in_every_split(unwanted, reply, false) ==
        failed(Cause::wrong_content, "/: the reply has 'world'"));
}

TEST_CASE("http: a regex sees the chunks put together, and nothing of interim replies") {
  const std::string chunked =
      "HTTP/1.1 100 Continue\r\nEarly: yes\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n7\r\n, "
      "world\r\n0\r\n\r\n";
  CHECK(play_in_every_split(matching("Hello, world"), chunked, false)->result == Result::passed);
  CHECK(play_in_every_split(matching("Early"), chunked, false)->result == Result::failed);
  CHECK(play_in_every_split(matching("^HTTP/1.1 200 OK\r\n"), chunked, false)->result ==
        Result::passed);
}

TEST_CASE("http: a regex that is none is not the server's fault") {
  CHECK(play(matching("(a"), {reply_with_length(200, kHello)}, false)->result == Result::not_tried);
}
