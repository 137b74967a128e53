#include "runtime/log_sinks.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <poll.h>
#include <syslog.h>
#include <unistd.h>

namespace holdfast::runtime {
namespace {

constexpr int kPatienceMs = 200;

const char* level_name(Level level) {
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

int syslog_priority(Level level) {
  switch (level) {
    case Level::debug:
    case Level::detail:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
    case Level::critical:
      return LOG_CRIT;
  }
  return LOG_INFO;
}

class DescriptorSink final : public LogSink {
 public:
  DescriptorSink(int fd, std::string process, std::atomic<std::uint64_t>& lost)
      : fd_(fd), process_(std::move(process)), lost_(lost) {}

  void write(const LogLine& line) override {
    const auto since_epoch = line.at.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds);
    std::tm fields{};
    const std::time_t whole = seconds.count();
    ::gmtime_r(&whole, &fields);
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z {}[{}] {} {}\n", fields,
                   millis.count(), process_, ::getpid(), level_name(line.level), line.text);
    if (!write_line()) lost_.fetch_add(1, std::memory_order_relaxed);
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
  std::atomic<std::uint64_t>& lost_;
  std::string line_;
};

class SyslogSink final : public LogSink {
 public:
  SyslogSink(std::string ident, int facility) : ident_(std::move(ident)) {
    ::openlog(ident_.c_str(), LOG_PID | LOG_NDELAY, facility);
  }
  ~SyslogSink() override { ::closelog(); }
  SyslogSink(const SyslogSink&) = delete;
  SyslogSink& operator=(const SyslogSink&) = delete;

  void write(const LogLine& line) override {
    ::syslog(syslog_priority(line.level), "%s", line.text.c_str());
  }

 private:
  std::string ident_;  // openlog keeps the pointer
};

}  // namespace

std::unique_ptr<LogSink> make_descriptor_sink(int fd, std::string process,
                                              std::atomic<std::uint64_t>& lost) {
  return std::make_unique<DescriptorSink>(fd, std::move(process), lost);
}

std::unique_ptr<LogSink> make_syslog_sink(std::string ident, int facility) {
  return std::make_unique<SyslogSink>(std::move(ident), facility);
}

}  // namespace holdfast::runtime
