// The wiring between the configuration and the engine: a model becomes settings. Runs at prepare
// time, where looking up users is allowed.
#pragma once

#include "checkers/core/settings.hpp"
#include "config/model.hpp"
#include "core/result.hpp"

namespace holdfast::checkers {

/// Fails with a sentence for the operator when a script's user does not exist.
[[nodiscard]] core::Result<Settings> settings_from_model(const config::Model& model);

}  // namespace holdfast::checkers
