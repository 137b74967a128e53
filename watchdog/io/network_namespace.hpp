// keepalived: net_namespace. What the watchdog starts lives in the namespace that it has entered.
#pragma once

#include "core/result.hpp"

#include <string>

namespace holdfast::watchdog {

/// The calling thread goes over to the namespace that `ip netns add NAME` made.
[[nodiscard]] core::Result<void> enter_network_namespace(const std::string& name);

}  // namespace holdfast::watchdog
