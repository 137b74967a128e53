// SMTP_CHECK without a network: dialogues as Debian's servers lead them, whole, byte by byte and in
// every split into two, and must end alike.
#include "checkers/core/dialogue_smtp.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

/// What the server says before the first command, after it, after the next.
using Script = std::vector<std::string>;

struct Played {
  std::vector<std::string> said;  // by us
  std::optional<Outcome> outcome;
  bool operator==(const Played&) const = default;
};

/// `pieces`: of what the server says each time. Closes when its script is over, if it is to.
Played play(const Script& script, const std::vector<std::size_t>& cuts, bool close) {
  SmtpDialogue talk("director.example");
  Played played;
  const auto hear = [&](std::string_view text, bool closed) {
    Step step = talk.advance(text, closed);
    while (const auto* send = std::get_if<Send>(&step)) {
      played.said.emplace_back(send->bytes);
      step = talk.advance({}, false);
    }
    if (const auto* verdict = std::get_if<Verdict>(&step)) played.outcome = verdict->outcome;
  };
  hear({}, false);
  for (const std::string& text : script) {
    std::size_t begin = 0;
    for (const std::size_t cut : cuts) {
      if (cut <= begin || cut >= text.size() || played.outcome) continue;
      const std::size_t commands = played.said.size();
      hear(std::string_view(text).substr(begin, cut - begin), false);
      if (!played.outcome)
        CHECK(played.said.size() == commands);  // never before the server is done
      begin = cut;
    }
    if (!played.outcome) hear(std::string_view(text).substr(begin), false);
  }
  if (!played.outcome && close) hear({}, true);
  return played;
}

Played play_in_every_split(const Script& script, bool close = false) {
  const Played whole = play(script, {}, close);
  std::size_t longest = 0;
  for (const std::string& text : script) longest = std::max(longest, text.size());
  std::vector<std::size_t> all;
  for (std::size_t at = 1; at < longest; ++at) {
    all.push_back(at);
    CAPTURE(at);
    CHECK(play(script, {at}, close) == whole);
  }
  CHECK(play(script, all, close) == whole);
  return whole;
}

const std::string kEhlo = "EHLO director.example\r\n";
const std::string kHelo = "HELO director.example\r\n";
const std::string kQuit = "QUIT\r\n";
const std::string kBye = "221 2.0.0 Bye\r\n";

}  // namespace

TEST_CASE("smtp: greeting, EHLO of several lines, QUIT") {
  const Played played = play_in_every_split(
      {"220 mail.example ESMTP Postfix (Debian/GNU)\r\n",
       "250-mail.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 CHUNKING\r\n", kBye});
  CHECK(played.said == std::vector{kEhlo, kQuit});
  CHECK(played.outcome == passed("takes EHLO"));
}

TEST_CASE("smtp: a greeting of several lines is waited for to its end") {
  // postscreen greets a newcomer so, and calls who speaks between the lines a spammer.
  const Played played =
      play_in_every_split({"220-mail.example ESMTP Postfix\r\n",
                           "220 mail.example ESMTP Postfix\r\n", "250 mail.example\r\n", kBye});
  CHECK(played.said == std::vector{kEhlo, kQuit});
  CHECK(played.outcome->result == Result::passed);
}

TEST_CASE("smtp: who does not know EHLO is asked with HELO") {
  const Played played =
      play_in_every_split({"220 old.example\r\n", "502 5.5.2 Error: command not recognized\r\n",
                           "250 old.example\r\n", kBye});
  CHECK(played.said == std::vector{kEhlo, kHelo, kQuit});
  CHECK(played.outcome == passed("takes HELO"));
}

TEST_CASE("smtp: lines may end with a single LF, and a code may stand alone") {
  CHECK(play_in_every_split({"220\n", "250\n", "221\n"}).outcome->result == Result::passed);
}

TEST_CASE("smtp: what a server says in refusal is the reason, and it is left in peace") {
  const Played full = play_in_every_split(
      {"421 Too many concurrent SMTP connections; please try again later.\r\n"});
  CHECK(full.said.empty());  // it closes by itself
  CHECK(full.outcome ==
        failed(Cause::wrong_status,
               "greets with 421 Too many concurrent SMTP connections; please try again later."));

  const Played closed = play_in_every_split({"554 No SMTP service here\r\n", kBye});
  CHECK(closed.said == std::vector{kQuit});
  CHECK(closed.outcome == failed(Cause::wrong_status, "greets with 554 No SMTP service here"));

  const Played named = play_in_every_split(
      {"220 a\r\n", "501 Syntax: EHLO hostname\r\n", "501 Syntax: HELO hostname\r\n", kBye});
  CHECK(named.said == std::vector{kEhlo, kHelo, kQuit});
  CHECK(named.outcome ==
        failed(Cause::wrong_status, "answers HELO with 501 Syntax: HELO hostname"));

  const Played busy = play_in_every_split({"220 a\r\n", "451 4.3.0 later\r\n", kBye});
  CHECK(busy.outcome == failed(Cause::wrong_status, "answers EHLO with 451 4.3.0 later"));
}

TEST_CASE("smtp: a server that is gone after the last answer has answered") {
  CHECK(play_in_every_split({"220 a\r\n", "250 a\r\n"}, true).outcome == passed("takes EHLO"));
  CHECK(play_in_every_split({"220 a\r\n", "250 a\r\n", "nonsense\r\n"}).outcome ==
        passed("takes EHLO"));
}

TEST_CASE("smtp: one that closes before has not") {
  CHECK(play_in_every_split({}, true).outcome ==
        failed(Cause::closed_early, "the server closed the connection before it had greeted"));
  CHECK(play_in_every_split({"220-a\r\n220-b"}, true).outcome->cause == Cause::closed_early);
  CHECK(play_in_every_split({"220 a\r\n"}, true).outcome ==
        failed(Cause::closed_early,
               "the server closed the connection in place of an answer to EHLO"));
}

TEST_CASE("smtp: others than mail servers are named for what they say") {
  CHECK(play_in_every_split({"SSH-2.0-OpenSSH_9.2p1\r\n"}).outcome ==
        failed(Cause::malformed_reply,
               "not an SMTP reply: \"SSH-2.0-OpenSSH_9.2p1\" does not begin with a reply code"));
  CHECK(play_in_every_split({"2200 a\r\n"}).outcome->cause == Cause::malformed_reply);
  CHECK(play_in_every_split({"120 a\r\n"}).outcome->cause == Cause::malformed_reply);
  CHECK(play_in_every_split({"\x1b[2J\r\n"}).outcome ==
        failed(Cause::malformed_reply,
               "not an SMTP reply: \"?[2J\" does not begin with a reply code"));
}

TEST_CASE("smtp: neither lines nor replies go on for ever") {
  CHECK(play({std::string(20'000, 'x')}, {}, false).outcome->cause == Cause::malformed_reply);
  CHECK(play({"220-" + std::string(20'000, 'x')}, {}, false).outcome->cause ==
        Cause::malformed_reply);
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += "220-more\r\n";
  CHECK(play({lines}, {}, false).outcome->cause == Cause::malformed_reply);
}
