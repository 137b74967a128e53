// Broken invariants end the process, on in release too: the watchdog restarts it and the peer
// covers meanwhile. Never for anything a packet, a file or the kernel can cause: those are values
// (core/result.hpp).
#pragma once

namespace holdfast::core {

[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file,
                                   int line);

}  // namespace holdfast::core

#define HOLDFAST_ASSERT(condition, why) \
  ((condition) ? static_cast<void>(0)   \
               : ::holdfast::core::assertion_failed(#condition, why, __FILE__, __LINE__))
