// What a probe is told: whether this director works, and whether it could serve. Pure.
#pragma once

#include "ctl/status.hpp"

#include <boost/json/object.hpp>

namespace holdfast::ctl {

/// "ok" is true when nothing stands in "problems"; each of those is a sentence.
///
/// `health`: every process that should run answers and gives signs of life in time. A director in
/// FAULT is healthy: a restart would not help it.
[[nodiscard]] boost::json::object health(const Replies& replies);
/// `ready`: healthy, a configuration is in use by all of them, every instance is MASTER or BACKUP,
/// and the kernel's table can be written where there are services.
[[nodiscard]] boost::json::object readiness(const Replies& replies);

}  // namespace holdfast::ctl
