// The number that a tracked file holds. keepalived: track_file, FILE_CHECK. Pure; who reads the
// file is runtime/tracked_files.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::core {

/// More of a file is not looked at.
inline constexpr std::size_t kMostOfTrackedFile = 128;

struct TrackedNumber {
  /// nullopt: the text is a number that no 32 bits hold; the former one goes on to count.
  std::optional<std::int32_t> number = 0;
  /// What is odd about the text, a phrase; empty: nothing.
  std::string remark = {};
  bool operator==(const TrackedNumber&) const = default;
};

/// As keepalived 2.2.7 takes it: the number at the beginning, after blanks, decimal, 0x… or 0…;
/// without one 0; what follows it says nothing.
[[nodiscard]] TrackedNumber read_tracked_number(std::string_view text);

}  // namespace holdfast::core
