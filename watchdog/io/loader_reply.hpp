// The loader's reply on descriptor 3: a fixed head, then the text of the diagnostics until the end
// of the stream. Both sides are the same binary. The head is checked, because the loader has read
// what strangers wrote.
#pragma once

#include "watchdog/core/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::watchdog {

/// Diagnostics beyond this are cut. Unit: bytes.
inline constexpr std::size_t kMaxDiagnosticBytes = 1U << 20;

[[nodiscard]] std::string encode_reply(const LoaderFinished& reply);
/// nullopt: not a complete reply.
[[nodiscard]] std::optional<LoaderFinished> decode_reply(std::string_view bytes);

}  // namespace holdfast::watchdog
