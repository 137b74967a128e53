// The first line of keepalived's reload_time_file: HH:MM:SS, YY-MM-DD HH:MM:SS or
// YYYY-MM-DD HH:MM:SS, each with Z behind it for UTC, and when that is next. Values only.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace holdfast::watchdog {

struct ReloadTime {
  std::tm written{};  ///< without has_date only hour, minute and second mean something
  bool has_date = false;
  bool utc = false;  ///< otherwise the local time of this process
};

/// nullopt: not exactly one of the forms, or no such date or time. `line` is without its line end.
[[nodiscard]] std::optional<ReloadTime> parse_reload_time(std::string_view line);

/// The moment, in seconds since 1970; without a date the next one after `now`. nullopt: the date
/// has passed.
[[nodiscard]] std::optional<std::time_t> next_reload(const ReloadTime& time, std::time_t now);

}  // namespace holdfast::watchdog
