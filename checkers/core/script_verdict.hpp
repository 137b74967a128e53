// MISC_CHECK: what the end of a command says about the server. Pure.
#pragma once

#include "checkers/core/outcome.hpp"
#include "checkers/core/settings.hpp"

namespace holdfast::checkers {

/// What could not be run says nothing about the server, and neither does what we ended ourselves;
/// one that was too slow has failed. `took` is the script's own time.
[[nodiscard]] Outcome outcome_of_script(const ScriptProbe& probe,
                                        const core::ScriptOutcome& script);

}  // namespace holdfast::checkers
