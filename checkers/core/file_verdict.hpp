// FILE_CHECK: what the number in a tracked file says about a server and its weight. Pure.
#pragma once

#include "checkers/core/outcome.hpp"
#include "checkers/core/settings.hpp"

#include <cstdint>

namespace holdfast::checkers {

/// keepalived 2.2.7: number × weight is added to the configured weight, which stays above 0; only a
/// product of -2147483648 or less takes the server out. With weight 0 any number but 0 does (with
/// `reverse`, 0).
[[nodiscard]] Outcome outcome_of_number(const FileProbe& probe, std::int32_t number);

}  // namespace holdfast::checkers
