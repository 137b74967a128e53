// A question of a program beside the director to one of its processes.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace holdfast::legacy {

/// Waits. What the process refuses, in its own words, is an error as well; system_errno is ENOENT
/// when there is no such process.
[[nodiscard]] core::Result<boost::json::object> ask_process(const std::string& run_dir,
                                                            std::string_view process,
                                                            const boost::json::object& question,
                                                            core::Duration patience);

}  // namespace holdfast::legacy
