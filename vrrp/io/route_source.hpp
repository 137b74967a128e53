// What the kernel would send from. Called for unicast peers of instances without an interface and a
// source address.
#pragma once

#include "core/ip_address.hpp"

#include <optional>

namespace holdfast::vrrp {

/// The source that the route to `peer` gives packets of this host; nullopt: no route leads there.
/// Sends nothing.
[[nodiscard]] std::optional<core::IpAddress> source_towards(const core::IpAddress& peer);

}  // namespace holdfast::vrrp
