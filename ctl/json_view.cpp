#include "ctl/json_view.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace holdfast::ctl {
namespace {

/// Milliseconds since 1970, UTC.
std::optional<std::int64_t> parse_moment(std::string_view moment) {
  std::tm parts{};
  int milliseconds = 0;
  const int fields = std::sscanf(std::string(moment).c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ",
                                 &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                                 &parts.tm_min, &parts.tm_sec, &milliseconds);
  if (fields < 6) return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::int64_t{timegm(&parts)} * 1000 + milliseconds;
}

}  // namespace

const value* find(const object& from, std::string_view key) {
  const value* found = from.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const object* find_object(const object& from, std::string_view key) {
  const value* found = find(from, key);
  return found == nullptr ? nullptr : found->if_object();
}

const array& find_list(const object& from, std::string_view key) {
  static const array kEmpty;
  const value* found = find(from, key);
  const array* list = found == nullptr ? nullptr : found->if_array();
  return list == nullptr ? kEmpty : *list;
}

std::string text(const object& from, std::string_view key) {
  const value* found = find(from, key);
  if (found == nullptr) return {};
  if (const auto* string = found->if_string()) return {string->data(), string->size()};
  if (const auto count = number(from, key)) return std::to_string(*count);
  if (const bool* yes = found->if_bool()) return *yes ? "yes" : "no";
  return {};
}

std::optional<std::int64_t> number(const object& from, std::string_view key) {
  const value* found = find(from, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  if (const double* real = found->if_double()) {
    constexpr double kBound = 9e18;  // a larger one is no count, and could not be converted
    if (*real < -kBound || *real > kBound) return std::nullopt;
    return static_cast<std::int64_t>(*real);
  }
  if (const std::uint64_t* huge = found->if_uint64()) return static_cast<std::int64_t>(*huge);
  return found->get_int64();
}

bool flag(const object& from, std::string_view key) {
  const value* found = find(from, key);
  const bool* yes = found == nullptr ? nullptr : found->if_bool();
  return yes != nullptr && *yes;
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 0) milliseconds = 0;
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  const std::int64_t seconds = milliseconds / 1000;
  if (seconds < 60) return fmt::format("{}.{} s", seconds, milliseconds % 1000 / 100);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

std::optional<std::int64_t> age_ms(std::string_view moment, std::string_view now) {
  const auto from = parse_moment(moment);
  const auto to = parse_moment(now);
  if (!from || !to) return std::nullopt;
  return *to - *from;
}

}  // namespace holdfast::ctl
