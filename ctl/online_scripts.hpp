// Scripts of a configuration on this host: are they there, may they be run, and may only root
// change what root runs? keepalived: enable_script_security.
#pragma once

#include "config/accounts.hpp"
#include "config/model.hpp"
#include "config/report.hpp"

namespace holdfast::ctl {

/// Appends a finding for every script that would not run, or that others than root could replace.
/// All accounts are looked up at once: a directory service may hang.
void check_scripts(const config::Model& model, config::Reporter& reporter,
                   const config::AccountLookUp& look_up);

}  // namespace holdfast::ctl
