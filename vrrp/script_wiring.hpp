// The notification scripts of an instance or a group as the configuration names them, and what they
// hear besides. Part of the wiring.
#pragma once

#include "config/model.hpp"
#include "vrrp/wiring.hpp"

namespace holdfast::vrrp {

/// Equal to InstanceScripts{}: there are none.
[[nodiscard]] InstanceScripts scripts_of(const config::VrrpInstance& written,
                                         const config::Model& model);
[[nodiscard]] InstanceScripts scripts_of(const config::SyncGroup& written,
                                         const config::Model& model);

}  // namespace holdfast::vrrp
