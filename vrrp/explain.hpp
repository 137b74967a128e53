// What `holdfastctl explain INSTANCE` or GROUP is told: why this state, which advert, which timer,
// and what would change it. Pure: reads the instance as it is and its last changes of state.
#pragma once

#include "vrrp/core/router.hpp"
#include "vrrp/io/ring_tape.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace holdfast::vrrp {

/// By name, or by its key as status and dumps print it: "eth0 51 ipv4 224.0.0.18", "eth0/51".
/// nullptr: there is none.
[[nodiscard]] const Instance* find_instance(const Router& router, std::string_view word);

/// The reply to {"command":"explain"}. Durations are in milliseconds (…_ms), moments ISO-8601 UTC
/// (…_at). Timers come soonest first, the history newest first. `rejected`: what is odd about
/// adverts of peers, while it lasts. `group`: its sync group; nullptr: it is alone.
[[nodiscard]] boost::json::object explain(const Instance& instance, const Past& past,
                                          core::Instant now, const GroupView* group = nullptr);

/// The same for a sync group: which member keeps it where it is, by which fault and since when.
/// `history`: of its members.
[[nodiscard]] boost::json::object explain_group(const Router& router, const GroupView& group,
                                                const Past& past, core::Instant now);

}  // namespace holdfast::vrrp
