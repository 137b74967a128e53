#include "vrrp/io/file_tape.hpp"

#include "vrrp/scenario/lines.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::vrrp {
namespace {

/// Bytes of the whole lines of a file: its writer may have been killed within one.
std::uint64_t whole_lines(int file, std::uint64_t size) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const std::size_t wanted = std::min<std::uint64_t>(size, block.size());
    const ssize_t got = ::pread(file, block.data(), wanted, static_cast<off_t>(size - wanted));
    if (got <= 0) return size;
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    const std::size_t end = text.rfind('\n');
    if (end != std::string_view::npos) return size - wanted + end + 1;
    size -= wanted;
  }
  return 0;
}

}  // namespace

core::Result<std::unique_ptr<FileTape>> FileTape::create(Plan plan) {
  runtime::UniqueFd file(
      ::open(plan.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == EEXIST)
    return core::fail("{} is there already: name a new file", plan.path);
  if (!file) return core::fail_errno(errno, "cannot make {}", plan.path);
  const std::string first = fmt::format("{}\n", scenario::kFirstLine);
  if (::write(file.get(), first.data(), first.size()) != static_cast<ssize_t>(first.size()))
    return core::fail_errno(errno, "cannot write {}", plan.path);
  return std::unique_ptr<FileTape>(new FileTape(std::move(plan), std::move(file), first.size()));
}

core::Result<std::unique_ptr<FileTape>> FileTape::resume(Plan plan) {
  runtime::UniqueFd file(::open(plan.path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0)
    return core::fail_errno(errno, "the recording {} cannot go on", plan.path);
  const std::uint64_t size = whole_lines(file.get(), static_cast<std::uint64_t>(status.st_size));
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
    return core::fail_errno(errno, "the recording {} cannot go on", plan.path);
  return std::unique_ptr<FileTape>(new FileTape(std::move(plan), std::move(file), size));
}

FileTape::FileTape(Plan plan, runtime::UniqueFd file, std::uint64_t bytes)
    : plan_(std::move(plan)),
      file_(std::move(file)),
      bytes_(bytes),
      writer_([this] { write_all(); }) {}

FileTape::~FileTape() {
  hand_over();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  writer_.join();
}

scenario::Tape::Need FileTape::before_turn(std::size_t) {
  return std::exchange(begun_, true) ? Need::nothing : Need::life;
}

void FileTape::begin_life(core::Instant at, RouterSituation situation) {
  {
    const std::lock_guard lock(mutex_);
    life_ = Life{at, std::move(situation)};
  }
  changed_.notify_one();
}

void FileTape::write(std::optional<core::Instant> at, std::string_view line) {
  if (!ended_.empty()) return;
  if (at) {
    turn_ += scenario::time_text(*at);
    turn_ += ' ';
  }
  turn_ += line;
  turn_ += '\n';
}

void FileTape::after_turn(core::Instant, const Actions&) {
  if (!ended_.empty()) return;
  if (bytes() + turn_.size() > plan_.limit) {
    ended_ = fmt::format("{} has reached its limit of {} bytes", plan_.path, plan_.limit);
    turn_.clear();
  } else {
    hand_over();
  }
  if (!ended_.empty() && on_ended_) on_ended_();
}

void FileTape::hand_over() {
  {
    const std::lock_guard lock(mutex_);
    if (error_ != 0) {
      ended_ = core::fail_errno(error_, "cannot write {}", plan_.path).message;
    } else if (waiting_.size() + turn_.size() > kMostWaiting) {
      ended_ = fmt::format("{} is on a disk that does not keep up", plan_.path);
    } else {
      waiting_ += turn_;
      bytes_ += turn_.size();
    }
  }
  turn_.clear();
  changed_.notify_one();
}

// The thread: the life, then whole turns with one write each time, until the end and nothing is
// left. Thousands of instances make a life of a megabyte: its text is made here, not in the loop.
void FileTape::write_all() {
  while (true) {
    std::string text;
    std::optional<Life> life;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || life_ || !waiting_.empty(); });
      if (!life_ && waiting_.empty()) return;
      std::swap(text, waiting_);
      std::swap(life, life_);
    }
    if (life) {
      std::string lines = scenario::time_text(life->at) + ' ';
      for (const std::string& line : scenario::life_lines(life->situation)) lines += line + '\n';
      {
        const std::lock_guard lock(mutex_);
        bytes_ += lines.size();
      }
      text.insert(0, lines);
    }
    put(text);
  }
}

void FileTape::put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const std::lock_guard lock(mutex_);
      error_ = errno;
      waiting_.clear();
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::uint64_t FileTape::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace holdfast::vrrp
