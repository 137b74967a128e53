// How people and `ip` write scopes and prefixes.
#pragma once

#include "core/ip_address.hpp"

#include <cstdint>
#include <string>

namespace holdfast::core {

/// "link", or the number where it has no name.
[[nodiscard]] std::string scope_text(std::uint8_t scope);
/// Without the length that is meant anyway.
[[nodiscard]] std::string prefix_text(const IpPrefix& prefix);

}  // namespace holdfast::core
