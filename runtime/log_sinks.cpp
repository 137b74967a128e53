#include "runtime/log_sinks.hpp"

#include "runtime/log_text.hpp"
#include "runtime/messages.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace holdfast::runtime {
namespace {

constexpr int kPatienceMs = 200;
constexpr std::chrono::seconds kLookAtName{1};
constexpr mode_t kFileMode = 0640;

/// A line is below PIPE_BUF in practice, so that poll's answer holds for all of it.
bool write_line(int fd, std::string_view line) {
  while (!line.empty()) {
    pollfd ready{fd, POLLOUT, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) return false;
    const ssize_t written = ::write(fd, line.data(), std::min<std::size_t>(line.size(), 4096));
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class DescriptorSink final : public LogSink {
 public:
  DescriptorSink(int fd, LogStyle style, std::atomic<std::uint64_t>& lost)
      : fd_(fd), style_(std::move(style)), lost_(lost) {}

  void write(const LogLine& line) override {
    render(line, style_, line_);
    if (!write_line(fd_, line_)) lost_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  int fd_;
  LogStyle style_;
  std::atomic<std::uint64_t>& lost_;
  std::string line_;
};

class FileSink final : public LogSink {
 public:
  FileSink(std::string path, LogStyle style, std::atomic<std::uint64_t>& lost, TellOfSink tell)
      : path_(std::move(path)), style_(std::move(style)), lost_(lost), tell_(std::move(tell)) {}

  core::Result<void> open() {
    UniqueFd fd(::open(path_.c_str(),
                       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                       kFileMode));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0)
      return core::fail_errno(errno, "cannot open the log file {}", path_);
    if (!S_ISREG(found.st_mode)) return core::fail("the log file {} is no regular file", path_);
    fd_ = std::move(fd);
    inode_ = found.st_ino;
    device_ = found.st_dev;
    return {};
  }

  void write(const LogLine& line) override {
    if (line.at - looked_at_ >= kLookAtName || line.at < looked_at_) {
      looked_at_ = line.at;
      struct stat named {};
      const bool is_there = ::lstat(path_.c_str(), &named) == 0;
      if (!is_there || named.st_ino != inode_ || named.st_dev != device_) open_anew(line.at);
    }
    render(line, style_, line_);
    if (!write_line(fd_.get(), line_)) lost_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  // What cannot be opened now is tried again; meanwhile the former file takes the lines.
  void open_anew(std::chrono::system_clock::time_point at) {
    const auto opened = open();
    const std::string problem = opened ? "" : opened.error().message;
    if (problem == std::exchange(problem_, problem)) return;
    const Message& message = opened ? kLogFileBack : kNoLogFile;
    tell_({at, message.level, message.id,
           opened ? fmt::format("the log file {} takes lines again", path_)
                  : problem + "; lines go into the former file"});
  }

  std::string path_;
  LogStyle style_;
  std::atomic<std::uint64_t>& lost_;
  TellOfSink tell_;
  std::string problem_;  ///< That was told.
  UniqueFd fd_;
  ino_t inode_ = 0;
  dev_t device_ = 0;
  std::chrono::system_clock::time_point looked_at_;
  std::string line_;
};

}  // namespace

std::unique_ptr<LogSink> make_descriptor_sink(int fd, LogStyle style,
                                              std::atomic<std::uint64_t>& lost) {
  return std::make_unique<DescriptorSink>(fd, std::move(style), lost);
}

core::Result<std::unique_ptr<LogSink>> make_file_sink(std::string path, LogStyle style,
                                                      std::atomic<std::uint64_t>& lost,
                                                      TellOfSink tell) {
  auto sink = std::make_unique<FileSink>(std::move(path), std::move(style), lost, std::move(tell));
  if (const auto opened = sink->open(); !opened) return opened.error();
  return sink;
}

}  // namespace holdfast::runtime
