// Checks across objects, and repairs that keepalived makes silently: each is said.
// Offline: no interfaces, users, names or kernel modules are looked up. Hashed look-ups, linear in
// the model.
#pragma once

#include "config/model.hpp"
#include "config/report.hpp"

namespace holdfast::config {

/// Reports what does not fit together and changes the model where the meaning is evident: quorum
/// above the total weight is reduced, an address given twice is held once. A second object of one
/// name or key is removed, with an error.
void validate(Model& model, Reporter& reporter);

}  // namespace holdfast::config
