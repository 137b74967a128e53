// What a rehearsal of the checkers says, as the answer to {"command":"rehearse"} and "what-if".
// Pure: runs in a thread beside the loop, on copies.
#pragma once

#include "checkers/core/rehearsal.hpp"
#include "core/result.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::checkers {

/// The running process takes `next` into use.
[[nodiscard]] boost::json::object rehearse_reload(CheckersCopy copy, Settings next);
/// Every check of the server "192.0.2.10:80" finds it "up" or "down". An error is a sentence, with
/// the nearest names where the server is not known.
[[nodiscard]] core::Result<boost::json::object> rehearse_what_if(CheckersCopy copy,
                                                                 const std::string& server,
                                                                 const std::string& value);

}  // namespace holdfast::checkers
