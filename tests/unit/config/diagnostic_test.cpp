#include "config/diagnostic.hpp"

#include "config/text.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

TEST_CASE("diagnostic: place, message, source line, caret and help") {
  const Loaded loaded = load("vrrp_instance VI_1 {\n\tstat MASTER\n}\n");

  const std::string text = render_text(loaded.diagnostics);

  CHECK(text.find("t.conf:2:2: warning: unknown word 'stat' in 'vrrp_instance'\n"
                  "            stat MASTER\n"
                  "            ^~~~\n"
                  "    help: did you mean 'state'? It is skipped, as in keepalived\n") !=
        std::string::npos);
}

TEST_CASE("diagnostic: the caret stands under the word after wide characters") {
  const Loaded loaded = load("router 主机 x\nvirtual_server 主 {\n}\n");

  const std::string text = render_text(loaded.diagnostics);

  CHECK(text.find(
            "t.conf:2:16: warning: 'virtual_server' must be followed by an IP address, not '主': "
            "this block is left out\n"
            "    virtual_server 主 {\n"
            "                   ^~\n") != std::string::npos);
}

TEST_CASE("diagnostic: the column counts characters, the caret terminal columns") {
  const Loaded loaded = load(instance("notify_master \"/bin/主机\" root group 多\n"));

  const std::string text = render_text(loaded.diagnostics);

  CHECK(text.find("t.conf:8:36: warning: '多' is ignored") != std::string::npos);
  CHECK(text.find("\n" + std::string(4 + 37, ' ') + "^~\n") != std::string::npos);
}

TEST_CASE("diagnostic: bytes that are not UTF-8 and control characters do not reach the terminal") {
  CHECK(printable("a\x01\xFF\tb") == "a\xEF\xBF\xBD\xEF\xBF\xBD     b");
  CHECK(printable("主\tb") == "主      b");
}

TEST_CASE("diagnostic: errors and warnings are counted apart") {
  const Loaded loaded = load(instance("nonsense 1\ndebug 1 2\nadvert_int"));

  CHECK(loaded.diagnostics.errors() == 1);
  CHECK(loaded.diagnostics.warnings() == 2);
  CHECK(loaded.diagnostics.summary() == "1 error, 2 warnings");
  CHECK(Diagnostics{}.summary() == "no errors, no warnings");
}

TEST_CASE("diagnostic: JSON escapes and counts") {
  Diagnostics diagnostics;
  Diagnostic one;
  one.file = "a\"b";
  one.line = 2;
  one.column = 3;
  one.message = "tab\there \xFF";
  diagnostics.add(one);

  CHECK(render_json(diagnostics) ==
        "{\"errors\":1,\"warnings\":0,\"diagnostics\":[{\"severity\":\"error\",\"file\":\"a\\\"b\","
        "\"line\":2,"
        "\"column\":3,\"message\":\"tab\\u0009here \\ufffd\",\"help\":\"\",\"source\":\"\"}]}");
}

TEST_CASE("diagnostic: a warning says whether it is a mistake or a hint") {
  Diagnostics diagnostics;
  Diagnostic one;
  one.severity = Severity::warning;
  one.message = "m";
  diagnostics.add(one);
  one.kind = Kind::hint;
  one.message = "h";
  diagnostics.add(one);
  one.severity = Severity::note;
  one.message = "n";
  diagnostics.add(one);

  CHECK(diagnostics.warnings() == 2);
  CHECK(diagnostics.hints() == 1);
  const std::string text = render_json(diagnostics);
  CHECK(text.find(R"({"severity":"warning","kind":"mistake","file":"")") != std::string::npos);
  CHECK(text.find(R"({"severity":"warning","kind":"hint","file":"")") != std::string::npos);
  CHECK(text.find(R"({"severity":"note","file":"")") != std::string::npos);
}

TEST_CASE("diagnostic: colours only where they are asked for") {
  Diagnostic one;
  one.file = "a";
  one.line = 1;
  one.column = 1;
  one.message = "m";
  one.source_line = "x";
  one.byte_length = 1;
  CHECK(render(one) == "a:1:1: error: m\n    x\n    ^\n");
  CHECK(render(one, Colour::always) ==
        "\x1B[1ma:1:1:\x1B[0m \x1B[1;31merror:\x1B[0m \x1B[1mm\x1B[0m\n    x\n"
        "    \x1B[1;32m^\x1B[0m\n");
}

