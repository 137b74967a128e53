// The talk with a relay: what is said, in which order, and what becomes of the letters.
#include <doctest/doctest.h>

#include "mail/core/submission.hpp"
#include <functional>

using namespace holdfast::mail;
using Verdict = Delivery::Verdict;

namespace {

Parcel parcel(std::vector<std::string> receivers = {"a@x"}, std::string text = "hello\r\n") {
  return {.sender = "s@x", .receivers = std::move(receivers), .text = std::move(text)};
}

/// Answers what it is told by the first word of a command; "text" is the end of a letter.
struct Relay {
  std::function<std::string(const std::string&)> answer;
  std::string heard{};
  std::size_t piece = 1000;  ///< bytes that arrive at once
  bool is_reading_text = false;

  std::string say(std::string_view bytes) {
    heard += bytes;
    const std::string line(bytes.substr(0, bytes.find("\r\n")));
    if (std::exchange(is_reading_text, false)) return answer("text");
    std::string reply = answer(line);
    is_reading_text = reply.starts_with("354");
    return reply;
  }
};

std::string good(const std::string& line) {
  if (line == "DATA") return "354 go\r\n";
  if (line == "QUIT") return "221 bye\r\n";
  return "250 ok\r\n";
}

std::vector<Delivery> talk(Relay& relay, std::vector<Parcel> parcels,
                           std::string greeting = "220 hi\r\n") {
  Submission talk({.helo = "me.example"}, std::move(parcels));
  std::string waiting = std::move(greeting);
  for (int turns = 0; turns < 10'000; ++turns) {
    const std::string now = waiting.substr(0, relay.piece);
    waiting.erase(0, now.size());
    const auto step = talk.advance(now, now.empty());
    if (std::holds_alternative<Submission::Over>(step)) return talk.deliveries();
    if (const auto* send = std::get_if<Submission::Send>(&step)) waiting += relay.say(send->bytes);
  }
  FAIL("the talk does not end");
  return {};
}

}  // namespace

TEST_CASE("submission: two letters in one session, dots stuffed") {
  Relay relay{good};
  const auto made = talk(relay, {parcel({"a@x", "b@x"}, ".\r\n..x\r\n"), parcel()});

  CHECK(relay.heard ==
        "EHLO me.example\r\nMAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"
        "..\r\n...x\r\n.\r\nMAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n");
  REQUIRE(made.size() == 2);
  CHECK(made[0] == Delivery{.verdict = Verdict::sent, .accepted = 2});
  CHECK(made[1] == Delivery{.verdict = Verdict::sent, .accepted = 1});
}

TEST_CASE("submission: replies of several lines, in every split") {
  for (std::size_t piece = 1; piece < 30; ++piece) {
    Relay relay{[](const std::string& line) {
      return line.starts_with("EHLO") ? std::string("250-x\r\n250-SIZE 10\n250 HELP\r\n")
                                      : good(line);
    }};
    relay.piece = piece;
    CHECK(talk(relay, {parcel()}, "220-wait\r\n220-a moment\r\n220 now\r\n")[0].verdict ==
          Verdict::sent);
  }
}

TEST_CASE("submission: who does not know EHLO is asked with HELO") {
  Relay relay{[](const std::string& line) {
    return line.starts_with("EHLO") ? std::string("502 what?\r\n") : good(line);
  }};
  CHECK(talk(relay, {parcel()})[0].verdict == Verdict::sent);
  CHECK(relay.heard.find("EHLO me.example\r\nHELO me.example\r\nMAIL") != std::string::npos);
}

TEST_CASE("submission: a receiver that is refused does not cost the others their letter") {
  Relay relay{[](const std::string& line) {
    if (line == "RCPT TO:<no@x>") return std::string("550 no such user\r\n");
    if (line == "RCPT TO:<busy@x>") return std::string("451 greylisted\r\n");
    return good(line);
  }};
  const auto made = talk(relay, {parcel({"no@x", "a@x", "busy@x"})});
  CHECK(made[0].verdict == Verdict::sent);
  CHECK(made[0].accepted == 1);
  CHECK(made[0].refused == 1);
  CHECK(made[0].deferred == std::vector<std::string>{"busy@x"});
  CHECK(made[0].why == "the mail relay does not take mail for busy@x: 451 greylisted");
}

