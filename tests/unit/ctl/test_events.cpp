#include "ctl/events.hpp"

#include <doctest/doctest.h>

using namespace holdfast::ctl;

TEST_CASE("events: lines of several processes come in the order of time") {
  const auto sorted = in_time_order({{"2026-11-29T10:00:00.200Z", "vrrp", "info", "b", "2"},
                                     {"2026-11-29T10:00:00.300Z", "vrrp", "info", "d", "4"},
                                     {"2026-11-29T10:00:00.100Z", "checkers", "info", "a", "1"},
                                     {"2026-11-29T10:00:00.200Z", "checkers", "info", "c", "3"}});

  std::string order;
  for (const ToldEvent& event : sorted) order += event.text;
  CHECK(order == "1234");
}

TEST_CASE("events: a line for people, an object for programs") {
  const ToldEvent event{"2026-11-29T10:00:00.200Z", "vrrp", "warning", "vrrp-state", "A: \"x\""};

  CHECK(event_line(event, Format::text) ==
        "2026-11-29T10:00:00.200Z vrrp warning vrrp-state: A: \"x\"\n");
  CHECK(event_line(event, Format::json) ==
        R"({"at":"2026-11-29T10:00:00.200Z","process":"vrrp","level":"warning",)"
        R"("id":"vrrp-state","text":"A: \"x\""})"
        "\n");
}
