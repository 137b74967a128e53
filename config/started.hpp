// What this version cannot run yet, although the model holds it: asked by the reader (which warns)
// and by the wiring of the daemons (which leaves it out). The rows of the table know.
#pragma once

#include "config/model.hpp"

namespace holdfast::config {

/// Why an instance is not started, as the end of a sentence: "Holdfast does not do auth_hmac
/// yet". Empty: it is started. Half of what was meant could make a second master: such an instance
/// rests, and its peers hold the addresses.
[[nodiscard]] std::string why_not_started(const VrrpInstance& instance);
/// Why a checker is not run, so that without another one its server counts as up.
[[nodiscard]] std::string why_not_started(const Check& check);

}  // namespace holdfast::config
