#include "runtime/director_age.hpp"

#include "runtime/small_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// proc(5): the number of the word that says when a process began, in ticks since the boot.
constexpr int kBeganAt = 22;
constexpr std::size_t kLongestLine = 4096;

}  // namespace

core::Duration director_age() {
  const auto text = read_small_file(fmt::format("/proc/{}/stat", ::getppid()), kLongestLine);
  if (!text) return core::Duration::zero();
  std::string_view rest(*text);  // the second word, a name, may hold blanks and parentheses
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));
  for (int word = 3; word < kBeganAt; ++word)
    rest.remove_prefix(std::min(rest.find(' ', 1), rest.size()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  std::int64_t ticks = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), ticks).ec != std::errc{})
    return core::Duration::zero();
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const core::Duration now = std::chrono::seconds(since_boot.tv_sec) +
                             std::chrono::microseconds(since_boot.tv_nsec / 1000);
  const core::Duration began =
      std::chrono::microseconds(ticks * 1'000'000 / ::sysconf(_SC_CLK_TCK));
  return std::max(now - began, core::Duration::zero());
}

}  // namespace holdfast::runtime
