#include "scripts/pipes.hpp"

#include "runtime/clock.hpp"
#include "runtime/script_file.hpp"
#include "runtime/tidings.hpp"

#include <climits>

#include "scripts/messages.hpp"
#include "scripts/spawn.hpp"
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

namespace holdfast::scripts {
namespace {

/// Lines of thousands of instances; a wish.
constexpr int kRoomForOurs = 1 << 20;
/// Of a pipe that we have made: whose it is. Only root can write one with this beginning, xattr(7).
constexpr const char* kMark = "trusted.holdfast";

/// Where that cannot be, nothing is lost but the removal of a pipe after a crash.
void mark(const std::string& path, const std::string& director) {
  static_cast<void>(::lsetxattr(path.c_str(), kMark, director.data(), director.size(), 0));
}

bool has_mark(int fd, const std::string& director) {
  std::array<char, PATH_MAX> found{};
  const ssize_t size = ::fgetxattr(fd, kMark, found.data(), found.size());
  return size >= 0 && std::string_view(found.data(), static_cast<std::size_t>(size)) == director;
}

}  // namespace

NotifyPipe::NotifyPipe(boost::asio::io_context& io, runtime::Logger& logger, PipeKind kind,
                       std::string director)
    : io_(io),
      logger_(logger),
      kind_(kind),
      director_(std::move(director)),
      again_(io, [this] { tend(); }),
      patience_(io, [this] { on_patience(); }),
      catch_up_(io, [this] { catch_up(); }) {}

NotifyPipe::~NotifyPipe() {
  if (reader_) reader_->forget();
}

void NotifyPipe::use(const PipeSettings& settings) {
  if (settings == settings_) return;
  const bool is_same_pipe = settings.path == settings_.path && settings.owner == settings_.owner &&
                            settings.problem == settings_.problem;
  const bool is_same_reader = is_same_pipe && settings.reader == settings_.reader;
  if (!is_same_reader) {
    // It is not waited for; a new one reads the same pipe beside it.
    if (reader_) std::exchange(reader_, nullptr)->dismiss(kPatience);
    trouble_.clear();
    pause_ = kFirstPause;
  }
  if (!is_same_pipe) close();
  settings_ = settings;
  tend();
}

/// Whatever is missing is made, or tried again later.
void NotifyPipe::tend() {
  again_.arm(std::nullopt);
  if (!is_wanted() || is_leaving_) return;
  if (!fd_) {
    auto opened = open();
    if (!opened) {
      if (trouble_ != opened.error().message)
        logger_.log(kPipe, "{}: {}; it is tried again every minute, until then its lines are lost",
                    name_of(kind_), opened.error().message);
      trouble_ = opened.error().message;
      return again_.arm(runtime::now() + kLongestPause);
    }
    fd_ = std::move(*opened);
    trouble_.clear();
  }
  if (settings_.reader && !reader_) begin_reader();
}

// keepalived: made with mode 0600; one that is there already is used as it is. Open for reading,
// too: so a reader may come and go, and writing never waits for one.
core::Result<runtime::UniqueFd> NotifyPipe::open() {
  const std::string& path = settings_.path;
  is_made_here_ = false;
  if (!settings_.problem.empty()) return core::fail("{}", settings_.problem);
  if (::mkfifo(path.c_str(), 0600) == 0) {
    is_made_here_ = true;
    if (::lchown(path.c_str(), settings_.owner.uid, settings_.owner.gid) != 0) {
      const int error = errno;
      ::unlink(path.c_str());  // or the next try would take it for a stranger's and use it
      return core::fail_errno(error, "cannot give the pipe {} to its owner", path);
    }
    mark(path, director_);
  } else if (errno != EEXIST) {
    return core::fail_errno(errno, "cannot make the pipe {}", path);
  }
  runtime::UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return core::fail_errno(errno, "cannot open the pipe {}", path);
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0 || !S_ISFIFO(found.st_mode))
    return core::fail("{} is there and is no pipe", path);
  if (settings_.reader_is_ours) ::fcntl(fd.get(), F_SETPIPE_SZ, kRoomForOurs);
  if (has_mark(fd.get(), director_)) is_made_here_ = true;  // by a predecessor that was killed
  return fd;
}

void NotifyPipe::close() {
  if (!fd_) return;
  struct stat open_one {};
  struct stat found {};
  const bool is_ours = is_made_here_ && ::fstat(fd_.get(), &open_one) == 0 &&
                       ::lstat(settings_.path.c_str(), &found) == 0 &&
                       open_one.st_ino == found.st_ino && open_one.st_dev == found.st_dev;
  if (is_ours) ::unlink(settings_.path.c_str());
  fd_.reset();
}

