#include "runtime/log_text.hpp"

#include "core/utf8.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <unistd.h>

namespace holdfast::runtime {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::detail:
      return "detail";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
    case Level::critical:
      return "critical";
  }
  return "unknown";
}

std::string utc_text(std::chrono::system_clock::time_point at) {
  const auto since_epoch = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds);
  std::tm fields{};
  const std::time_t whole = seconds.count();
  ::gmtime_r(&whole, &fields);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fields, millis.count());
}

boost::json::object to_json(const LogLine& line) {
  return {{"at", utc_text(line.at)},
          {"level", level_name(line.level)},
          {"id", line.id},
          {"text", core::as_utf8(line.text)}};
}

void render(const LogLine& line, const LogStyle& style, std::string& out) {
  out.clear();
  if (style.format == LogFormat::json) {
    boost::json::object fields = to_json(line);
    fields["process"] = style.process;
    fields["pid"] = ::getpid();
    out = boost::json::serialize(fields);
    out += '\n';
    return;
  }
  fmt::format_to(std::back_inserter(out), "{} {}[{}] {} {}: {}\n", utc_text(line.at), style.process,
                 ::getpid(), level_name(line.level), line.id, line.text);
}

}  // namespace holdfast::runtime
