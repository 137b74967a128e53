// What this version cannot run yet, although the model holds it: asked by the reader (which warns)
// and by the wiring of the daemons (which leaves it out). The rows of the table know.
#pragma once

#include "config/model.hpp"

#include <map>
#include <string>

namespace holdfast::config {

/// Why an instance is not started, as the end of a sentence: "Holdfast does not do auth_hmac
/// yet". Empty: it is started. Half of what was meant could make a second master: such an instance
/// rests, and its peers hold the addresses.
[[nodiscard]] std::string why_not_started(const VrrpInstance& instance);

/// By the name of the instance, the reason: the end of a sentence.
using NotStarted = std::map<std::string, std::string>;

/// All of them: each by itself, and with it its sync group.
[[nodiscard]] NotStarted not_started(const Model& model);
/// The others of a sync group would be master without the one that rests: they rest, too. What is
/// there already stays. For who knows of one more than the model says.
void let_groups_rest(const Model& model, NotStarted& reasons);

}  // namespace holdfast::config
