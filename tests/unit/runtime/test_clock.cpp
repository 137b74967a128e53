#include "runtime/clock.hpp"

#include <doctest/doctest.h>

#include <regex>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;

TEST_CASE("clock: now is steady_clock's time line, so that timers need no translation") {
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  const auto reading = now().time_since_epoch();
  const auto after = std::chrono::steady_clock::now().time_since_epoch();

  CHECK(reading >= std::chrono::floor<core::Duration>(before));
  CHECK(reading <= after);
}

TEST_CASE("clock: calendar text of an earlier moment is earlier by as much") {
  const core::Instant moment = now();
  const std::string text = iso8601_utc(moment);

  CHECK(std::regex_match(text,
                         std::regex(R"(20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z)")));
  CHECK(iso8601_utc(moment - 24h) < text);
  CHECK(iso8601_utc(moment - 24h).substr(10, 3) ==
        text.substr(10, 3));  // same hour of the day before
}

TEST_CASE("pause detector: late is what passed since the deadline, nothing without one") {
  PauseDetector detector;
  const core::Instant deadline{1h};

  CHECK(detector.observe(deadline, deadline + 10s).total() == 10s);
  CHECK(detector.observe(deadline, deadline - 1ms).total() == 0s);
  CHECK(detector.observe(std::nullopt, deadline).total() == 0s);
}
