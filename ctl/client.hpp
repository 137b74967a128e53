// The way from a verb to the processes: one question, one answer, and a sentence when there is
// none. Shared by all verbs that talk to a running director.
#pragma once

#include "core/result.hpp"
#include "ctl/commands.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace holdfast::ctl {

void say(std::string_view words);          ///< to standard output, as it is
void remark(std::string_view words);       ///< to standard error, as it is
void complain(std::string_view sentence);  ///< to standard error, as a line of holdfastctl

/// `status` of one process; never fails: the reply holds the reason.
[[nodiscard]] Reply ask(const Target& target, std::string_view process);
/// Nobody listens in this run directory: why that may be.
[[nodiscard]] std::string nobody(const Target& target);
/// One request to a process. Failures are complained about; the exit code says which.
[[nodiscard]] int request(const Target& target, std::string_view process,
                          const boost::json::object& question, core::Duration timeout,
                          boost::json::object& answer);

/// The same, but `answer` may hold an "error", and nobody was told of a failure yet. The
/// error's system_errno is ENOENT or ECONNREFUSED when it does not run.
[[nodiscard]] core::Result<boost::json::object> request_of(const Target& target,
                                                           std::string_view process,
                                                           const boost::json::object& question);

}  // namespace holdfast::ctl