TEST_CASE("submission: nobody accepted is refused, or later when one of them may come") {
  Relay relay{[](const std::string& line) {
    if (line == "RCPT TO:<no@x>") return std::string("550 no\r\n");
    if (line == "RCPT TO:<busy@x>") return std::string("450 busy\r\n");
    return good(line);
  }};
  const auto made = talk(relay, {parcel({"no@x"}), parcel({"no@x", "busy@x"}), parcel()});
  CHECK(made[0].verdict == Verdict::refused);
  CHECK(made[1].verdict == Verdict::later);
  CHECK(made[1].deferred == std::vector<std::string>{"busy@x"});
  CHECK(made[2].verdict == Verdict::sent);
  CHECK(relay.heard.find("RCPT TO:<no@x>\r\nRSET\r\nMAIL") != std::string::npos);
}

TEST_CASE("submission: a refusal at each stage is for this letter, or for all") {
  const auto at = [](std::string stage, std::string reply) {
    Relay relay{[stage, reply](const std::string& line) {
      return line.starts_with(stage) ? reply + "\r\n" : good(line);
    }};
    const auto made = talk(relay, {parcel(), parcel()});
    CHECK(made[0].verdict == made[1].verdict);
    return made[0];
  };
  CHECK(at("MAIL", "550 no").verdict == Verdict::refused);
  CHECK(at("MAIL", "451 later").verdict == Verdict::later);
  CHECK(at("DATA", "554 no").verdict == Verdict::refused);
  CHECK(at("text", "554 spam").verdict == Verdict::refused);
  CHECK(at("text", "554 spam").accepted == 0);
  CHECK(at("text", "452 full").verdict == Verdict::later);
  CHECK(at("text", "452 full").why ==
        "the mail relay answered the end of the letter with 452 full");
  CHECK(at("HELO", "550 no").verdict == Verdict::sent);  // never asked
  CHECK(at("MAIL", "421 shutting down").verdict == Verdict::later);
}

TEST_CASE("submission: a server that closes or babbles at any stage decides nothing") {
  for (const std::string& nonsense :
       {std::string(), std::string("hello\r\n"), std::string("25\r\n"), std::string("250+x\r\n"),
        std::string("250-a\r\n251 b\r\n"), std::string("999 x\r\n"), std::string("\r\n"),
        std::string(20'000, 'x'), std::string(20'000, '\n')}) {
    for (const std::string stage : {"EHLO", "MAIL", "RCPT", "DATA", "text"}) {
      INFO(stage);
      Relay relay{
          [&](const std::string& line) { return line.starts_with(stage) ? nonsense : good(line); }};
      const auto made = talk(relay, {parcel()});
      CHECK(made[0].verdict == Verdict::later);
      CHECK_FALSE(made[0].why.empty());
    }
    Relay relay{good};
    CHECK(talk(relay, {parcel()}, nonsense)[0].verdict == Verdict::later);
  }
}

TEST_CASE("submission: what was sent stays sent when the server leaves later") {
  int letters = 0;
  Relay relay{[&](const std::string& line) {
    return line.starts_with("MAIL") && ++letters == 2 ? std::string() : good(line);
  }};
  const auto made = talk(relay, {parcel(), parcel()});
  CHECK(made[0].verdict == Verdict::sent);
  CHECK(made[1] == Delivery{.why = "the mail relay closed the connection before it answered MAIL"});
}

TEST_CASE("submission: words of the server are cut and cleaned before somebody reads them") {
  Relay relay{[](const std::string& line) {
    return line.starts_with("MAIL") ? "550 \x1b[31m" + std::string(4000, 'a') + "\r\n" : good(line);
  }};
  const auto made = talk(relay, {parcel()});
  CHECK(made[0].why.size() < 300);
  CHECK(made[0].why.find('\x1b') == std::string::npos);
}
