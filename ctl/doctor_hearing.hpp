// What the doctor says of this host's own interfaces: where a director is deaf although all is on
// the wire. Pure.
#pragma once

#include "ctl/doctor_configuration.hpp"
#include "ctl/host_facts.hpp"

#include <string>
#include <vector>

namespace holdfast::ctl {

/// For the instances compared with; where there is none on an interface that was listened to, for
/// whatever virtual router is concerned.
[[nodiscard]] std::vector<vrrp::doctor::Finding> deaf_places(
    const HostFacts& host, const Expectations& expected, const std::vector<std::string>& listened);

}  // namespace holdfast::ctl
