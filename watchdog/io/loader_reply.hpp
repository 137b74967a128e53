// The loader's reply on descriptor 3: a head of fixed shape with the lengths of the texts that
// follow it. Both sides are the same binary. All of it is checked, because the loader has read what
// strangers wrote.
#pragma once

#include "watchdog/core/directives.hpp"
#include "watchdog/core/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::watchdog {

// Longer texts are cut by the writer and refused by the reader. Unit: bytes.
inline constexpr std::size_t kMaxDiagnosticBytes = 1U << 20;
inline constexpr std::size_t kMaxChangeBytes = 1U << 16;
inline constexpr std::size_t kMaxSentenceBytes = 4096;
/// Longer paths cannot be opened, so they are left out. linux/limits.h: PATH_MAX.
inline constexpr std::size_t kMaxPathBytes = 4095;
/// No reply is longer.
inline constexpr std::size_t kMaxReplyBytes =
    kMaxDiagnosticBytes + kMaxChangeBytes + kMaxSentenceBytes + 4 * kMaxPathBytes + 512;

struct LoaderReply {
  LoaderFinished finished;
  Directives directives;
};

[[nodiscard]] std::string encode_reply(const LoaderReply& reply);
/// nullopt: not a complete reply.
[[nodiscard]] std::optional<LoaderReply> decode_reply(std::string_view bytes);

}  // namespace holdfast::watchdog
