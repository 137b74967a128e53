#include "runtime/log.hpp"

#include "runtime/log_sinks.hpp"
#include "runtime/messages.hpp"
#include "runtime/process.hpp"
#include "runtime/recent_lines.hpp"
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

std::string log_file_of(const std::string& file, std::string_view process) {
  if (process == "holdfast") return file;
  const std::string_view name = process == "checkers" ? "healthcheckers" : process;
  const std::size_t dot = file.rfind('.');
  const std::size_t slash = file.rfind('/');
  const bool has_dot = dot != std::string::npos && (slash == std::string::npos || dot > slash);
  const std::size_t at = has_dot ? dot : file.size();
  return fmt::format("{}_{}{}", file.substr(0, at), name, file.substr(at));
}

struct Logger::Impl {
  ~Impl() {
    queue.close();
    if (writer.joinable()) writer.join();
  }

  /// What the log thread does. Its files are open: it needs no capability.
  void write_lines() {
    ::prctl(PR_SET_NAME, "log");
    if (const auto given_up = give_up_capabilities_of_this_thread(); !given_up)
      write({std::chrono::system_clock::now(), kLogPrivileges.level, kLogPrivileges.id,
             given_up.error().message});
    std::uint64_t told = 0;
    while (const auto line = queue.take()) {
      const std::uint64_t dropped = queue.dropped();
      if (const std::uint64_t lost_before = dropped - std::exchange(told, dropped);
          lost_before != 0)
        write({line->at, kLogLinesLost.level, kLogLinesLost.id,
               fmt::format("{} lines before this one", lost_before)});
      write(*line);
    }
  }
  void write(const LogLine& line) {
    for (const auto& sink : sinks) sink->write(line);
  }

  std::atomic<std::uint64_t> lost = 0;
  LogQueue queue{kLogQueueBytes};
  RecentLines recent;
  std::vector<std::unique_ptr<LogSink>> sinks;
  std::thread writer;
};

Logger::Logger(std::string process, const LogSettings& settings)
    : least_(least_shown(settings.detail)), impl_(std::make_unique<Impl>()) {
  const LogStyle style{process, settings.format};
  if (settings.to_stderr)
    impl_->sinks.push_back(make_descriptor_sink(STDERR_FILENO, style, impl_->lost));
  if (settings.to_syslog)
    impl_->sinks.push_back(make_system_sink(process, settings.syslog_facility));
  if (!settings.file.empty()) open_file(log_file_of(settings.file, process), style);
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

void Logger::open_file(const std::string& path, const LogStyle& style) {
  auto file = make_file_sink(path, style, impl_->lost, [impl = impl_.get()](LogLine line) {
    impl->recent.add(line);
    impl->write(line);
  });
  if (!file) return write(kNoLogFile, file.error().message);
  impl_->sinks.push_back(std::move(*file));
}

const RecentLines& Logger::recent() const {
  return impl_->recent;
}

std::uint64_t Logger::dropped() const {
  return impl_->queue.dropped() + impl_->lost.load(std::memory_order_relaxed);
}

void Logger::write(const Message& message, std::string text) {
  LogLine line{std::chrono::system_clock::now(), message.level, message.id, std::move(text)};
  if (message.level >= Level::info) impl_->recent.add(line);
  impl_->queue.push(std::move(line));
}

}  // namespace holdfast::runtime
