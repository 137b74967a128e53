// Checks that need more than one statement, and repairs that keepalived makes silently: each is said.
// Offline: no interfaces, users, names or kernel modules are looked up. Hashed look-ups, linear in the model.
#pragma once

#include "config/diagnostic.hpp"
#include "config/model.hpp"
#include "config/source_set.hpp"

namespace holdfast::config {

/// Appends findings to `diagnostics` and changes the model where the meaning is evident (ports under DR and TUN, quorum
/// above the total weight, nopreempt with state MASTER). Removes objects that cannot work, with an error.
void validate(Model& model, const Snapshot& snapshot, Diagnostics& diagnostics);

}  // namespace holdfast::config
