#include "runtime/log_queue.hpp"

#include <utility>

namespace holdfast::runtime {
namespace {

std::size_t bytes_of(const LogLine& line) {
  return sizeof(LogLine) + line.text.capacity();
}

}  // namespace

void LogQueue::push(LogLine line) {
  std::list<LogLine> arrived;
  arrived.push_back(std::move(line));
  std::list<LogLine> too_old;  // its memory is given back after the lock
  {
    const std::lock_guard lock(mutex_);
    while (!lines_.empty() && bytes_ + bytes_of(arrived.front()) > max_bytes_) {
      bytes_ -= bytes_of(lines_.front());
      ++dropped_;
      too_old.splice(too_old.end(), lines_, lines_.begin());
    }
    bytes_ += bytes_of(arrived.front());
    lines_.splice(lines_.end(), arrived);
  }
  changed_.notify_one();
}

std::optional<LogLine> LogQueue::take() {
  std::list<LogLine> taken;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !lines_.empty(); });
    if (lines_.empty()) return std::nullopt;
    bytes_ -= bytes_of(lines_.front());
    taken.splice(taken.end(), lines_, lines_.begin());
  }
  return std::move(taken.front());
}

void LogQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::uint64_t LogQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace holdfast::runtime