void NotifyPipe::write(std::string_view line) {
  if (!is_wanted()) return;
  std::string bytes(line);
  bytes += '\n';
  // Longer ones could be torn apart: pipe(7).
  const bool fits = bytes.size() <= PIPE_BUF;
  if (fd_ && fits &&
      ::write(fd_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
    ++written_;
    return;
  }
  ++lost_;
  if (settings_.reader_is_ours) catch_up_.arm(runtime::now() + kFirstPause);
  if (fd_ && loss_noise_.admit("full", runtime::now()))
    logger_.log(kPipeLost, "{}: nobody reads {} fast enough: lines are lost ({} so far)",
                name_of(kind_), settings_.path, lost_);
}

void NotifyPipe::catch_up() {
  catch_up_.arm(std::nullopt);
  write(runtime::kAskAgainLine);
}

void NotifyPipe::begin_reader() {
  std::string program;
  const std::string why = runtime::why_not_run(*settings_.reader, program);
  if (!why.empty()) {
    std::string trouble = fmt::format("its reader is not run: {}", why);
    if (trouble != trouble_)
      logger_.log(kPipe, "{}: {}; it is tried again, with a pause that grows to a minute",
                  name_of(kind_), trouble);
    trouble_ = std::move(trouble);
    return pause();
  }
  trouble_.clear();
  // One that lived on would take lines from the reader of a successor.
  auto spawned = spawn(program, *settings_.reader,
                       {.ends_with_us = true, .keeps_error_output = settings_.reader_is_ours});
  reader_since_ = runtime::now();
  if (!spawned)
    return on_reader_ended(
        {.end = core::ScriptEnd::not_started, .code = spawned.error().system_errno});
  reader_ = std::make_shared<Running>(io_, std::move(*spawned), reader_since_,
                                      [this](const core::ScriptOutcome& outcome) {
                                        reader_.reset();
                                        on_reader_ended(outcome);
                                      });
  reader_->wait();
}

void NotifyPipe::on_reader_ended(const core::ScriptOutcome& outcome) {
  if (is_leaving_) return finish();
  if (runtime::now() - reader_since_ > kStable) pause_ = kFirstPause;
  logger_.log(kPipeReader, "{}: {} {}; it is started again in {} s", name_of(kind_),
              settings_.reader->argv.front(), outcome.to_string(),
              pause_ / std::chrono::seconds(1));
  pause();
}

void NotifyPipe::pause() {
  again_.arm(runtime::now() + pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
}

void NotifyPipe::end_reader(int signal) {
  if (reader_) reader_->strike(signal, core::EndedBy::farewell);
}

bool NotifyPipe::is_empty() const {
  int bytes = 0;
  return !fd_ || ::ioctl(fd_.get(), FIONREAD, &bytes) != 0 || bytes == 0;
}

void NotifyPipe::leave(std::function<void()> on_left) {
  is_leaving_ = true;
  catch_up_.arm(std::nullopt);
  if (settings_.reader_is_ours) write(runtime::kStoppedLine);
  on_left_ = std::move(on_left);
  again_.arm(std::nullopt);
  if (!reader_) return finish();
  leave_at_ = runtime::now();
  on_patience();
}

// First the last lines, then SIGTERM as keepalived has it, then SIGKILL.
void NotifyPipe::on_patience() {
  constexpr core::Duration kLookEvery = std::chrono::milliseconds(20);
  const core::Instant now = runtime::now();
  if (asked_at_ == core::Instant{} && (is_empty() || now - leave_at_ >= kPatience)) {
    asked_at_ = now;
    end_reader(SIGTERM);
  }
  if (asked_at_ != core::Instant{} && now - asked_at_ >= kPatience) {
    end_reader(SIGKILL);
    return finish();
  }
  patience_.arm(now + kLookEvery);
}

void NotifyPipe::finish() {
  patience_.arm(std::nullopt);
  close();
  if (on_left_) std::exchange(on_left_, {})();
}

boost::json::object NotifyPipe::status() const {
  boost::json::object page{{"word", name_of(kind_)},
                           {"path", settings_.path},
                           {"written", written_},
                           {"lost", lost_},
                           {"error", nullptr}};
  if (!trouble_.empty()) page["error"] = trouble_;
  if (settings_.reader) page["reader_runs"] = static_cast<bool>(reader_);
  return page;
}

Pipes::Pipes(boost::asio::io_context& io, runtime::Logger& logger, const std::string& director)
    : pipes_{NotifyPipe(io, logger, PipeKind::all, director),
             NotifyPipe(io, logger, PipeKind::vrrp, director),
             NotifyPipe(io, logger, PipeKind::lvs, director),
             NotifyPipe(io, logger, PipeKind::bus, director)} {}

void Pipes::use(const std::array<PipeSettings, kPipeKinds.size()>& settings) {
  for (std::size_t i = 0; i < pipes_.size(); ++i) pipes_[i].use(settings[i]);
}

void Pipes::write(PipeKind kind, std::string_view line) {
  for (std::size_t i = 0; i < pipes_.size(); ++i)
    if (takes(kPipeKinds[i], kind)) pipes_[i].write(line);
}

void Pipes::tell_of_reload() {
  pipes_.back().catch_up();
}

void Pipes::count_lost(PipeKind kind, std::uint64_t lines) {
  for (std::size_t i = 0; i < pipes_.size(); ++i)
    if (takes(kPipeKinds[i], kind)) pipes_[i].count_lost(lines);
}

void Pipes::leave(std::function<void()> on_left) {
  leaving_ = pipes_.size();
  for (NotifyPipe& pipe : pipes_)
    pipe.leave([this, on_left] {
      if (--leaving_ == 0) on_left();
    });
}

boost::json::array Pipes::status() const {
  boost::json::array list;
  for (const NotifyPipe& pipe : pipes_)
    if (pipe.is_wanted()) list.push_back(pipe.status());
  return list;
}

}  // namespace holdfast::scripts
