// What became of a subject's scripts, as JSON for status pages.
#pragma once

#include "core/script.hpp"

#include <boost/json/object.hpp>

namespace holdfast::runtime {

/// {"ran", "failed", "ended", "skipped", "running", "last": {"what", "state", "succeeded",
/// "outcome", "took_ms", "ago_ms"} or null}.
[[nodiscard]] boost::json::object to_json(const core::ScriptRecord& record, core::Instant now);

}  // namespace holdfast::runtime
