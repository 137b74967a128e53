// `holdfastctl check --online`: the kernel's switches of IPVS that a service needs and that are
// off. Notes only: each is a choice.
#pragma once

#include "config/load.hpp"
#include "ctl/host_facts.hpp"

namespace holdfast::config {
class Reporter;
}

namespace holdfast::ctl {

void check_switches(const config::Model& model, const HostFacts& host, config::Reporter& reporter);

}  // namespace holdfast::ctl
