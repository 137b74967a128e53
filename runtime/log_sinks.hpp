// Where log lines end up. Internal to runtime/log.cpp; called on the log thread only.
#pragma once

#include "core/result.hpp"
#include "runtime/log_queue.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::runtime {

class LogSink {
 public:
  LogSink() = default;
  virtual ~LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  virtual void write(const LogLine& line) = 0;
};

/// Whose lines a sink writes, and how.
struct LogStyle {
  std::string process;
  LogFormat format = LogFormat::text;
};

/// Writes to a descriptor only when it takes bytes within 200 ms; otherwise counts the line in
/// `lost` and goes on, so that a stopped terminal or a full pipe cannot keep a process from ending.
[[nodiscard]] std::unique_ptr<LogSink> make_descriptor_sink(int fd, LogStyle style,
                                                            std::atomic<std::uint64_t>& lost);

/// Takes a line that a sink has to say about itself, for all sinks. Called within write().
using TellOfSink = std::function<void(LogLine)>;

/// Appends to a file, each line at once. When something else has its name (logrotate has moved it)
/// it is opened anew, at most a second later; when that fails, and when it works again, one line
/// says so. Fails when it cannot be had now.
[[nodiscard]] core::Result<std::unique_ptr<LogSink>> make_file_sink(
    std::string path, LogStyle style, std::atomic<std::uint64_t>& lost, TellOfSink tell);

/// Where the host's log is: journald, with fields to filter by, or syslog(3) where that is not.
[[nodiscard]] std::unique_ptr<LogSink> make_system_sink(const std::string& process, int facility);

/// syslog.h: LOG_INFO and so on.
[[nodiscard]] int syslog_priority(Level level);

}  // namespace holdfast::runtime
