// The VRRP process's explanation of an instance as text for people. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::ctl {

/// Every line ends with a newline; what is missing in `explanation` has no line.
[[nodiscard]] std::string render_explanation(const boost::json::object& explanation);

}  // namespace holdfast::ctl
