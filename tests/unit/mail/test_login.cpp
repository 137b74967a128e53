// The protected talk: STARTTLS, TLS from the first byte, AUTH; and that nothing is told too early.
#include "core/base64.hpp"

#include <doctest/doctest.h>

#include "mail/core/submission.hpp"
#include <map>

using namespace holdfast;
using namespace holdfast::mail;
using Verdict = Delivery::Verdict;

namespace {

const Login kLogin{"me", "s3cret"};

/// Answers by the first word of a line; shakes hands whenever it is asked to.
struct Relay {
  std::map<std::string, std::string> answers{};
  std::string heard{};  // "(TLS)" where the handshake is
  bool is_secure = false;
  std::size_t piece = 1000;

  std::string answer(std::string_view bytes) {
    heard += bytes;
    std::string word(bytes.substr(0, bytes.find_first_of(" \r")));
    if (is_secure && word == "EHLO") word = "EHLO again";
    if (bytes.ends_with("\r\n.\r\n")) word = "text";
    if (const auto found = answers.find(word); found != answers.end()) return found->second;
    if (word == "DATA") return "354 go\r\n";
    return word == "QUIT" ? "221 bye\r\n" : "250 ok\r\n";
  }
};

Delivery talk(Relay& relay, Protection protection, std::optional<Login> login = kLogin) {
  Submission talk({"me.example", protection, std::move(login)}, {{"s@x", {"a@x"}, "hello\r\n"}});
  std::string waiting = protection == Protection::implicit ? "" : "220 hi\r\n";
  for (int turns = 0; turns < 10'000; ++turns) {
    const std::string now = waiting.substr(0, relay.piece);
    waiting.erase(0, now.size());
    const auto step = talk.advance(now, now.empty() && turns > 5);
    if (std::holds_alternative<Submission::Over>(step)) return talk.deliveries()[0];
    if (const auto* send = std::get_if<Submission::Send>(&step))
      waiting += relay.answer(send->bytes);
    if (!std::holds_alternative<Submission::Secure>(step)) continue;
    relay.heard += "(TLS)";
    relay.is_secure = true;
    if (protection == Protection::implicit) waiting = "220 hi\r\n";
  }
  FAIL("the talk does not end");
  return {};
}

Relay offering(const std::string& auth) {
  return {{{"EHLO", "250-x\r\n250-STARTTLS\r\n250-AUTH NTLM\r\n250 SIZE\r\n"},
           {"EHLO again", "250-x\r\n250-" + auth + "\r\n250 SIZE\r\n"},
           {"STARTTLS", "220 go\r\n"},
           {"AUTH", "235 welcome\r\n"}}};
}

}  // namespace

TEST_CASE("login: STARTTLS, EHLO again, AUTH PLAIN, in replies of every split") {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    Relay relay = offering("AUTH LOGIN PLAIN");
    relay.piece = piece;
    CHECK(talk(relay, Protection::starttls).verdict == Verdict::sent);
    CHECK(relay.heard ==
          "EHLO me.example\r\nSTARTTLS\r\n(TLS)EHLO me.example\r\nAUTH PLAIN AG1lAHMzY3JldA==\r\n"
          "MAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n");
  }
}

TEST_CASE("login: TLS from the first byte, and AUTH LOGIN where PLAIN is not offered") {
  Relay relay = offering("auth login");
  relay.answers["AUTH"] = "334 VXNlcm5hbWU6\r\n";
  relay.answers[core::to_base64("me")] = "334 UGFzc3dvcmQ6\r\n";
  relay.answers[core::to_base64("s3cret")] = "235 welcome\r\n";

  CHECK(talk(relay, Protection::implicit).verdict == Verdict::sent);
  CHECK(relay.heard.starts_with("(TLS)EHLO me.example\r\nAUTH LOGIN\r\nbWU=\r\nczNjcmV0\r\nMAIL"));
}

