// What orders of operators mean to the checkers process: "weight" of a real server (0: drained).
#pragma once

#include "checkers/core/engine.hpp"
#include "core/orders.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>

namespace holdfast::checkers {

/// "192.0.2.10:80" or "[2001:db8::1]:80" of a configured real server.
[[nodiscard]] core::Result<core::Endpoint> server_named(const Settings& settings,
                                                        const std::string& name);
/// The name of the server that is meant, or why it cannot be.
[[nodiscard]] core::Result<std::string> judge_order(const Settings& settings,
                                                    const std::string& kind,
                                                    const std::string& subject, std::int64_t value);
/// Those of servers that the configuration has.
[[nodiscard]] Steered steered_by(const core::Orders& orders, const Settings& settings);

}  // namespace holdfast::checkers
