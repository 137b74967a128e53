#include "config/keepalived/lexer.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::keepalived;

namespace {

// Words as they are, quoted ones between < >, braces and line ends as themselves.
std::string tokens(const std::string& text, Diagnostics* diagnostics = nullptr) {
  Snapshot snapshot;
  snapshot.text = text;
  snapshot.files = {"t.conf"};
  snapshot.segments = {Segment{}};
  Diagnostics own;
  Reporter reporter(snapshot, diagnostics != nullptr ? *diagnostics : own);
  std::deque<std::string> unescaped;
  Lexer lexer(snapshot.text, reporter, unescaped);
  std::string out;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (!out.empty()) out += ' ';
    if (token.kind == TokenKind::newline) out += '/';
    if (token.kind == TokenKind::open) out += '{';
    if (token.kind == TokenKind::close) out += '}';
    if (token.kind == TokenKind::word) {
      out += token.word.quoted ? '<' + std::string(token.word.text) + '>'
                               : std::string(token.word.text);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("lexer: words, braces and line ends") {
  CHECK(tokens("state MASTER\n  priority\t100") == "state MASTER / priority 100");
  CHECK(tokens("a{b c}d") == "a { b c } d");
  CHECK(tokens("a { b } c { d }}") == "a { b } c { d } }");
}

TEST_CASE("lexer: comments begin at # or ! wherever they stand") {
  CHECK(tokens("! all of it\nstate MASTER#MASTER-主机,BACKUP-备机\nx") == "/ state MASTER / x");
  CHECK(tokens("auth_pass Test123!") == "auth_pass Test123");
  CHECK(tokens("auth_pass a\\#b\\!c") == "auth_pass a#b!c");
  CHECK(tokens("path a\\b") == "path a\\b");
}

TEST_CASE("lexer: quoted words keep blanks, braces and comment signs") {
  CHECK(tokens("notify \"/bin/a b { # ! }\" root") == "notify </bin/a b { # ! }> root");
  CHECK(tokens("a\"b\"c") == "a <b> c");
  CHECK(tokens("\"\"") == "<>");
}

TEST_CASE("lexer: a quotation that is not closed is one warning and ends with its line") {
  Diagnostics diagnostics;
  CHECK(tokens("a \"b c\nd", &diagnostics) == "a <b c> / d");
  REQUIRE(diagnostics.warnings() == 1);
  CHECK(diagnostics.all()[0].message == "this quotation is not closed on its line");
}

TEST_CASE(
    "lexer: no-break and ideographic spaces, carriage returns and form feeds separate words") {
  CHECK(tokens("state\xC2\xA0MASTER\xE3\x80\x80x\r\n\fpriority") == "state MASTER x / priority");
}

TEST_CASE("lexer: the spaces that cannot be seen separate words, other characters do not") {
  CHECK(tokens("a\xE2\x80\x8B"
               "b\xE2\x80\x83"
               "c\xE2\x80\xAF"
               "d\xE2\x80\x94"
               "e\xE2\x80g") ==
        "a b c d\xE2\x80\x94"
        "e\xE2\x80g");
}

TEST_CASE("lexer: a typographic quotation mark is an ordinary letter, which is said") {
  Diagnostics diagnostics;
  CHECK(tokens("notify \xE2\x80\x9C/bin/a b\xE2\x80\x9D", &diagnostics) ==
        "notify \xE2\x80\x9C/bin/a b\xE2\x80\x9D");
  CHECK(diagnostics.warnings() == 1);
}

TEST_CASE("lexer: bytes that are not UTF-8 belong to words and comments") {
  CHECK(tokens("router_id \xD6\xF7\xBB\xFA # \xB1\xB8\nx") == "router_id \xD6\xF7\xBB\xFA / x");
}
