// Random tables for property tests, also of the kernel: everything drawn is something that the
// kernel accepts.
#pragma once

#include "core/rng.hpp"
#include "ipvs_wrapper/plan.hpp"

namespace holdfast::ipvs::test {

/// At most `services` services of at most `servers` servers. Few different keys, so that two tables
/// overlap.
[[nodiscard]] Table random_table(core::Rng& rng, std::size_t services, std::size_t servers);

/// "192.0.2.1:80" or "[2001:db8::1]:80"; the literal must be right.
[[nodiscard]] core::Endpoint endpoint(std::string_view text);
[[nodiscard]] ServiceKey tcp(std::string_view text);

}  // namespace holdfast::ipvs::test
