#include "watchdog/io/reload_schedule.hpp"

#include "core/result.hpp"
#include "runtime/clock.hpp"
#include "runtime/unique_fd.hpp"
#include "watchdog/io/reload_time.hpp"
#include "watchdog/messages.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace holdfast::watchdog {

namespace {

/// The clock may be set while we wait: the moment is computed again at least this often.
constexpr core::Duration kLongestSleep = std::chrono::seconds(30);
/// The longest form is 20 characters; a longer first line is none of them.
constexpr std::size_t kMaxLine = 64;
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO |
                                  IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;

struct Calendar {
  std::time_t seconds = 0;
  core::Duration since{};  ///< of that second
};

Calendar calendar_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return {now.tv_sec, core::Duration(now.tv_nsec / 1000)};
}

std::string local_text(std::time_t moment) {
  std::tm parts{};
  ::localtime_r(&moment, &parts);
  std::array<char, 32> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z", &parts);
  return {text.data(), length};
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The first line, cut at kMaxLine; nullopt: there is no such regular file.
std::optional<std::string> first_line(const std::string& path) {
  const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::array<char, kMaxLine> bytes{};
  const ssize_t count = ::read(fd.get(), bytes.data(), bytes.size());
  if (count < 0) return std::nullopt;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(count));
  return std::string(text.substr(0, std::min(text.find('\n'), text.size())));
}

}  // namespace

/// The inotify descriptor with its pending read; shared with the handler.
struct ReloadSchedule::Watch : std::enable_shared_from_this<ReloadSchedule::Watch> {
  Watch(boost::asio::io_context& io, std::function<void()> callback)
      : descriptor(io), on_event(std::move(callback)) {}

  core::Result<void> start(const std::string& directory) {
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) return core::fail_errno(errno, "cannot watch {}", directory);
    descriptor.assign(fd);
    if (::inotify_add_watch(fd, directory.c_str(), kEvents) < 0)
      return core::fail_errno(errno, "cannot watch {}", directory);
    wait();
    return {};
  }
  void wait() {
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error) self->on_readable();
                          });
  }
  // What happened does not matter, only that something did: the file is read again.
  void on_readable() {
    std::array<char, 4096> events{};
    while (::read(descriptor.native_handle(), events.data(), events.size()) > 0) {
    }
    if (!on_event) return;
    on_event();
    if (on_event) wait();
  }
  void stop() {
    on_event = nullptr;
    boost::system::error_code ignored;
    descriptor.cancel(ignored);
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> on_event;
};

ReloadSchedule::ReloadSchedule(boost::asio::io_context& io, runtime::Logger& logger,
                               std::function<void()> on_due)
    : io_(io), logger_(logger), on_due_(std::move(on_due)), timer_(io, [this] { on_timer(); }) {}

ReloadSchedule::~ReloadSchedule() {
  if (watch_) watch_->stop();
}

void ReloadSchedule::follow(const Directives& directives) {
  directives_ = directives;
  if (watch_) watch_->stop();
  watch_.reset();
  if (directives_.reload_time_file.empty()) return plan(std::nullopt);
  watch_ = std::make_shared<Watch>(io_, [this] { read_file(); });
  if (const auto started = watch_->start(directory_of(directives_.reload_time_file)); !started)
    logger_.log(kReloadTimeFile, "reload_time_file is not followed: {}", started.error().message);
  read_file();
}

void ReloadSchedule::read_file() {
  const auto line = first_line(directives_.reload_time_file);
  // An empty file is one that is being written: its next event brings the line.
  if (!line || line->empty()) return plan(std::nullopt);
  const auto time = parse_reload_time(*line);
  if (!time) {
    logger_.log(kReloadTimeFile,
                "{} does not begin with HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS (Z "
                "behind it for UTC): no reload is planned",
                directives_.reload_time_file);
    return plan(std::nullopt);
  }
  has_date_ = time->has_date;
  const auto due = next_reload(*time, calendar_now().seconds);
  if (!due)
    logger_.log(kReloadTimeFile, "the moment in {} has passed: no reload is planned",
                directives_.reload_time_file);
  plan(due);
}

void ReloadSchedule::plan(std::optional<std::time_t> due) {
  if (due != due_) {
    if (due)
      logger_.log(kReloadPlanned, "{} plans a reload at {}", directives_.reload_time_file,
                  local_text(*due));
    else
      logger_.log(kReloadPlanned, "the planned reload is off");
  }
  due_ = due;
  on_timer();
}

void ReloadSchedule::on_timer() {
  if (!due_) return timer_.arm(std::nullopt);
  const Calendar now = calendar_now();
  if (now.seconds < *due_) {
    const core::Duration left = std::chrono::seconds(*due_ - now.seconds) - now.since;
    return timer_.arm(runtime::now() + std::min(left, kLongestSleep));
  }
  due_.reset();
  timer_.arm(std::nullopt);
  // keepalived: without a date the file would mean tomorrow, so it goes unless that is wanted.
  if (!directives_.reload_repeat || has_date_) ::unlink(directives_.reload_time_file.c_str());
  on_due_();
}

}  // namespace holdfast::watchdog
