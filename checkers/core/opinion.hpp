// Small pure functions that both halves of the engine use. Nobody else includes it.
#pragma once

#include "checkers/core/engine.hpp"

namespace holdfast::checkers {

/// What a successor needs to know about a check.
[[nodiscard]] Remembered record_of(const CheckState& check, core::Instant since);
/// A server is up iff all its checks are; one that waits for a first success has never been up.
[[nodiscard]] ServerState state_of(const ServerView& server);
/// It has checks and none of them has said anything yet.
[[nodiscard]] bool is_pending(const ServerView& server);

}  // namespace holdfast::checkers
