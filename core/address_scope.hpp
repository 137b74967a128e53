// How far an address counts, by the kernel's numbers. linux/rtnetlink.h: RT_SCOPE_*. Any other
// number 0…255 is allowed, too.
#pragma once

#include <cstdint>

namespace holdfast::core {

inline constexpr std::uint8_t kScopeGlobal = 0;
inline constexpr std::uint8_t kScopeSite = 200;
inline constexpr std::uint8_t kScopeLink = 253;
inline constexpr std::uint8_t kScopeHost = 254;
inline constexpr std::uint8_t kScopeNowhere = 255;

}  // namespace holdfast::core
