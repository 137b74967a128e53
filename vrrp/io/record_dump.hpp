// A ring's memory as a scenario file. Runs in a thread of its own: files may be slow.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace holdfast::vrrp {

/// So many files of one kind are kept; the newest is number 1.
inline constexpr int kKeptDumps = 3;
/// The text of one file, about.
inline constexpr std::size_t kMostDumpBytes = std::size_t{1} << 20;

/// Writes `stem`.1 (mode 0600) and moves former ones up, the oldest away. `remark` becomes a
/// comment in the second line. An empty ring writes nothing.
[[nodiscard]] core::Result<void> dump_ring(std::span<const std::uint8_t> memory,
                                           const std::string& stem, const std::string& remark);

}  // namespace holdfast::vrrp
