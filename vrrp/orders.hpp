// What orders of operators mean to the VRRP process: "resign" and "priority" of an instance.
#pragma once

#include "core/orders.hpp"
#include "core/result.hpp"
#include "vrrp/core/router.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// The name of the instance that is meant, or why it cannot be.
[[nodiscard]] core::Result<std::string> judge_order(const Router& router, const std::string& kind,
                                                    const std::string& subject, std::int64_t value);

/// What the router has to be told so that it does what is asked: only of those that differ.
[[nodiscard]] std::vector<Steered> steered_by(const core::Orders& orders, const Router& router);

}  // namespace holdfast::vrrp
