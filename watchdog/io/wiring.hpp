// From the configuration's model to what the watchdog itself needs to know. Called by the loader,
// which is a process of the watchdog; looks at nothing but the model.
#pragma once

#include "config/model.hpp"
#include "watchdog/core/directives.hpp"
#include "watchdog/core/event.hpp"

namespace holdfast::watchdog {

/// The processes that a configuration needs.
[[nodiscard]] RoleSet roles_of(const config::Model& model);
[[nodiscard]] Directives directives_of(const config::Globals& globals);

}  // namespace holdfast::watchdog
