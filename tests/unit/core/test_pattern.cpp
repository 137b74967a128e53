// Regular expressions of the operator, with the offsets and options of keepalived.
#include "core/pattern.hpp"

#include <doctest/doctest.h>

using namespace holdfast::core;

namespace {

bool found(const PatternText& pattern, std::string_view text) {
  const auto compiled = Pattern::compile(pattern);
  REQUIRE(compiled.has_value());
  const auto is_in = compiled->is_in(text);
  REQUIRE(is_in.has_value());
  return *is_in;
}

}  // namespace

TEST_CASE("pattern: found anywhere, between its offsets") {
  CHECK(found({.regex = "wor.d"}, "hello, world"));
  CHECK_FALSE(found({.regex = "^world"}, "hello, world"));
  CHECK(found({.regex = "world", .min_offset = 7}, "hello, world"));
  CHECK_FALSE(found({.regex = "world", .min_offset = 8}, "hello, world"));
  CHECK_FALSE(found({.regex = "world", .min_offset = 100}, "hello, world"));
  // keepalived 2.2.7: the last byte at which a match may begin.
  CHECK(found({.regex = "world", .max_offset = 7}, "hello, world"));
  CHECK_FALSE(found({.regex = "world", .max_offset = 6}, "hello, world"));
}

TEST_CASE("pattern: every option of keepalived is one of PCRE2") {
  CHECK(found({.regex = "WORLD", .options = {"caseless"}}, "hello, world"));
  CHECK(found({.regex = "a.b", .options = {"dotall"}}, "a\nb"));
  CHECK_FALSE(found({.regex = "a.b"}, "a\nb"));
  CHECK(found({.regex = "^b", .options = {"multiline"}}, "a\nb"));
  CHECK(found({.regex = "b", .options = {"utf"}}, "\xff\xfe b"));  // no UTF-8
}

TEST_CASE("pattern: what is none is named, and a text that takes for ever ends") {
  const auto none = Pattern::compile({.regex = "(a"});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message ==
        "'(a' is no regular expression: missing closing parenthesis at letter 3");

  const auto costly = Pattern::compile({.regex = "(a+)+$"});
  REQUIRE(costly.has_value());
  const auto ended = costly->is_in(std::string(64, 'a') + "b");
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().message == "matching ended early: match limit exceeded");
}
