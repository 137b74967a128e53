// Where log lines end up. Internal to runtime/log.cpp; called on the log thread only.
#pragma once

#include <spdlog/common.h>
#include <spdlog/sinks/sink.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::runtime {

/// Writes to a descriptor only when it takes bytes within 200 ms; otherwise counts the line in
/// `lost` and goes on, so that a stopped terminal or a full pipe cannot keep a process from ending.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> make_descriptor_sink(
    int fd, std::string process, std::shared_ptr<std::atomic<std::uint64_t>> lost);

/// syslog(3) with this ident and facility.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> make_syslog_sink(std::string ident,
                                                                    int facility);

}  // namespace holdfast::runtime
