// What the doctor compares the wire with: the instances of a running director, or of a file.
#pragma once

#include "core/result.hpp"
#include "vrrp/doctor/diagnosis.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace holdfast::ctl {

using Expectations = std::vector<vrrp::doctor::Expectation>;

/// From the status of a VRRP process; what it does not say is as made.
[[nodiscard]] Expectations expectations_of(const boost::json::object& status);

/// The instances of a file. Fails when it has errors: `holdfastctl check` names them.
[[nodiscard]] core::Result<Expectations> read_expectations(const std::string& file,
                                                           const std::string& config_id);

}  // namespace holdfast::ctl
