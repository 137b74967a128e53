#include "runtime/log.hpp"

#include "runtime/log_sinks.hpp"
#include "runtime/messages.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"

#include <atomic>
#include <future>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace holdfast::runtime {
namespace {

/// The end of a process waits this long for its last lines.
constexpr std::chrono::milliseconds kFarewell{1000};

Level least_shown(int detail) {
  if (detail <= 0) return Level::info;
  return detail == 1 ? Level::detail : Level::debug;
}

}  // namespace

struct Logger::Impl {
  ~Impl() {
    queue.close();
    if (writer.joinable()) writer.join();
  }

  /// What the log thread does. Its files are open: it needs no capability.
  void write_lines() {
    ::prctl(PR_SET_NAME, "log");
    if (const auto given_up = give_up_capabilities_of_this_thread(); !given_up)
      write({std::chrono::system_clock::now(), kLogPrivileges.level,
             fmt::format("{}: {}", kLogPrivileges.id, given_up.error().message)});
    std::uint64_t told = 0;
    while (const auto line = queue.take()) {
      const std::uint64_t dropped = queue.dropped();
      if (const std::uint64_t lost_before = dropped - std::exchange(told, dropped);
          lost_before != 0)
        write({line->at, kLogLinesLost.level,
               fmt::format("{}: {} lines before this one", kLogLinesLost.id, lost_before)});
      write(*line);
    }
  }
  void write(const LogLine& line) {
    for (const auto& sink : sinks) sink->write(line);
  }

  std::atomic<std::uint64_t> lost = 0;
  LogQueue queue{kLogQueueBytes};
  std::vector<std::unique_ptr<LogSink>> sinks;
  std::thread writer;
};

Logger::Logger(std::string process, const LogSettings& settings)
    : least_(least_shown(settings.detail)), impl_(std::make_unique<Impl>()) {
  if (settings.to_stderr) {
    impl_->sinks.push_back(make_descriptor_sink(STDERR_FILENO, process, impl_->lost));
  }
  if (settings.to_syslog) {
    const std::string ident = process == "holdfast" ? process : "holdfast-" + process;
    impl_->sinks.push_back(make_syslog_sink(ident, settings.syslog_facility));
  }
  const SignalsBlocked here;  // an interrupted write would be a lost line
  impl_->writer = std::thread([impl = impl_.get()] { impl->write_lines(); });
}

// Impl's destructor writes the queue out and joins its thread, which may be stuck in syslog(3):
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
    return;  // no thread to be had: the queue was written out while the closure was destroyed
  }
  is_written.wait_for(kFarewell);
}

std::uint64_t Logger::dropped() const {
  return impl_->queue.dropped() + impl_->lost.load(std::memory_order_relaxed);
}

void Logger::write(const Message& message, std::string text) {
  impl_->queue.push(
      {std::chrono::system_clock::now(), message.level, fmt::format("{}: {}", message.id, text)});
}

}  // namespace holdfast::runtime
