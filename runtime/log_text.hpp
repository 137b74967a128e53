// How a log line looks where we write it ourselves. Internal to the sinks and to what tells of
// recent lines.
#pragma once

#include "runtime/log_sinks.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace holdfast::runtime {

/// "info"
[[nodiscard]] std::string_view level_name(Level level);
/// "2026-11-21T00:42:03.123Z"
[[nodiscard]] std::string utc_text(std::chrono::system_clock::time_point at);
/// {"at","level","id","text"}, the text in UTF-8 whatever the line holds.
[[nodiscard]] boost::json::object to_json(const LogLine& line);
/// With its end of line, into `out`, which is emptied first.
void render(const LogLine& line, const LogStyle& style, std::string& out);

}  // namespace holdfast::runtime
