// Any line as the time of a reload: refused, or a moment that is not in the past and does not
// depend on how often it is asked for.
#include "core/assertion.hpp"
#include "watchdog/io/reload_time.hpp"

#include <cstdint>
#include <string_view>

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::time_t kNow = 1795262400;  // 2026-11-21 12:00:00 UTC
  constexpr std::time_t kTwoDays = 2 * 24 * 3600;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto time = watchdog::parse_reload_time(line);
  if (!time) return 0;
  const auto next = watchdog::next_reload(*time, kNow);
  HOLDFAST_ASSERT(next || time->has_date, "a time without a date always comes again");
  if (!next) return 0;
  HOLDFAST_ASSERT(*next >= kNow, "a reload is not planned for the past");
  HOLDFAST_ASSERT(time->has_date || *next <= kNow + kTwoDays, "it is today or tomorrow");
  HOLDFAST_ASSERT(watchdog::next_reload(*time, kNow) == next, "a function of the time");
  return 0;
}
