// What the VRRP process tells on its control socket. Pure: reads the router and the reflector's
// mirror.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "vrrp/core/router.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace holdfast::vrrp {

/// The reply to {"command":"status"}. Durations are in milliseconds (…_ms), moments ISO-8601 UTC
/// (…_at).
[[nodiscard]] boost::json::object status_of(const Router& router,
                                            const netlink::Reflector& reflector,
                                            std::uint64_t generation, core::Instant now);

/// What is wrong with an instance although it is no fault: the service goes on without it.
[[nodiscard]] boost::json::array troubles_of(const Instance& instance, core::Instant now);

}  // namespace holdfast::vrrp
