#include "core/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace holdfast::core;

TEST_CASE("utf8: what is text stays as it is") {
  for (const char* text :
       {"", "plain", "für", "€ 5", "\xf0\x9f\x92\xa1", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "a → b"})
    CHECK(as_utf8(text) == text);
}

TEST_CASE("utf8: each byte that is no part of a letter is replaced, and nothing else") {
  CHECK(as_utf8("f\xfcr") == "f\uFFFDr");
  CHECK(as_utf8("\xfc") == "\uFFFD");
  CHECK(as_utf8("a\xe2\x82") == "a\uFFFD\uFFFD");  // cut
  CHECK(as_utf8("\xe2\x82\xac\xff\xe2\x82\xac") == "€\uFFFD€");
  CHECK(as_utf8("\xc0\xaf") == "\uFFFD\uFFFD");  // longer than needed
  CHECK(as_utf8("\xe0\x80\xaf") == "\uFFFD\uFFFD\uFFFD");
  CHECK(as_utf8("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");            // half of a pair
  CHECK(as_utf8("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  CHECK(as_utf8("\xf5\x80") == "\uFFFD\uFFFD");
}