TEST_CASE("login: without STARTTLS nothing is told but a name") {
  Relay relay;
  const Delivery made = talk(relay, Protection::starttls);
  CHECK(made.verdict == Verdict::later);
  CHECK(made.why == "the mail relay does not offer STARTTLS: nothing is sent in clear text");
  CHECK(relay.heard == "EHLO me.example\r\n");

  Relay refuses = offering("AUTH PLAIN");
  refuses.answers["STARTTLS"] = "454 not now\r\n";
  CHECK(talk(refuses, Protection::starttls).why ==
        "the mail relay answered STARTTLS with 454 not now: nothing is sent in clear text");
  CHECK(refuses.heard == "EHLO me.example\r\nSTARTTLS\r\n");

  Relay old;
  old.answers["EHLO"] = "502 what?\r\n";
  CHECK(talk(old, Protection::starttls).verdict == Verdict::later);
  CHECK(old.heard == "EHLO me.example\r\n");
}

TEST_CASE("login: words that came before the handshake are not taken for protected ones") {
  Relay relay = offering("AUTH PLAIN");
  relay.answers["STARTTLS"] = "220 go\r\n250 AUTH PLAIN\r\n";
  CHECK(talk(relay, Protection::starttls).why ==
        "the mail relay said more behind its answer to STARTTLS, unprotected");
  CHECK(relay.heard.find("AUTH") == std::string::npos);
}

TEST_CASE("login: no password without TLS") {
  Relay relay;
  relay.answers["EHLO"] = "250-x\r\n250 AUTH PLAIN LOGIN\r\n";
  CHECK(talk(relay, Protection::none).why == "no password is told to a mail relay without TLS");
  CHECK(relay.heard == "EHLO me.example\r\n");
}

TEST_CASE("login: what the relay does not take, never with the password in it") {
  Relay relay = offering("AUTH PLAIN");
  relay.answers["AUTH"] = "535 5.7.8 no\r\n";
  CHECK(talk(relay, Protection::starttls).why ==
        "the mail relay does not take the password of 'me': 535 5.7.8 no");
  relay = offering("AUTH PLAIN");
  relay.answers["AUTH"] = "535 s3cret is wrong\r\n";
  CHECK(talk(relay, Protection::starttls).why ==
        "the mail relay does not take the password of 'me': 535");
  relay = offering("AUTH CRAM-MD5");
  CHECK(talk(relay, Protection::starttls).why ==
        "the mail relay takes passwords by neither AUTH PLAIN nor AUTH LOGIN");
  relay = offering("SIZE 10");
  CHECK(talk(relay, Protection::starttls).why ==
        "the mail relay does not offer AUTH: it asks for no password");
}

TEST_CASE("login: a relay that repeats the password, in whatever form and phase, is not quoted") {
  const auto why_of = [](const std::string& word, const std::string& answer, const Login& login) {
    Relay relay = offering("AUTH PLAIN");
    relay.answers[word] = answer + "\r\n";
    return talk(relay, Protection::starttls, login).why;
  };
  const std::string plain = core::to_base64(std::string("\0me\0s3cret", 10));
  const std::string cut = std::string(194, 'x').append(" s3cret");
  const std::vector<std::string> echoes{"no s3cret", "AUTH PLAIN " + plain,
                                        core::to_base64("s3cret"), cut};
  for (const std::string& echo : echoes) {
    CHECK(why_of("AUTH", "535 " + echo, kLogin) ==
          "the mail relay does not take the password of 'me': 535");
    CHECK(why_of("MAIL", "550 " + echo, kLogin) == "the mail relay answered MAIL with 550");
    CHECK(why_of("RCPT", "550 " + echo, kLogin) ==
          "the mail relay does not take mail for a@x: 550");
    CHECK(why_of("text", "554 " + echo, kLogin) ==
          "the mail relay answered the end of the letter with 554");
  }
  CHECK(why_of("AUTH", "535 p\xc3\xa4sse?", {"me", "p\xc3\xa4sse"}) ==
        "the mail relay does not take the password of 'me': 535");
  CHECK(why_of("MAIL", "550 5.7.1 not you", kLogin) ==
        "the mail relay answered MAIL with 550 5.7.1 not you");
}

TEST_CASE("login: TLS without a password") {
  Relay relay = offering("AUTH PLAIN");
  CHECK(talk(relay, Protection::starttls, std::nullopt).verdict == Verdict::sent);
  CHECK(relay.heard.find("AUTH") == std::string::npos);
}
