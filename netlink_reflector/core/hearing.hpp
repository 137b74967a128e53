// Whom a socket on an interface does not hear although nothing is wrong with the socket: frames
// that the kernel gives to another interface of this host. Pure. Asked by the VRRP process and by
// `holdfastctl`.
#pragma once

#include "netlink_reflector/core/table.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::netlink {

/// A key of Unheard: what is sent to a group is heard.
inline constexpr std::string_view kUnicastOnly = "unicast";

/// By the MAC address that frames come from ("": by whomever), why they are not heard on `link`,
/// and what to do: one sentence. Empty: all are. `all`: the links of this host.
using Unheard = std::map<std::string, std::string>;
[[nodiscard]] Unheard unheard_on(const Link& link, std::span<const Link> all);

/// Such a link takes frames from the one below: unheard_on() of that one depends on it.
[[nodiscard]] bool may_take_frames(const Link& link);

}  // namespace holdfast::netlink
