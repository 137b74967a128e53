#include "config/diagnostic.hpp"

#include "config/text.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

TEST_CASE("diagnostic: place, message, source line, caret and help") {
  const Loaded loaded = load("vrrp_instance VI_1 {\n\tstat MASTER\n}\n");
  REQUIRE(loaded.diagnostics.errors() >= 1);

  const std::string text = render_text(loaded.diagnostics);

  CHECK(text.find("t.conf:2:2: error: unknown word 'stat' in 'vrrp_instance'\n"
                  "            stat MASTER\n"
                  "            ^~~~\n"
                  "    help: did you mean 'state'?\n") != std::string::npos);
}

TEST_CASE("diagnostic: the caret stands under the word after wide characters") {
  const Loaded loaded = load("router 主机 x\nvirtual_server 主 {\n}\n");

  const std::string text = render_text(loaded.diagnostics);

  CHECK(
      text.find("t.conf:2:16: error: 'virtual_server' must be followed by an IP address, not '主'\n"
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
  const Loaded loaded = load(instance("nonsense 1\ndebug 1 2\nversion 3"));

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

  CHECK(loaded.diagnostics.errors() == 1000);
  CHECK(loaded.diagnostics.all().size() == 1001);
}
