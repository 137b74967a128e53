// The wiring between the configuration and the engine: a model becomes settings.
#pragma once

#include "checkers/core/settings.hpp"
#include "config/model.hpp"

namespace holdfast::checkers {

/// A script whose account is not known comes with that problem.
[[nodiscard]] Settings wiring_of(const config::Model& model);

}  // namespace holdfast::checkers
