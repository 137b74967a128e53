// `encap` of a route: words into nested attributes. Part of the wiring.
#pragma once

#include "netlink_reflector/core/routing.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::vrrp {

/// Attributes one behind the other, as the value of another one.
[[nodiscard]] netlink::AttributeBytes nested(
    const std::map<std::uint16_t, netlink::AttributeBytes>& attributes);
[[nodiscard]] netlink::AttributeBytes big_endian(std::uint64_t number, std::size_t bytes);

/// linux/lwtunnel.h. `words`: "ip id 5 dst 192.0.2.1"; "mpls 100/200".
void set_encap(const std::vector<std::string>& words,
               std::map<std::uint16_t, netlink::AttributeBytes>& attributes);

}  // namespace holdfast::vrrp
