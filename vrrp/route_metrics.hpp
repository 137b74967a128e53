// What a route says about the path: mtu, rtt, windows. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "netlink_reflector/core/routing.hpp"

#include <cstdint>
#include <map>
#include <string_view>

namespace holdfast::vrrp {

/// What the configuration has read as a number.
[[nodiscard]] std::uint32_t decimal(std::string_view text);
/// RTA_METRICS, where the line has any. linux/rtnetlink.h: RTAX_*.
void set_metrics(const config::Route& written,
                 std::map<std::uint16_t, netlink::AttributeBytes>& attributes);

}  // namespace holdfast::vrrp
