#include "watchdog/io/reload_time.hpp"

namespace holdfast::watchdog {

namespace {

/// `digits` decimal digits at the beginning of `text`, within [low, high]; takes them off.
std::optional<int> take_number(std::string_view& text, std::size_t digits, int low, int high) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char digit : text.substr(0, digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  text.remove_prefix(digits);
  if (number < low || number > high) return std::nullopt;
  return number;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::tm& out) {
  const std::size_t digits = text.find('-');
  if (digits != 2 && digits != 4) return false;
  const auto year = take_number(text, digits, 0, 9999);
  if (!year || !take(text, '-')) return false;
  const auto month = take_number(text, 2, 1, 12);
  if (!month || !take(text, '-')) return false;
  const auto day = take_number(text, 2, 1, 31);
  if (!day || !take(text, ' ')) return false;
  out.tm_year = *year + (digits == 2 ? 100 : -1900);  // tm_year counts from 1900
  out.tm_mon = *month - 1;
  out.tm_mday = *day;
  return true;
}

bool take_time(std::string_view& text, std::tm& out) {
  const auto hour = take_number(text, 2, 0, 23);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_number(text, 2, 0, 59);
  if (!minute || !take(text, ':')) return false;
  const auto second = take_number(text, 2, 0, 59);
  if (!second) return false;
  out.tm_hour = *hour;
  out.tm_min = *minute;
  out.tm_sec = *second;
  return true;
}

std::time_t seconds_of(std::tm parts, bool utc) {
  parts.tm_isdst = -1;  // the time zone knows; a time that exists twice is one of the two
  return utc ? ::timegm(&parts) : ::mktime(&parts);
}

/// 30 February becomes a day in March when it is computed with.
bool is_a_day(const std::tm& written) {
  std::tm computed = written;
  ::timegm(&computed);
  return computed.tm_mon == written.tm_mon && computed.tm_mday == written.tm_mday;
}

}  // namespace

std::optional<ReloadTime> parse_reload_time(std::string_view line) {
  ReloadTime time;
  time.has_date = line.find('-') != line.npos;
  if (time.has_date && !take_date(line, time.written)) return std::nullopt;
  if (!take_time(line, time.written)) return std::nullopt;
  time.utc = take(line, 'Z');
  if (!line.empty() || (time.has_date && !is_a_day(time.written))) return std::nullopt;
  return time;
}

std::optional<std::time_t> next_reload(const ReloadTime& time, std::time_t now) {
  if (time.has_date) {
    const std::time_t moment = seconds_of(time.written, time.utc);
    if (moment < now) return std::nullopt;
    return moment;
  }
  std::tm today{};
  if (time.utc)
    ::gmtime_r(&now, &today);
  else
    ::localtime_r(&now, &today);
  today.tm_hour = time.written.tm_hour;
  today.tm_min = time.written.tm_min;
  today.tm_sec = time.written.tm_sec;
  std::time_t moment = seconds_of(today, time.utc);
  if (moment <= now) {
    ++today.tm_mday;  // over the end of a month, and over a change of daylight saving time
    moment = seconds_of(today, time.utc);
  }
  return moment;
}

}  // namespace holdfast::watchdog
