// Numbers of tracked files, as keepalived 2.2.7 was seen to take them.
#include "core/tracked_number.hpp"

#include <doctest/doctest.h>

using namespace holdfast::core;

TEST_CASE("tracked number: decimal, hexadecimal and octal, after blanks, with a sign") {
  CHECK(read_tracked_number("5\n") == TrackedNumber{5, ""});
  CHECK(read_tracked_number("0x10") == TrackedNumber{16, ""});
  CHECK(read_tracked_number("010") == TrackedNumber{8, ""});
  CHECK(read_tracked_number("\n  7 \n") == TrackedNumber{7, ""});
  CHECK(read_tracked_number("+8") == TrackedNumber{8, ""});
  CHECK(read_tracked_number("-2147483648") == TrackedNumber{-2147483647 - 1, ""});
}

TEST_CASE("tracked number: nothing is 0, words are 0 and said") {
  CHECK(read_tracked_number("") == TrackedNumber{0, ""});
  CHECK(read_tracked_number(" \n") == TrackedNumber{0, ""});
  const TrackedNumber words = read_tracked_number("nonsense");
  CHECK(words.number == 0);
  CHECK(words.remark == "does not begin with a number: it counts as 0");
  CHECK(read_tracked_number("- 20").number == 0);
}

TEST_CASE("tracked number: what follows the number does not count and is said") {
  for (const char* text : {"9abc", "9 8", "9.9"}) {
    const TrackedNumber read = read_tracked_number(text);
    CHECK(read.number == 9);
    CHECK(read.remark == "holds more than a number: only the number at its beginning counts");
  }
}

TEST_CASE("tracked number: one that is too large leaves the former one in force") {
  for (const char* text :
       {"99999999999", "-99999999999", "2147483648", "30000000000000000000000"}) {
    const TrackedNumber read = read_tracked_number(text);
    CHECK_FALSE(read.number);
    CHECK_FALSE(read.remark.empty());
  }
}

TEST_CASE("tracked number: digits beyond the beginning of a long file are not looked at") {
  std::string text(kMostOfTrackedFile - 1, ' ');
  CHECK(read_tracked_number(text + "77").number == 7);
  CHECK(read_tracked_number(text + " 77").number == 0);
}