TEST_CASE("diagnostic: the same finding at one place is counted, also after sorting") {
  Diagnostic one;
  one.file = "a";
  one.line = 2;
  one.column = 1;
  one.message = "10.0.0.1 is wrong";
  Diagnostics diagnostics;
  diagnostics.add(one);
  Diagnostic before = one;
  before.line = 1;
  diagnostics.add(before);
  diagnostics.sort_by_place();
  one.message = "10.0.0.2 is wrong";

  diagnostics.add(one);

  REQUIRE(diagnostics.all().size() == 2);
  CHECK(diagnostics.all()[1].repeats == 1);
  CHECK(render(diagnostics.all()[1]) == "a:2:1: error: 10.0.0.1 is wrong (and 1 more like this)\n");
  CHECK(diagnostics.errors() == 2);
}

TEST_CASE("diagnostic: a warning that had consequences becomes an error") {
  Diagnostic one;
  one.severity = Severity::warning;
  one.file = "a";
  one.line = 2;
  Diagnostics diagnostics;
  diagnostics.add(one);

  diagnostics.promote("a", 3);
  CHECK_FALSE(diagnostics.has_errors());
  diagnostics.promote("a", 2);

  CHECK(diagnostics.summary() == "1 error, no warnings");
}

TEST_CASE("text: commands group with both quotes, escape as in C, and join what touches") {
  using Words = std::vector<std::string>;
  CHECK(split_command("  /bin/x  a\tb ") == Words{"/bin/x", "a", "b"});
  CHECK(split_command("x 'a b' \"c d\"'e f'g") == Words{"x", "a b", "c de fg"});
  CHECK(split_command("x '' \"\"") == Words{"x", "", ""});
  CHECK(split_command("\\x41\\101\\q\\# 'it\\'s' \\t\\cA\\e") ==
        Words{"AAq#", "it's", "\t\x01\x1B"});
  CHECK(split_command("a\\ b \\x4g \\x \\0z") == Words{"a b", "\x04g", "x", "z"});
  CHECK(read_command("a 'b").closed == false);
  CHECK(read_command("a \\'b").closed);
}

TEST_CASE("text: UTF-16 of both byte orders, with pairs, halves of pairs and an odd end") {
  CHECK(from_utf16(std::string("\xFF\xFE"
                               "a\0\xE9\0\x3B\x4E",
                               8)) == "a\xC3\xA9\xE4\xB8\xBB");
  CHECK(from_utf16(std::string("\xFE\xFF\xD8\x3D\xDE\x00\xD8\x3D", 8)) ==
        "\xF0\x9F\x98\x80\xEF\xBF\xBD");
  CHECK(from_utf16(std::string("\xFF\xFE"
                               "a\0b",
                               5)) == "a");
  CHECK(from_utf16("plain").empty());
}

TEST_CASE("text: a letter is counted wherever it stands among its neighbours") {
  std::string text;
  std::size_t expected = 0;
  for (int i = 0; i < 600; ++i) {
    const auto letter = static_cast<char>(i * 7 % 256);
    text += letter;
    expected += letter == '{' ? 1 : 0;
    CHECK(count_of(text, '{') == expected);
  }
  for (const char letter : {'\0', '\x7F', '\x80', '\xFF', 'z'}) {
    for (std::size_t length = 0; length < 20; ++length) {
      CHECK(count_of(std::string(length, letter), letter) == length);
      CHECK(count_of(std::string(length, static_cast<char>(letter ^ 1)), letter) == 0);
      CHECK(count_of(std::string(length, static_cast<char>(letter ^ 0x80)), letter) == 0);
    }
  }
}

TEST_CASE("diagnostic: spelling distance counts a swap as one") {
  CHECK(spelling_distance("priority", "priority") == 0);
  CHECK(spelling_distance("prioirty", "priority") == 1);
  CHECK(spelling_distance("", "abc") == 3);
  CHECK(spelling_distance("kitten", "sitting") == 3);
  CHECK(nearest_word("Priority", {"state", "priority"}) == "priority");
  CHECK(nearest_word("entirely", {"state", "priority"}).empty());
}

TEST_CASE("diagnostic: a thousand findings are enough") {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "zzzzzzzz\n";

  const Loaded loaded = load(text);

  CHECK(loaded.diagnostics.warnings() == 1000);
  CHECK(loaded.diagnostics.all().size() == 1001);
}
