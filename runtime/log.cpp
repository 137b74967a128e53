#include "runtime/log.hpp"

#include "runtime/log_sinks.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include <future>
#include <thread>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

/// The end of a process waits this long for its last lines.
constexpr std::chrono::milliseconds kFarewell{1000};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::trace;
    case Level::detail:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

Level least_shown(int detail) {
  if (detail <= 0) return Level::info;
  return detail == 1 ? Level::detail : Level::debug;
}

}  // namespace

struct Logger::Impl {
  std::shared_ptr<std::atomic<std::uint64_t>> lost =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<spdlog::details::thread_pool> ring =
      std::make_shared<spdlog::details::thread_pool>(kLogRingLines, 1);
  std::shared_ptr<spdlog::async_logger> logger;
};

Logger::Logger(std::string process, const LogSettings& settings)
    : least_(least_shown(settings.detail)), impl_(std::make_unique<Impl>()) {
  std::vector<spdlog::sink_ptr> sinks;
  if (settings.to_stderr) {
    sinks.push_back(make_descriptor_sink(STDERR_FILENO, process, impl_->lost));
  }
  if (settings.to_syslog) {
    const std::string ident = process == "holdfast" ? process : "holdfast-" + process;
    sinks.push_back(make_syslog_sink(ident, settings.syslog_facility));
  }
  impl_->logger = std::make_shared<spdlog::async_logger>(
      std::move(process), sinks.begin(), sinks.end(), impl_->ring,
      spdlog::async_overflow_policy::overrun_oldest);
  impl_->logger->set_level(spdlog::level::trace);
}

// The pool's destructor writes the ring out and joins its thread, which may be stuck in syslog(3):
// a process that wants to end must not wait for that. What is left is then lost with the process.
Logger::~Logger() {
  std::promise<void> written;
  const std::future<void> is_written = written.get_future();
  try {
    std::thread([impl = std::move(impl_), done = std::move(written)]() mutable {
      impl.reset();
      done.set_value();
    }).detach();
  } catch (const std::system_error&) {
    return;  // no thread to be had: the ring was written out while the closure was destroyed
  }
  is_written.wait_for(kFarewell);
}

std::uint64_t Logger::dropped() const {
  return impl_->ring->overrun_counter() + impl_->lost->load(std::memory_order_relaxed);
}

void Logger::write(const Message& message, std::string text) {
  impl_->logger->log(to_spdlog(message.level), fmt::format("{}: {}", message.id, text));
}

}  // namespace holdfast::runtime
