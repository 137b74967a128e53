// Reading status objects that may come from an older or newer process: what is missing or of
// another kind reads as nothing, never as an error. Used by the renderer.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::ctl {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// nullptr: absent or null.
[[nodiscard]] const value* find(const object& from, std::string_view key);
[[nodiscard]] const object* find_object(const object& from, std::string_view key);
/// Empty: absent or no list.
[[nodiscard]] const array& find_list(const object& from, std::string_view key);
/// Strings as they are, numbers and booleans in words; empty: absent.
[[nodiscard]] std::string text(const object& from, std::string_view key);
[[nodiscard]] std::optional<std::int64_t> number(const object& from, std::string_view key);
[[nodiscard]] bool flag(const object& from, std::string_view key);

/// "350 ms", "12.4 s", "5 min 3 s", "2 h 3 min", "4 d 2 h".
[[nodiscard]] std::string duration_text(std::int64_t milliseconds);
/// Milliseconds from `moment` ("2026-11-21T00:42:03.123Z") to `now` of the same form; nullopt: one
/// is malformed.
[[nodiscard]] std::optional<std::int64_t> age_ms(std::string_view moment, std::string_view now);

}  // namespace holdfast::ctl
