// Where log lines end up. Internal to runtime/log.cpp; called on the log thread only.
#pragma once

#include "runtime/log_queue.hpp"

#include <atomic>
#include <cstdint>
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

/// Writes to a descriptor only when it takes bytes within 200 ms; otherwise counts the line in
/// `lost` and goes on, so that a stopped terminal or a full pipe cannot keep a process from ending.
[[nodiscard]] std::unique_ptr<LogSink> make_descriptor_sink(int fd, std::string process,
                                                            std::atomic<std::uint64_t>& lost);

/// syslog(3) with this ident and facility.
[[nodiscard]] std::unique_ptr<LogSink> make_syslog_sink(std::string ident, int facility);

}  // namespace holdfast::runtime
