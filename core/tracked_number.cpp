#include "core/tracked_number.hpp"

#include <cerrno>
#include <cstdlib>
#include <limits>

namespace holdfast::core {
namespace {

constexpr std::string_view kBlank = " \t\n\v\f\r";

}  // namespace

TrackedNumber read_tracked_number(std::string_view text) {
  const std::string copy(text.substr(0, kMostOfTrackedFile));  // strtoll wants an end
  const char* begin = copy.c_str();
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(begin, &end, 0);
  if (end == begin) {
    const bool is_blank = text.find_first_not_of(kBlank) == std::string_view::npos;
    return {.number = 0, .remark = is_blank ? "" : "does not begin with a number: it counts as 0"};
  }
  using Limits = std::numeric_limits<std::int32_t>;
  if (errno == ERANGE || number < Limits::min() || number > Limits::max())
    return {.number = std::nullopt,
            .remark = "holds a number that is too large: what it held before goes on to count"};
  const auto rest = std::string_view(copy).substr(static_cast<std::size_t>(end - begin));
  TrackedNumber read{.number = static_cast<std::int32_t>(number)};
  if (rest.find_first_not_of(kBlank) != std::string_view::npos)
    read.remark = "holds more than a number: only the number at its beginning counts";
  return read;
}

}  // namespace holdfast::core
