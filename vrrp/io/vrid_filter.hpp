// The socket filter that lets only our virtual routers' packets wake this process. Pure: makes the
// program's instructions, the socket attaches them.
#pragma once

#include <cstdint>
#include <linux/filter.h>
#include <set>
#include <vector>

namespace holdfast::vrrp {

/// Accepts VRRP packets (from the IP header on) whose VRID is in `vrids`, and those too short to
/// have one: they are counted as broken. An empty set drops everything. linux/filter.h,
/// networking/filter.rst.
[[nodiscard]] std::vector<sock_filter> vrid_filter(const std::set<std::uint8_t>& vrids);

}  // namespace holdfast::vrrp
