// The other end of a control socket, for the command line: blocking, with a time limit. Never used
// in a daemon.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::runtime {

/// A reply longer than this is refused (status of a very large director is about 20 MB).
inline constexpr std::size_t kMaxReplyBytes = 128u << 20;

/// Sends one request and waits for its reply. A reply {"error":…} is a success here: the caller
/// shows it. Error means: nobody listens (system_errno ECONNREFUSED or ENOENT), no permission, no
/// answer in time, not JSON.
[[nodiscard]] core::Result<boost::json::object> control_request(const std::string& path,
                                                                const boost::json::object& request,
                                                                core::Duration timeout);

}  // namespace holdfast::runtime
