#include "runtime/log_sinks.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>

#include <poll.h>
#include <syslog.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr int kPatienceMs = 200;

const char* level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "debug";
    case spdlog::level::debug:
      return "detail";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warning";
    case spdlog::level::err:
      return "error";
    case spdlog::level::critical:
      return "critical";
    case spdlog::level::off:
    case spdlog::level::n_levels:
      break;
  }
  return "unknown";
}

int syslog_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::info:
      return LOG_INFO;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::critical:
      return LOG_CRIT;
    case spdlog::level::off:
    case spdlog::level::n_levels:
      break;
  }
  return LOG_INFO;
}

/// Both sinks have their own fixed form; spdlog's patterns do not apply.
class FixedFormSink : public spdlog::sinks::sink {
 public:
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

class DescriptorSink final : public FixedFormSink {
 public:
  DescriptorSink(int fd, std::string process, std::shared_ptr<std::atomic<std::uint64_t>> lost)
      : fd_(fd), process_(std::move(process)), lost_(std::move(lost)) {}

  void log(const spdlog::details::log_msg& message) override {
    const auto since_epoch = message.time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds);
    std::tm fields{};
    const std::time_t whole = seconds.count();
    ::gmtime_r(&whole, &fields);
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z {}[{}] {} {}\n", fields,
                   millis.count(), process_, ::getpid(), level_name(message.level),
                   std::string_view(message.payload.data(), message.payload.size()));
    if (!write_line()) lost_->fetch_add(1, std::memory_order_relaxed);
  }

 private:
  /// A line is below PIPE_BUF in practice, so that poll's answer holds for all of it.
  bool write_line() {
    std::size_t done = 0;
    while (done < line_.size()) {
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, kPatienceMs) <= 0) return false;
      const std::size_t piece = std::min<std::size_t>(line_.size() - done, 4096);
      const ssize_t written = ::write(fd_, line_.data() + done, piece);
      if (written <= 0) return false;
      done += static_cast<std::size_t>(written);
    }
    return true;
  }

  int fd_;
  std::string process_;
  std::shared_ptr<std::atomic<std::uint64_t>> lost_;
  std::string line_;
};

class SyslogSink final : public FixedFormSink {
 public:
  SyslogSink(std::string ident, int facility) : ident_(std::move(ident)) {
    ::openlog(ident_.c_str(), LOG_PID | LOG_NDELAY, facility);
  }
  ~SyslogSink() override { ::closelog(); }
  SyslogSink(const SyslogSink&) = delete;
  SyslogSink& operator=(const SyslogSink&) = delete;

  void log(const spdlog::details::log_msg& message) override {
    ::syslog(syslog_priority(message.level), "%.*s", static_cast<int>(message.payload.size()),
             message.payload.data());
  }

 private:
  std::string ident_;  // openlog keeps the pointer
};

}  // namespace

std::shared_ptr<spdlog::sinks::sink> make_descriptor_sink(
    int fd, std::string process, std::shared_ptr<std::atomic<std::uint64_t>> lost) {
  return std::make_shared<DescriptorSink>(fd, std::move(process), std::move(lost));
}

std::shared_ptr<spdlog::sinks::sink> make_syslog_sink(std::string ident, int facility) {
  return std::make_shared<SyslogSink>(std::move(ident), facility);
}

}  // namespace holdfast::runtime
