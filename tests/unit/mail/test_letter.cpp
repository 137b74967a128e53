// Letters as they stand on the wire, and who gets them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "mail/core/letter.hpp"
#include <algorithm>
#include <sstream>

using namespace holdfast::mail;

namespace {

Settings settings() {
  return {.relay = "192.0.2.25",
          .helo = "lb1.example.org",
          .sender = {.address = "ha@example.org"},
          .receivers = {{"Night Shift", "night@example.org"}, {{}, "root"}},
          .router_id = "LB1"};
}

Letter letter() {
  return {.title = "VRRP Instance VI_1 - Entering MASTER state",
          .body = "one\n.two\n",
          .written_at = 1'796'000'896,
          .id = "7.42"};
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\r\n" + line + "\r\n") != std::string::npos || text.starts_with(line + "\r\n");
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("mail: a name in front of an address in <> is no address of its own") {
  CHECK(mailboxes_of({"a@b", "Night Shift", "<night@example.org>", "root", "c@d"}) ==
        std::vector<Mailbox>{
            {{}, "a@b"}, {"Night Shift", "night@example.org"}, {{}, "root"}, {{}, "c@d"}});
  CHECK(mailboxes_of({"\"Night Shift\" <night@example.org>"}) ==
        std::vector<Mailbox>{{"Night Shift", "night@example.org"}});
  CHECK(mailboxes_of({"Night", "Shift", "<night@example.org>"}) ==
        std::vector<Mailbox>{{"Night Shift", "night@example.org"}});
}

TEST_CASE("mail: an address cannot smuggle a second command into the talk with the relay") {
  const auto boxes = mailboxes_of({"a@b>\r\nRCPT TO:<evil@x", "<>"});
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0].address.find_first_of("\r\n<> ") == std::string::npos);
}

TEST_CASE("mail: a letter has the headers of RFC 5322 and keepalived's subject") {
  const std::string text = compose(letter(), settings());

  CHECK(has_line(text, "Date: Mon, 30 Nov 2026 01:08:16 +0000"));
  CHECK(has_line(text, "From: ha@example.org"));
  CHECK(has_line(text, "To: \"Night Shift\" <night@example.org>, root"));
  CHECK(has_line(text, "Subject: [LB1] VRRP Instance VI_1 - Entering MASTER state"));
  CHECK(has_line(text, "Message-ID: <7.42@lb1.example.org>"));
  CHECK(text.ends_with("\r\n\r\none\r\n.two\r\n"));
}

TEST_CASE("mail: a date has no local words and a day of week that fits") {
  CHECK(mail_date(0) == "Thu, 1 Jan 1970 00:00:00 +0000");
  CHECK(mail_date(951'782'400) == "Tue, 29 Feb 2000 00:00:00 +0000");
}

TEST_CASE("mail: names that are not ASCII are encoded, letters of several bytes kept whole") {
  Letter odd = letter();
  odd.title = "VRRP Instance Zürich - Entering MASTER state";
  CHECK(compose(odd, settings())
            .find("Subject: =?utf-8?B?W0xCMV0gVlJSUCBJbnN0YW5jZSBaw7xyaWNoIC0gRW50ZXJpbmcg") !=
        std::string::npos);
  odd.title = fmt::format("{:x<44}ü{:y<400}", "", "");
  const std::string text = compose(odd, settings());
  CHECK(longest_line(text) <= 77);
  Settings named = settings();
  named.sender.display = "Zoë";
  CHECK(has_line(compose(letter(), named), "From: =?utf-8?B?Wm/Dqw==?= <ha@example.org>"));
}

TEST_CASE("mail: no name begins a header of its own, and no line is too long for a relay") {
  Letter odd = letter();
  odd.title = "x\r\nBcc: evil@example.org";
  odd.body = fmt::format("{:z<5000}\rBcc: x\n", "");
  Settings many = settings();
  for (int i = 0; i < 100; ++i) many.receivers.push_back({{}, "someone@example.org"});

  const std::string text = compose(odd, many);

  CHECK(text.find("\nBcc") == std::string::npos);
  CHECK(text.find("\rBcc") == std::string::npos);
  CHECK(longest_line(text) <= 998);
  CHECK(std::ranges::count(text, '\n') == std::ranges::count(text, '\r'));
}

TEST_CASE("mail: what was overtaken is said in the letter that overtook it") {
  Letter newest = letter();
  newest.overtaken = 3;
  CHECK(compose(newest, settings()).find("3 older messages about the same") != std::string::npos);
}
