// What the VRRP process is asked about one instance or sync group, by name.
#pragma once

#include "netlink_reflector/firewall.hpp"
#include "vrrp/core/router.hpp"
#include "vrrp/explain.hpp"
#include "vrrp/io/runner.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::vrrp {

/// The answer to "explain". An instance and a group may have one name: the instance is meant,
/// unless `group:` stands before it.
[[nodiscard]] boost::json::object explain_word(const std::string& word, const Router& router,
                                               const Past& past, const netlink::Firewall& firewall,
                                               core::Instant now);
/// The answer to "announce": a master announces its addresses once more. keepalived: SendGarp of
/// its D-Bus service.
[[nodiscard]] boost::json::object announce_again(const std::string& word, Runner& runner);

}  // namespace holdfast::vrrp
