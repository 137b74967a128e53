// Scripts of a configuration on this host: are they there, may they be run, and may only root
// change what root runs? keepalived: enable_script_security.
#pragma once

#include "config/model.hpp"
#include "config/report.hpp"

#include <string>

namespace holdfast::ctl {

/// Appends a finding for every script that would not run, or that others than root could replace.
void check_scripts(const config::Model& model, config::Reporter& reporter);

/// The first part of the path that somebody else than root may change, and why; empty when there is
/// none. Links are followed, and the way to their target is looked at as well.
[[nodiscard]] std::string why_unsafe(const std::string& path);

}  // namespace holdfast::ctl
