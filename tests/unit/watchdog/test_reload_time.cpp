#include "watchdog/io/reload_time.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace holdfast::watchdog;

namespace {

/// The process's time zone for the length of a test.
class Zone {
 public:
  explicit Zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

constexpr std::time_t kNoon = 1795262400;  // 2026-11-21 12:00:00 UTC
constexpr std::time_t kHour = 3600;

std::optional<std::time_t> next(std::string_view line, std::time_t now = kNoon) {
  const auto time = parse_reload_time(line);
  REQUIRE_MESSAGE(time.has_value(), std::string(line));
  return next_reload(*time, now);
}

}  // namespace

TEST_CASE("reload time: a time alone is the next one, today or tomorrow") {
  const Zone zone("UTC");
  CHECK(next("12:00:01") == kNoon + 1);
  CHECK(next("12:00:00") == kNoon + 24 * kHour);
  CHECK(next("11:59:59") == kNoon + 24 * kHour - 1);
  CHECK(next("23:00:00", kNoon + 10 * 24 * kHour) == kNoon + 10 * 24 * kHour + 11 * kHour);
}

TEST_CASE("reload time: a date is that day; when it has passed there is none") {
  const Zone zone("UTC");
  CHECK(next("2026-11-21 12:00:00") == kNoon);
  CHECK(next("26-11-21 13:00:00") == kNoon + kHour);
  CHECK(next("2026-12-01 12:00:00") == kNoon + 10 * 24 * kHour);
  CHECK(next("2026-11-21 11:59:59") == std::nullopt);
  CHECK(next("99-12-31 00:00:00") == 4102358400);  // 2099
}

TEST_CASE("reload time: Z is UTC, anything else the local time") {
  const Zone zone("Europe/Berlin");  // UTC+1 in November
  CHECK(next("13:00:01") == kNoon + 1);
  CHECK(next("12:00:01Z") == kNoon + 1);
  CHECK(next("2026-11-21 14:00:00") == kNoon + kHour);
  CHECK(next("2026-11-21 13:00:00Z") == kNoon + kHour);
}

TEST_CASE("reload time: tomorrow is the same time of day over a change to summer time") {
  const Zone zone("Europe/Berlin");
  constexpr std::time_t kBefore = 1774695600;  // 2026-03-28 12:00 local, the change is that night

  CHECK(next("11:00:00", kBefore) == kBefore + 22 * kHour);
}

TEST_CASE("reload time: only the exact forms count") {
  for (const char* line : {"",
                           "12:00",
                           "12:00:00 ",
                           " 12:00:00",
                           "12:00:0",
                           "24:00:00",
                           "12:60:00",
                           "12:00:60",
                           "1:00:00",
                           "12:00:00z",
                           "12:00:00ZZ",
                           "2026-11-21",
                           "2026-11-21  12:00:00",
                           "2026-11-21T12:00:00",
                           "2026-13-01 12:00:00",
                           "2026-02-30 12:00:00",
                           "2026-00-10 12:00:00",
                           "226-11-21 12:00:00",
                           "now",
                           "+12:00:00",
                           "-1:00:00",
                           "2026-11-21 12:00:00 Z"})
    CHECK_MESSAGE(!parse_reload_time(line), line);
  CHECK(parse_reload_time("2028-02-29 00:00:00"));
  CHECK_FALSE(parse_reload_time("2027-02-29 00:00:00"));
}
